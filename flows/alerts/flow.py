"""The wiring of alerts: the night's failures, to whom they are configured to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from prefect import flow, task

from flows.alerts import digest, notifiers
from flows.alerts.digest import Digest
from flows.alerts.notifiers import Delivered
from flows.config import Config
from flows.prefect_run import STAGE_S, TASK


@dataclass(frozen=True)
class AlertResult:
    """What failed, and how many targets got the digest now (`sent`) or before (`already`)."""

    failed_critical: int
    failed_warning: int
    sent: int
    already: int
    ongoing: int = 0

    def summary(self) -> str:
        """One line for the log of a night."""
        if not self.failed_critical + self.failed_warning:
            return "nothing to report"
        if self.ongoing == self.failed_critical + self.failed_warning:
            return f"nothing new: {self.ongoing} ongoing, reported on earlier nights"
        delivery = "no alerts are configured"
        if self.sent + self.already:
            delivery = f"digest sent to {self.sent}" + (f", {self.already} had it already" if self.already else "")
        return f"{self.failed_critical} critical and {self.failed_warning} warning expectations failed; {delivery}"


@task(name="gather failures", task_run_name="gather failures {day}", **TASK)
def gather(config: Config, day: date, failures: Sequence[str]) -> Digest:
    """The digest of the night's failed expectations and stages."""
    return digest.of_night(config, day, failures)


@task(name="notify", task_run_name="notify {day}", **TASK)
def notify(config: Config, day: date, failures: Digest) -> Delivered:
    """The digest, to every configured target."""
    return notifiers.deliver(failures, config.alerts, config.open_lake().alerts_sent(day))


@flow(name="alert", flow_run_name="alert {day}", timeout_seconds=STAGE_S, persist_result=False)
def alert(config: Config, day: date, failures: Sequence[str] = ()) -> AlertResult:
    """Report the failed expectations and stages of `day`; nothing is sent where all passed."""
    gathered = gather(config, day, failures)
    return _result(gathered, notify(config, day, gathered))


def alert_without_prefect(config: Config, day: date, failures: Sequence[str]) -> AlertResult:
    """The same where Prefect itself fails, as on a full disk."""
    gathered = digest.of_night(config, day, failures)
    return _result(gathered, notifiers.deliver(gathered, config.alerts, config.open_lake().alerts_sent(day)))


def _result(gathered: Digest, delivered: Delivered) -> AlertResult:
    return AlertResult(
        gathered.count("critical"), gathered.count("warning"), delivered.sent, delivered.already, gathered.ongoing
    )
