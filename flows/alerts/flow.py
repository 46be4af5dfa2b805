"""The wiring of alerts: the night's failures, to whom they are configured to go."""

from dataclasses import dataclass
from datetime import date

from prefect import flow, task

from flows.alerts import digest, notifiers
from flows.alerts.digest import Digest
from flows.alerts.notifiers import Delivered
from flows.config import load_config


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
        return f"{self.failed_critical} critical and {self.failed_warning} warning failures; {delivery}"


@task(name="gather failures", persist_result=False)
def gather(config_path: str, day: date) -> Digest:
    """The digest of the night's failed expectations."""
    return digest.of_night(load_config(config_path), day)


@task(name="notify", persist_result=False)
def notify(config_path: str, day: date, failures: Digest) -> Delivered:
    """The digest, to every configured target."""
    config = load_config(config_path)
    return notifiers.deliver(failures, config.alerts, config.open_lake().alerts_sent(day))


@flow(name="alert", persist_result=False)
def alert(config_path: str, day: date) -> AlertResult:
    """Report the failed expectations of `day`; nothing is sent where all passed."""
    failures = gather(config_path, day)
    delivered = notify(config_path, day, failures)
    return AlertResult(
        failures.count("critical"), failures.count("warning"), delivered.sent, delivered.already, failures.ongoing
    )
