"""What the workspace adds to genchi: log formats, each planned as a night plans it, suites, and its embedding model."""

from collections.abc import Iterator

from flows.cli.doctor.check_result import Finding
from flows.config import Config, own_formats
from flows.errors import ConfigError
from flows.ingest import unusable_formats
from flows.semantics import check_embedding


def extension_findings(config: Config) -> Iterator[Finding]:
    """A line for each extension in the folder of genchi.yaml; none where there are none."""
    yield from _formats(config)
    if config.embedding.python:
        try:
            check_embedding(config)
        except ConfigError as error:
            yield Finding("misconfigured", f"embedding: {error}")
        else:
            yield Finding("ok", f"embedding: {config.embedding.python} can be called")
    if any((config.workspace / "expectations").glob("*.py")):
        from expectations.validate import broken_suites  # noqa: PLC0415 - imported late: it takes seconds

        for name, problem in broken_suites(config):
            told = problem or "of this workspace, can be run"
            yield Finding("misconfigured" if problem else "ok", f"suite {name}: {told}")


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
