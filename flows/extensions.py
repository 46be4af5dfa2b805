"""What a workspace adds to genchi: whether it can be used, before a run reads or writes anything."""

from flows.config import Config
from flows.ingest import check_formats
from flows.semantics import check_embedding


def check_extensions(config: Config) -> None:
    """Raise ConfigError, in one line, for a log format or an embedding model that cannot be used.

    What only one criterion, suite or alert needs stops that one alone, when its turn comes.
    """
    check_formats(config)
    check_embedding(config)
