"""Whether the formats of a workspace can be run, before anything is read or written."""

from flows.config import Config, own_formats
from flows.errors import ConfigError


def check_formats(config: Config, *, every: bool = False) -> list[str]:
    """The workspace's own formats that its sources name, or `every` one: all can be run.

    Raises ConfigError, with the file and what DuckDB says, for the first that cannot.
    """
    used = {source.format for source in config.sources}
    names = [name for name in own_formats(config.workspace) if every or name in used]
    for name in names:
        _plan(config, name)
    return names


def unusable_formats(config: Config) -> dict[str, str]:
    """The workspace's own formats that cannot be run, with the reason."""
    found = {}
    for name in own_formats(config.workspace):
        try:
            _plan(config, name)
        except ConfigError as error:
            found[name] = str(error)
    return found


def _plan(config: Config, name: str) -> None:
    from flows.ingest.map import MapperOf  # noqa: PLC0415 - imported late: most workspaces have no format of their own

    MapperOf(name, workspace=config.workspace).give_back()
