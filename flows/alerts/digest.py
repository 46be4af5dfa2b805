"""What a night has to report: its incidents and its failed checks, worst first. Nothing here sends anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flows import acknowledgements
from flows.alerts import example_texts
from flows.alerts.digest_items import SEVERITIES, Item, Over, Quoted, is_over, item_of, order_of, over_of
from flows.alerts.earlier_nights import earlier_night
from flows.config import Config, on_duty
from flows.errors import RunError, in_one_line
from flows.incidents import place_of, rest_waits
from flows.outgoing import plain
from flows.stage_failures import with_failures
from flows.words import counted


@dataclass(frozen=True)
class Digest:
    """All that a night has to report. `ended` are the incidents that settled or recovered.

    `acknowledged` are incidents that someone takes care of: they are counted, and told no more. `review` says in one
    line what people are asked to judge, and whose week it is; empty where there is nothing. `is_of_review` is that of a
    digest which has nothing else: its first line is then the headline.
    """

    app: str
    day: date
    items: tuple[Item, ...]
    report: str
    ended: tuple[Over, ...] = ()
    acknowledged: tuple[Item, ...] = ()
    review: str = ""
    is_of_review: bool = False

    @property
    def over(self) -> tuple[str, ...]:
        """What is over, a line each."""
        return tuple(one.line for one in self.ended)

    @property
    def severity(self) -> str:
        """The worst severity among the items; `info` where there are none."""
        return self.items[0].severity if self.items else "info"

    @property
    def headline(self) -> str:
        """The first incident's title, how much more there is of its need, and what waits for it if it is broken."""
        return f"{self.app}, {self.day}: {self._first}"

    @property
    def _first(self) -> str:
        if self.is_of_review:
            return self.review.partition("\n")[0]
        if not self.items:
            more = f"; {len(self.over) - 1} more are over" if len(self.over) > 1 else ""
            return f"{self.over[0]}{more}" if self.over else "every expectation passed"
        first, rest = self.items[0], self.items[1:]
        is_broken = first.severity == SEVERITIES[0]
        later = [item for item in rest if is_broken and place_of(item.need) > place_of(first.need)]
        more = " and ".join(_counts([item for item in rest if item not in later], "more incident"))
        waits = rest_waits(first.need, _counts(later, "incident"))
        told = f"{first.severity}, {first.age}" if first.is_incident else f"{first.severity} check failed"
        return "; ".join(filter(None, (f"{told}: {first.line}", more, waits[:1].lower() + waits[1:])))

    @property
    def counts(self) -> str:
        """How much there is of each kind: `2 incidents (1 new), 1 failed check, 1 over`."""
        incidents = sum(item.is_incident for item in self.items)
        counts = [(incidents, "incident"), (len(self.items) - incidents, "failed check")]
        told = [counted(count, noun) for count, noun in counts if count]
        if incidents and self.ongoing:
            new = incidents - self.ongoing
            told[0] += f" ({new:,} new)" if new else ", known from earlier nights"
        more = [(len(self.over), "over"), (len(self.acknowledged), "acknowledged")]
        return ", ".join([*told, *(f"{count:,} {what}" for count, what in more if count)])

    @property
    def ongoing(self) -> int:
        """How many items are incidents that were told on an earlier night, and are not told again."""
        return sum(not item.is_news for item in self.items)

    @property
    def is_news(self) -> bool:
        """Whether anything began, failed or ended: all else was told before, and is told once."""
        return self.is_of_review or self.ongoing < len(self.items) or bool(self.over)

    def count(self, severity: str) -> int:
        """How many items have this severity."""
        return sum(item.severity == severity for item in self.items)


