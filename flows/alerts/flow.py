"""The wiring of alerts: the night's incidents and failures, to whom they are configured to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flows.alerts import digest, notifiers, open_queues
from flows.alerts.digest import Digest
from flows.alerts.notifiers import Delivered
from flows.config import Config
from flows.prefect_run import STAGE_S, flow, task


@dataclass(frozen=True)
class AlertResult:
    """What the night reports, and to how many targets it went."""

    digest: Digest
    delivered: Delivered

    def count(self, severity: str) -> int:
        """How many incidents and failed checks have this severity."""
        return self.digest.count(severity)

    def summary(self) -> str:
        """One line for the log of a night."""
        if not self.digest.counts:
            return "nothing to report"
        if not self.digest.is_news:
            return f"nothing new: {self.digest.counts}"
        sent, already = self.delivered.sent, self.delivered.already
        delivery = "no alerts are configured"
        if sent + already:
            delivery = f"digest sent to {sent}" + (f", {already} had it already" if already else "")
        return f"{self.digest.counts}; {delivery}"


@task(name="gather failures", task_run_name="gather failures {day}")
def gather(config: Config, day: date, failures: Sequence[str]) -> Digest:
    """The digest of the night's incidents, failed checks and stages."""
    return digest.of_night(config, day, failures)


@task(name="notify", task_run_name="notify {day}")
def notify(config: Config, day: date, failures: Digest) -> Delivered:
    """The digest, to every configured target."""
    return notifiers.deliver(failures, config.alerts, config.open_lake().alerts_sent(day))


@flow(name="alert", flow_run_name="alert {day}", timeout_seconds=STAGE_S)
def alert(config: Config, day: date, failures: Sequence[str] = ()) -> AlertResult:
    """Report the incidents, failed checks and stages of `day`; nothing is sent without news."""
    gathered = gather(config, day, failures)
    return AlertResult(gathered, notify(config, day, gathered))


@task(name="remind of the review", task_run_name="remind of the review {day}")
def review_reminder(config: Config, day: date) -> open_queues.Reminded:
    """What there is to review, to who reviews this week. The caller is a run."""
    return open_queues.remind(config, day)


def alert_without_prefect(config: Config, day: date, failures: Sequence[str]) -> AlertResult:
    """The same where Prefect itself fails, as on a full disk."""
    gathered = digest.of_night(config, day, failures)
    return AlertResult(gathered, notifiers.deliver(gathered, config.alerts, config.open_lake().alerts_sent(day)))
