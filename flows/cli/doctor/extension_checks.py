"""What the workspace adds to genchi: formats of logs, each planned as a night plans it."""

from collections.abc import Iterator

from flows.cli.doctor.check_result import Finding
from flows.config import Config, own_formats
from flows.errors import ConfigError
from flows.ingest import unusable_formats


def extension_findings(config: Config) -> Iterator[Finding]:
    """A line for each extension in the folder of genchi.yaml; none where there are none."""
    yield from _formats(config)


def _formats(config: Config) -> Iterator[Finding]:
    try:
        broken = unusable_formats(config)
    except ConfigError as error:
        yield Finding("misconfigured", str(error))
        return
    for name in own_formats(config.workspace):
        if name in broken:
            yield Finding("misconfigured", f"format {name}: {broken[name]}")
        else:
            yield Finding("ok", f"format {name}: of this workspace, can be run")