def of_night(config: Config, day: date, failures: Sequence[str] = ()) -> Digest:
    """The digest of the results that lie in the lake for `day`, and of the night's failed stages.

    Results that cannot be read are a failure too, and do not keep the others from being told.
    """
    rows, told, review = [], list(failures), ""
    try:
        rows = config.open_lake().read("expectation_results", day).to_pylist()
        review = to_review(config, day)
    except (RunError, OSError) as error:
        told.append(f"alert: {in_one_line(error)}")
    digest = build(with_failures(rows, told), config.app, day, config.pages_of(day), config.owners)
    digest = replace(with_history(digest, config), review=review)
    if config.evidence == "texts" and any(alert.evidence == "texts" for alert in config.alerts):
        return _with_examples(digest, config)
    return digest


def to_review(config: Config, day: date) -> str:
    """How many answers the queue of `day` has, how to judge them, and who reviews this week; empty without a queue."""
    queue = config.open_lake().read("review_queue", day, columns=["is_second"])["is_second"].to_pylist()
    first = len(queue) - sum(map(bool, queue))
    name = on_duty(config.review.rota, day)
    whose = f"; this week: {plain(name)}" if name else ""
    return f"{counted(first, 'answer')} to review: `genchi review --day {day}`{whose}" if first else ""


def build(
    results: Iterable[Mapping[str, Any]], app: str, day: date, pages: str, owners: Mapping[str, str] | None = None
) -> Digest:
    """What of `results` (rows of expectation_results) warns or worse, and what is over, in a fixed order.

    The worst comes first, and what is new before what goes on. `pages` is the folder or the address of the night's
    pages, `owners` those of the configuration. The same results in any order give the same digest.
    """
    rows, known = list(results), owners or {}
    failed = sorted((row for row in rows if not row["success"] and row["severity"] in SEVERITIES), key=order_of)
    over = (over_of(row, known) for row in rows if is_over(row))
    told = sorted((one for one in over if one.line and one.severity != "info"), key=lambda one: one.line)
    return Digest(
        plain(app), day, tuple(item_of(row, day, pages, known) for row in failed), f"{pages}/index.html", tuple(told)
    )


def with_history(digest: Digest, config: Config) -> Digest:
    """The digest without what is acknowledged, and with why an incident that goes on is told again.

    A digest is told whole where the lake cannot say what was before.
    """
    try:
        lake = config.open_lake()
        known, before = acknowledgements.newest(lake), earlier_night(lake, digest.day)
    except (RunError, OSError):
        return digest
    items, acknowledged = [], []
    for item in digest.items:
        found = known.get(item.subject) if item.is_incident else None
        earlier = before if item.is_incident and item.state == "ongoing" else None
        if earlier and item.severity == "critical" and earlier.severities.get(item.subject) == "warning":
            items.append(replace(item, again="critical now"))  # who took care of a warning has not seen this
        elif found and found.holds_on(digest.day):
            acknowledged.append(replace(item, acknowledged=found.words))
        else:
            has_ended = earlier and found and found.holds_on(earlier.day)
            items.append(replace(item, again="no longer acknowledged" if has_ended else ""))
    return replace(digest, items=tuple(items), acknowledged=tuple(acknowledged))


def _with_examples(digest: Digest, config: Config) -> Digest:
    """The digest with the texts of a few calls of each incident, for the alerts that may have them."""
    wanted = [call for item in digest.items for call in item.calls[: example_texts.SHOWN]]
    found = example_texts.read(config, digest.day, wanted)

    def quoting(item: Item) -> Item:
        lines = tuple(found[call] for call in item.calls[: example_texts.SHOWN] if call in found)
        said = item.quoted or Quoted(item.title, item.observed, ())
        return replace(item, quoted=replace(said, examples=lines)) if item.is_incident else item

    return replace(digest, items=tuple(map(quoting, digest.items)))


def _counts(items: Sequence[Item], noun: str) -> list[str]:
    """How many incidents and how many failed checks there are, in words."""
    incidents = sum(item.is_incident for item in items)
    counts = ((incidents, noun), (len(items) - incidents, "failed check"))
    return [counted(count, what) for count, what in counts if count]
