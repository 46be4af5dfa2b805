"""What changed, in words and numbers: a breach as a short phrase, such as "outputs 29 % longer"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from flows.incidents.breach_rows import PROFILE, Breach, Row
from flows.incidents.language_names import language_name
from flows.words import joined

_NOTHING = 0.0005  # of a share: told as 0 %
_TIMES = 2.0  # from here on "2.1 times as high" and not a percentage
_LEAST = 0.005
_HARDLY = 0.02  # of the new value: told as from and to
_IN_BRACKETS = re.compile(r" \([^()]*\)")
_FIELD, _PRESENT, _TYPE, _LANGUAGE = "field:", ":present", "field_type:", "language:"
_UNITS = {"field_length:": " characters"}
_ON_ROUTE = re.compile(r"^On route [^,]*, ")


@dataclass(frozen=True)
class Change:
    """One thing that changed on one route, with its expected value and the value of the day, where it has any."""

    route: str
    side: str
    feature: str
    what: str
    before: float | None
    now: float | None
    words: str

    def as_row(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def changes_of(breaches: Sequence[Breach], features: Mapping[str, Row]) -> list[Change]:
    """The changes that breaches show, those of the most evidence and of whole texts first; one for each series.

    A topic has another series in each version of the topics, and the same label.
    """
    found: dict[object, Change] = {}
    for breach in sorted(breaches, key=_first):
        if breach.kind == "topic" and breach.evidence.get("topic_label"):
            found.setdefault((breach.route, breach.evidence["topic_label"]), _change(breach, features))
        elif breach.feature:
            found.setdefault(breach.series, _change(breach, features))
        else:
            found.setdefault(breach.key, _other(breach))
    return list(found.values())


def _first(breach: Breach) -> tuple[int, int, float, str]:
    """Lengths and shares are easier to picture than other measures; costs and latencies that hardly moved come late."""
    least = 1e-9 if breach.feature in _PER_CALL else 0.01
    relative = abs((breach.now or 0.0) - (breach.before or 0.0)) / max(abs(breach.before or 0.0), least)
    place = _PLACE.get(breach.feature, 5)
    if breach.feature in _PER_CALL and relative < _SMALL:
        place = _PLACE["two_sample"]
    return _KIND_PLACE.get(breach.kind, 1), place, -relative, breach.subject


_KIND_PLACE = {"below_minimum": 0, "skew": 2}
_PER_CALL = ("cost_usd", "latency_ms")
_SMALL = 0.1
_PLACE = {
    "failed": 0,
    **dict.fromkeys(("json_valid", "json_is_object", "empty", "refusal"), 1),
    "characters": 2,
    "line_breaks": 3,
    **dict.fromkeys((*_PER_CALL, "repeated"), 4),
    **dict.fromkeys(("words", "sentences"), 6),
    "new_topic": 7,
    PROFILE: 8,
    "two_sample": 9,
}


def _change(breach: Breach, features: Mapping[str, Row]) -> Change:
    row = _seeded(breach.feature, features)
    what, words = _profile_words(breach, features) if breach.kind == PROFILE else _words(breach, row)
    if breach.nights_seen > 1:
        words += f" (mean of {breach.nights_seen} nights)"
    return Change(breach.route, breach.side, breach.feature, what, breach.before, breach.now, words)


def _other(breach: Breach) -> Change:
    words = without_details(breach.summary)
    return Change(breach.route, "", "", breach.kind, breach.before, breach.now, words)


def without_details(summary: str) -> str:
    """A sentence without its route, what stands in brackets, and its full stop."""
    return _IN_BRACKETS.sub("", _ON_ROUTE.sub("", summary)).removesuffix(".")


def _seeded(feature: str, features: Mapping[str, Row]) -> Row | None:
    """The row of the seed for a feature: its own, or that of its prefix (model: of model:gpt-4o)."""
    name, colon, _ = feature.partition(":")
    return features.get(feature) or features.get(name + colon)


def _words(breach: Breach, row: Row | None) -> tuple[str, str]:
    if breach.kind in _OF_KIND:
        return _OF_KIND[breach.kind](breach)
    return _feature_words(breach, row) if row is not None else (breach.feature, without_details(breach.summary))


def _volume_words(breach: Breach) -> tuple[str, str]:
    return "calls", f"{counted(breach.now)} calls, about {counted(breach.before)} expected"


def _minimum_words(breach: Breach) -> tuple[str, str]:
    criterion, least = breach.evidence.get("criterion"), breach.evidence.get("min_pass_rate")
    what = f"outputs that pass criterion {criterion}"
    return (
        what,
        f"outputs pass criterion {criterion} in only {percent(breach.now)} of cases, {percent(least)} are required",
    )


def _whole_words(breach: Breach) -> tuple[str, str]:
    more, fewer = breach.evidence.get("more_topics"), breach.evidence.get("fewer_topics")
    topics = [f"{word} inputs about {found}" for word, found in (("more", more), ("fewer", fewer)) if found]
    what = f"{breach.side}s as a whole"
    return what, f"{what} differ from before" + (f": {', '.join(topics)}" if topics else "")


def _profile_words(breach: Breach, features: Mapping[str, Row]) -> tuple[str, str]:
    """The features that moved most, in the words of the seed."""
    moved = breach.evidence.get("moved")
    names = [str(name).rpartition(" ")[0] for name in moved] if isinstance(moved, list) else []
    rows = [_seeded(name, features) for name in names]
    described = [name if row is None else _described(name, row) for name, row in zip(names, rows, strict=True)]
    most = f": most of all {joined(described)}" if described else ""
    return "features of outputs together", f"features of outputs together differ from before{most}"


def _feature_words(breach: Breach, row: Row) -> tuple[str, str]:
    texts = "calls" if breach.side == "pair" else f"{breach.side}s"
    description = _described(breach.feature, row)
    if row["kind"] == "share":
        return f"{texts} {description}", f"{texts} {description}{_from_to(breach)}"
    each = "call" if breach.side == "pair" else breach.side
    if row["feature"] != breach.feature:
        what = f"{description} in {texts}"
        return what, what + _of_field(breach, _UNITS.get(row["feature"], ""))
    if row["grid"] == "unit":
        return f"{description} per {each}", f"{description} per {each}{_from_to(breach)}"
    return f"{description} per {each}", _number_words(breach, description, each)


def _of_field(breach: Breach, unit: str) -> str:
    """How a number of a field moved."""
    if breach.before is None or breach.now is None:
        return " changed"
    verb = "rose" if breach.has_risen else "fell"
    return f" {verb} from {_figure(breach.before)} to {_figure(breach.now)}{unit}"


def _figure(value: float) -> str:
    """Three digits, and all of a large number: 0.0123, 1.5, 180, 12,300."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _described(feature: str, row: Row) -> str:
    """The words of the seed, and the name of a member: "whose category is refund", "in German"."""
    member = feature.removeprefix(row["feature"]) if row["feature"] != feature else ""
    if row["feature"] == _LANGUAGE:
        return f"in {language_name(member)}"
    if row["feature"] == _TYPE:
        path, _, name = member.rpartition("=")
        return f"whose {path} is of the type {name}"
    if row["feature"] == _FIELD:
        if not member.endswith(_PRESENT):
            path, _, value = member.partition("=")
            return f"whose {path} is {value}"
        member = member.removesuffix(_PRESENT)
    return " ".join(filter(None, (row["description"], member)))


