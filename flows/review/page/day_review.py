"""One day's review, as all pages know it: its queue, its labels, and what is shown of both."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from fastapi.responses import JSONResponse, Response
from markupsafe import Markup

from flows.config import Config
from flows.outgoing import plain
from flows.review.labels import LabelStore
from flows.review.page import page_templates, review_state
from flows.review.page.night_incidents import incidents_of
from flows.review.page.queue_items import Item, read_queue
from flows.review.page.review_state import Standing
from flows.review.page.sent_back import meant
from flows.review.page.suggestion_lists import Suggestions

Row = dict[str, Any]
Apply = Callable[[Row], str]
"""Puts a decision into effect (a row of `review_decisions`), and returns a line about it. May raise GenchiError."""
Acknowledge = Callable[[str, str, str | None, date | None], str]
"""Notes who takes care of an incident: its id, a name, a note, the last day. Returns a line; may raise GenchiError."""
Suggest = Callable[[str, str], str]
"""Makes a suggestion of a criterion for a route and a failure mode, and returns a line about it."""

_DRAWS = {
    "random": "drawn at random",
    "targeted": "drawn from a stratum",
    "relabel": "judged before, under the criterion's earlier version",
}


class Review:
    """One day's review: its queue, its labels, and what the pages show of both."""

    def __init__(self, config: Config, day: date) -> None:
        self.config = config
        self.day = day
        self.items = read_queue(config.open_lake(), day)
        self._by_name = {_written(item.name): item for item in self.items}
        self._of_any_version = {name[:-1]: item for name, item in self._by_name.items()}
        self.store = LabelStore(config, day)
        self.incidents = incidents_of(config, day)
        self.suggestions = Suggestions(config.open_lake())
        self.templates = page_templates.new_environment()
        parts = self.templates.get_template("parts.html").make_module({"facts": _facts})
        body = parts.body  # type: ignore[attr-defined]  # a macro of the template
        self.bodies: dict[int, Markup] = {item.number: body(item) for item in self.items}
        self._order: list[str] = []
        self._guard = threading.Lock()
        self.deciding = threading.Lock()
        """Held while one decision is looked up, applied and recorded."""

    def standings(self, annotator: str) -> list[Standing]:
        """The person's items: the first to come begins at the top, the second at the bottom, so that they meet late."""
        with self._guard:
            if annotator not in self._order:
                here = [row["annotator"] for row in self.store.labels() if row["queue_day"] == self.day]
                self._order = list(dict.fromkeys([*self._order, *here, annotator]))
            is_reversed = self._order.index(annotator) % 2 == 1
        found = [self.standing(item, annotator) for item in self.items]
        mine = [standing for standing in found if standing.is_mine]
        return mine[::-1] if is_reversed else mine

    def standing(self, item: Item, annotator: str) -> Standing:
        """One item for one person."""
        return review_state.standing_of(item, self.store.labels_on(item.name), annotator)

    def named(self, *name: str) -> Item | None:
        """The item that a form names, or that of another version of its criterion, which `rows_of` refuses.

        Forms carry names without what steers a browser, so these are compared.
        """
        written = _written(name)
        return self._by_name.get(written) or self._of_any_version.get(written[:-1])

    def mode_meant(self, form: Mapping[str, str], name: str = "failure_mode") -> tuple[str, str]:
        """The route and the failure mode that a form names, as labels have them."""
        labels = [row for row in self.store.labels() if row["failure_mode"]]
        route = meant(form.get("route", ""), (row["route"] or "" for row in labels))
        return route, meant(form.get(name, ""), (row["failure_mode"] for row in labels))

    def open_disagreements(self, labels: list[Row]) -> int:
        """How many answers wait for a third judgement."""
        return sum(third is None for _, _, third in review_state.disagreed(self.items, labels))


def _written(name: tuple[str, ...]) -> tuple[str, ...]:
    """A name as it stands in a form, whose line ends browsers change."""
    return tuple(plain(part) for part in name)


def common(review: Review, annotator: str, path: str, labels: list[Row], line: str = "") -> dict[str, Any]:
    """What every page shows around its own."""
    waiting = review.suggestions.waiting(review.store.decisions())
    pages = [
        {"path": "/", "title": "Answers", "count": sum(one.is_open for one in review.standings(annotator))},
        {"path": "/incidents", "title": "Incidents", "count": len(review.incidents or ())},
        {"path": "/disagreements", "title": "Disagreements", "count": review.open_disagreements(labels)},
        {"path": "/criteria", "title": "Criteria", "count": len(waiting["suggestion"])},
        {"path": "/holdout", "title": "Holdout", "count": len(waiting["proposal"])},
    ]
    day = page_templates.long_day(review.day)
    return {
        "app": review.config.app, "day": day, "annotator": annotator, "path": path, "pages": pages, "line": line,
    }  # fmt: skip


def refusal(status: int, line: str, is_script: bool) -> Response:
    """What was sent was not taken, and why."""
    return JSONResponse({"line": plain(line)}, status) if is_script else Response(plain(line), status)


def reveal(standing: Standing) -> Iterator[tuple[str, str]]:
    """What is shown once a person has judged: the judge's verdict, the model, how it was drawn, and colleagues'."""
    if standing.mine is None:
        return
    row = standing.item.row
    mode = standing.mine["failure_mode"]
    yield "You", page_templates.verdict(standing.mine["passed"]) + (f": {mode}" if mode else "")
    if row["judge"] or row["judge_verdict"] is not None:
        said = page_templates.verdict(row["judge_verdict"]) if row["judge_verdict"] is not None else "unscored"
        reason = f": {row['judge_reason']}" if row["judge_reason"] else ""
        yield f"Judge {row['judge'] or ''}".strip(), f"{said}{reason}"
    for other in standing.others:
        mode = other["failure_mode"]
        note = f" ({other['note']})" if other["note"] else ""
        yield other["annotator"], page_templates.verdict(other["passed"]) + (f": {mode}" if mode else "") + note
    if standing.item.model:
        yield "Model", standing.item.model
    if why := row["reason"] or _DRAWS.get(row["draw"]):
        yield "Why this one", why


def _facts(item: Item) -> Iterator[tuple[str, str]]:
    """What is known of the call, but for the model."""
    call = item.call
    yield "call", str(call.get("call_id") or item.row["subject_id"])
    if call.get("started_at"):
        yield "at", str(call["started_at"])
    if isinstance(call.get("latency_ms"), int | float):
        yield "took", f"{call['latency_ms']:,.0f} ms"
    if isinstance(call.get("cost_usd"), int | float):
        yield "cost", f"${call['cost_usd']:.4g}"
    for name in ("finish_reason", "status", "session_id"):
        if call.get(name):
            yield name.replace("_", " "), str(call[name])
