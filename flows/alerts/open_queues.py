"""The digest of what is to review: which queues have answers that nobody has judged yet, and whose week it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flows.alerts import notifiers
from flows.alerts.digest import Digest
from flows.alerts.notifiers import Delivered
from flows.config import Alert, Config, on_duty
from flows.lake import in_force
from flows.outgoing import plain
from flows.words import counted

_DAYS = 7  # queues that are told, back from the night's: a week of the rota
_RECORD = "review"
_KEY = ["route", "subject", "subject_id", "criterion"]


@dataclass(frozen=True)
class Reminded:
    """What there is to review, in one line, and to how many targets it went."""

    line: str
    delivered: Delivered

    def summary(self) -> str:
        """One line for a log."""
        sent, already = self.delivered.sent, self.delivered.already
        return f"{self.line}; sent to {sent}" + (f", {already} had it already" if already else "")


def remind(config: Config, night: date, pause: Callable[[float], None] = time.sleep) -> Reminded:
    """Tell who reviews this week which queues up to that of `night` are open, once for the same queues and counts.

    Nothing is sent where nothing is open. The caller is a run. Raises RunError if a target did not take it.
    """
    found = open_queues(config, night)
    if not found:
        return Reminded("nothing to review", Delivered())
    name = on_duty(config.review.rota, night)
    whose = f"; this week: {plain(name)}" if name else ""
    line = f"{counted(sum(found.values()), 'answer')} to review{whose}"
    queues = [f"{day}: {counted(count, 'answer')}: `genchi review --day {day}`" for day, count in found.items()]
    page = f"{config.report_url or config.reports}/index.html"
    digest = Digest(plain(config.app), night, (), page, review="\n".join([line, *queues]), is_of_review=True)
    record = config.open_lake().alerts_sent(_RECORD)
    return Reminded(line, notifiers.deliver(digest, _targets(config.alerts, name), record, pause, digest.review))


def open_queues(config: Config, night: date) -> dict[date, int]:
    """How many answers of each queue nobody has judged, the newest first; queues of the last week, up to `night`'s."""
    lake, found = config.open_lake(), {}
    first = night - timedelta(days=_DAYS - 1)
    labels = in_force(
        (row for day in lake.days("annotations") if day >= first for row in lake.read("annotations", day).to_pylist()),
        "label_id",
    )
    judged = {(row["queue_day"], *(row[key] for key in _KEY)) for row in labels}
    for day in reversed(lake.days("review_queue")):
        if first <= day <= night:
            rows = lake.read("review_queue", day, columns=_KEY).to_pylist()
            if left := len({(day, *(row[key] for key in _KEY)) for row in rows} - judged):
                found[day] = left
    return found


def _targets(alerts: Sequence[Alert], name: str | None) -> list[Alert]:
    """Who gets it: the alerts of who reviews and those of nobody; all, where that leaves none. Not those of critical
    incidents alone."""
    asked = [alert for alert in alerts if "warning" in alert.severity]
    return [alert for alert in asked if alert.owner in (None, name)] or asked
