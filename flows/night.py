"""The result of a night, and how its stages fail: each on its own, and all recorded."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.errors import ConfigError, RunError, in_one_line
from flows.night_runs import NightRuns
from flows.prefect_run import stage
from flows.progress import Step
from flows.stage_failures import CAUGHT_UP
from flows.stopping import is_stopping
from flows.words import counted


@dataclass
class Night:
    """The result of a night. `headline` is its verdict in words, `page` the path of the report.

    `is_told` is whether the digest was made, and sent if it had to be; `wrong` is the first ConfigError of a stage.
    `caught_up` are the days before whose nights had not run, and were run first. `runs` records its stages.
    """

    day: date
    headline: str = ""
    page: Path | None = None
    critical: int = 0
    warning: int = 0
    failures: list[str] = field(default_factory=list)
    is_told: bool = False
    wrong: ConfigError | None = None
    caught_up: list[date] = field(default_factory=list)
    runs: NightRuns | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[Step]:
        """Run a stage; its failure is recorded and does not end the night."""
        try:
            with self.runs.measuring(name) if self.runs else nullcontext(), stage(name) as current:
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

    def has_failed(self, stage: str) -> bool:
        """Whether this stage has failed in this night."""
        return any(failure.startswith(f"{stage}: ") for failure in self.failures)

    def tell(self, critical: int, warning: int) -> None:
        """Note how much the digest has of each severity: it was made, and sent if it had to be."""
        self.critical, self.warning, self.is_told = critical, warning, True

    @property
    def to_tell(self) -> list[str]:
        """The failures of stages, and which nights before had not run: for the checks, the page and the digest."""
        days = ", ".join(map(str, self.caught_up))
        before = f"{CAUGHT_UP}: {counted(len(self.caught_up), 'night')} had not run, and ran before this one: {days}"
        return [*self.failures, *([before] if days else [])]

    def payload(self) -> dict[str, object]:
        """What the event of the night says."""
        return {
            "day": self.day.isoformat(),
            "severity": self.severity,
            "critical": self.critical,
            "warning": self.warning,
            "failed_stages": [failure.partition(":")[0] for failure in self.failures],
            "caught_up": [day.isoformat() for day in self.caught_up],
            "headline": self.headline,
            "page": str(self.page or ""),
        }

    @property
    def counts(self) -> str:
        """`1 critical, 2 warnings`: the incidents and failed checks that nobody has acknowledged."""
        return f"{self.critical:,} critical, {counted(self.warning, 'warning')}"

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