def _topic_words(breach: Breach) -> tuple[str, str]:
    label = breach.evidence.get("topic_label")
    named = f' ("{label}")' if label else ""
    if breach.kind == "new_topic":
        n = breach.evidence.get("n_group")
        what = f"inputs of no known topic{named}"
        return what, f"{counted(n)} {what}" if n else what
    topic = f'topic "{label}"' if label else f"topic {breach.feature.removeprefix('topic:')}"
    new = "new " if (breach.before or 0.0) < _NOTHING else ""
    return topic, f"{new}{topic}{_from_to(breach)} of inputs"


_OF_KIND = {
    "below_minimum": _minimum_words,
    "volume": _volume_words,
    "topic": _topic_words,
    "new_topic": _topic_words,
    "two_sample": _whole_words,
}


def _from_to(breach: Breach) -> str:
    verb = "rose" if breach.has_risen else "fell"
    return f" {verb} from {percent(breach.before)} to {percent(breach.now)}"


def _number_words(breach: Breach, description: str, each: str) -> str:
    before, now = breach.before, breach.now
    if before is None or now is None:
        return f"{description} per {each} changed"
    if before <= _HARDLY * now or abs(now / before - 1) < _LEAST:
        return f"{description} per {each} {'rose' if now > before else 'fell'} from {before:.3g} to {now:.3g}"
    ratio = now / before
    if breach.feature == "characters" and 1 / _TIMES < ratio < _TIMES:
        return f"{each}s {abs(100 * (ratio - 1)):.0f} % {'longer' if ratio > 1 else 'shorter'}"
    if ratio >= _TIMES:
        return f"{description} per {each} {ratio:.1f} times as high"
    return f"{description} per {each} {'up' if ratio > 1 else 'down'} {abs(100 * (ratio - 1)):.0f} %"


def counted(value: object) -> str:
    """A whole number; a hyphen where there is none."""
    return f"{round(float(value)):,}" if isinstance(value, int | float) else "-"


def percent(share: float | None) -> str:
    """A share: 61 %, 4.9 %, 0.15 %."""
    if share is None:
        return "-"
    digits = 0 if share >= 0.1 or share < _NOTHING else 1 if share >= 0.01 else 2
    return f"{100 * share:.{digits}f} %"
