"""The result of a night, and how its stages fail: each on its own, and all recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.errors import ConfigError, RunError, in_one_line
from flows.prefect_run import stage
from flows.progress import Step
from flows.stopping import is_stopping


@dataclass
class Night:
    """The result of a night. `headline` is its verdict in words, `page` the path of the report.

    `is_told` is whether the digest was made, and sent if it had to be; `wrong` is the first ConfigError of a stage.
    """

    day: date
    headline: str = ""
    page: Path | None = None
    critical: int = 0
    warning: int = 0
    failures: list[str] = field(default_factory=list)
    is_told: bool = False
    wrong: ConfigError | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[Step]:
        """Run a stage; its failure is recorded and does not end the night."""
        try:
            with stage(name) as current:
                yield current
        except (Exception, SystemExit) as error:  # whatever a stage raises, the others still run
            if is_stopping():
                raise KeyboardInterrupt from error
            self.record(name, error)

    def record(self, name: str, error: BaseException) -> None:
        """Add a failure."""
        self.failures.append(f"{name}: {in_one_line(error)}")
        if isinstance(error, ConfigError):
            self.wrong = self.wrong or error

    @property
    def severity(self) -> str:
        """The highest severity of what failed: critical or warning; info if nothing failed."""
        if self.critical or self.failures:
            return "critical"
        return "warning" if self.warning else "info"


class NightFailedError(RunError):
    """A stage of the night failed and the others ran; `night` is their result."""

    def __init__(self, night: Night) -> None:
        super().__init__(f"{night.day}: {'; '.join(night.failures)}")
        self.night = night
