"""What texts are about: their embeddings, the topics of a route, what is new, and whether a day differs.

Uses the lake and its embedding models; rates and shares are computed by dbt.
"""

from flows.semantics.embedding import check_embedding

__all__ = ["check_embedding"]
