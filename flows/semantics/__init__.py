"""What texts are about: their embeddings, the topics of a route, what is new, and whether a day differs.

Knows the lake and its own models of embedding; rates and shares are dbt's.
"""

from flows.semantics.embedding import check_embedding

__all__ = ["check_embedding"]
