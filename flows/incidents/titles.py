"""An incident in words: its title, and a summary of what moved, what did not, and what else was tried."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flows.incidents.breach_rows import JUDGE_CHANGED, LANGUAGES, Breach, Series
from flows.incidents.causes import Found
from flows.incidents.changes import Change, changes_of, counted, percent, without_details
from flows.incidents.given import Given
from flows.incidents.idea import Cause
from flows.incidents.ideas import FIELDS
from flows.incidents.language_names import language_name
from flows.words import day_and_month, joined

_LONGEST = 60  # characters of a name or a quote
_SCRIPTS = {
    "script_latin": "Latin script",
    "script_cyrillic": "Cyrillic script",
    "script_han": "Chinese or Japanese",
    "script_arabic": "Arabic script",
    "script_other": "another script",
}
_SHOWN = 4


def title_of(found: Found, given: Given) -> str:
    """One sentence without a full stop: the cause first, then what it did."""
    if found.cause.kind == "judge":
        judge = next(breach for breach in found.breaches if breach.kind == JUDGE_CHANGED)
        return without_details(judge.summary)
    said = _Said(found, given, _first_change(found, given), _on(found.breaches))
    is_of_traffic = any(breach.about == "traffic" for breach in found.breaches)
    return (_TITLES.get(found.cause.kind, _title_of_others) if is_of_traffic else _title_of_others)(said)


@dataclass(frozen=True)
class _Said:
    """What titles are made of: `change` is the change to name, `on` the routes with a preposition, or nothing."""

    found: Found
    given: Given
    change: str
    on: str

    @property
    def name(self) -> str:
        """The name of the cause, cut."""
        return _short(self.found.cause.name)


def _on(breaches: Sequence[Breach]) -> str:
    routes = _routes(breaches)
    return f" on {_some(routes)}" if routes else ""


def _title_of_model(said: _Said) -> str:
    return f"Another model seems to answer as {said.name}: {said.change}{said.on}"


def _title_of_member(said: _Said) -> str:
    breaches, name = said.found.breaches, said.found.cause.name
    if name is None:
        return f"The prompt{said.on} seems to have changed: {said.change}"
    named = f"new {said.name}" if _is_new(breaches, name) else said.name
    return f"{_capital(named)} changed {_some(_routes(breaches))}: {said.change}"


def _title_of_user(said: _Said) -> str:
    """User u17 sends 60 % of the calls on triage: 1,200 calls, about 480 expected."""
    user, given = (said.found.cause.name or "").removeprefix("user "), said.given
    shares = [
        given.users[place][user] / given.nights[place].calls
        for place in {(breach.route, breach.day) for breach in said.found.breaches}
        if place in given.nights and user in given.users.get(place, {})
    ]
    share = f"{percent(max(shares))} of the calls" if shares else "most of the calls"
    return f"{_capital(said.name)} sends {share}{said.on}: {said.change}"


def _title_of_format(said: _Said) -> str:
    return f"Inputs are logged in another form{said.on}: {said.change}"


def _title_of_topic(said: _Said) -> str:
    _, _, topics = said.change.partition(" differ from before: ")  # texts as a whole: the topic that moved most
    change = f"{topics.partition(')')[0]})" if topics else said.change
    return f"People ask about other things{said.on}: {change}"


def _title_of_change(said: _Said) -> str:
    return f"{_capital(said.change)}{said.on}"


def _title_of_others(said: _Said) -> str:
    breaches = said.found.breaches
    if breaches[0].about != "traffic":
        on = said.on if breaches[0].about == "candidate" else ""
        return f"{_capital(without_details(breaches[0].summary))}{on}"
    if all(breach.kind == "skew" for breach in breaches):
        return f"{_sides(breaches)}{said.on} differ from the dev set: {said.change}"
    return f"{_capital(said.change)}{said.on}; nothing in the log says why"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _first_change(found: Found, given: Given) -> str:
    """The change to name in a title: not the rise of what the title names as the cause."""
    changes = changes_of(found.breaches, given.features)
    wanted: tuple[str, ...] = (
        _OF_UNKNOWN_PROMPT if found.cause == Cause("prompt_version") else _NAMED.get(found.cause.kind, ())
    )
    named = [change for change in changes if change.feature.startswith(wanted)] if wanted else []
    others = [change for change in changes if not change.feature.startswith(_OWN)]
    return (named or others or changes)[0].words


_OWN = ("model:", "prompt:", *LANGUAGES)
_OF_UNKNOWN_PROMPT = (*FIELDS, *LANGUAGES)
_NAMED: dict[str, tuple[str, ...]] = {"log_format": ("line_breaks",), "topic": ("topic:",), "cost": ("cost_usd",)}


def _routes(breaches: Sequence[Breach]) -> list[str]:
    return sorted({breach.route for breach in breaches if breach.route})


def _some(routes: Sequence[str]) -> str:
    if len(routes) > _SHOWN:
        return f"{len(routes)} routes"
    return joined(map(_short, routes)) if routes else "the traffic"


def _short(text: str | None) -> str:
    """A name or a quote on one line, cut."""
    line = " ".join((text or "").split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _is_new(breaches: Sequence[Breach], name: str) -> bool:
    named = (breach.coincidence for breach in breaches)
    return any(one is not None and one.name == name and one.is_new for one in named)


def _sides(breaches: Sequence[Breach]) -> str:
    sides = {breach.side for breach in breaches}
    words = [name for side, name in (("input", "inputs"), ("output", "outputs"), ("pair", "calls")) if side in sides]
    return _capital(joined([word for word in words if word != "calls"] or ["calls"]))


def _title_of_language(said: _Said) -> str:
    """Outputs turned from English to Chinese: 0 % to 100 %."""
    breaches = said.found.breaches
    risen = next(breach for breach in breaches if breach.feature == said.found.cause.name)
    falling = [one for one in breaches if one.side == risen.side and one.is_of_language and not one.has_risen]
    was = max(falling, key=lambda breach: (_is_language(breach), breach.before or 0.0), default=None)
    origin = f" from {_language(was.feature)}" if was and (was.before or 0.0) > (risen.before or 0.0) else ""
    return (
        f"{risen.side.capitalize()}s{said.on} turned{origin} to {_language(risen.feature)}:"
        f" {percent(risen.before)} before, {percent(risen.now)} now"
    )


def _is_language(breach: Breach) -> bool:
    """Not a script, which says less."""
    return breach.feature.startswith(LANGUAGES[0])


def _language(feature: str) -> str:
    """The language or the script that a feature counts, by its name."""
    return _SCRIPTS.get(feature) or language_name(feature.removeprefix("language:"))


def _title_of_canned(said: _Said) -> str:
    first = said.found.breaches[0]
    known = said.given.canned.get((first.route, first.day))
    if known is None:
        return f"Many outputs{said.on} are the same text: {said.change}"
    share = f"All {known.n:,}" if known.n == known.n_calls else f"{known.n:,} of {known.n_calls:,}"
    quote = f': "{_short(known.text)}"' if said.given.may_quote else ""
    return f"{share} outputs{said.on} are the same text{quote}"


def _title_of_outage(said: _Said) -> str:
    places = {(breach.route, breach.day) for breach in said.found.breaches}
    found = [said.given.failing[place] for place in sorted(places) if place in said.given.failing]
    if not found:
        return f"Calls fail{said.on}: {said.change}"
    n, n_calls = sum(one.n for one in found), sum(one.n_calls for one in found)
    worst = max(found, key=lambda one: one.n)
    first, last = f"{worst.first_at:%H:%M}", f"{worst.last_at:%H:%M}"
    when = f"at {first} UTC" if first == last else f"{first} to {last} UTC"
    details = ", ".join(filter(None, (_short(worst.error_type), when)))
    return f"{counted(n)} of {counted(n_calls)} calls failed{said.on} ({details})"


_TITLES: dict[str, Callable[[_Said], str]] = {
    "model_under_name": _title_of_model,
    **dict.fromkeys(("release", "model_name", "prompt_version", "criterion"), _title_of_member),
    "user": _title_of_user,
    "log_format": _title_of_format,
    "language": _title_of_language,
    "canned_answer": _title_of_canned,
    "outage": _title_of_outage,
    "topic": _title_of_topic,
    **dict.fromkeys(("volume", "cost", "latency"), _title_of_change),
}


def summary_of(found: Found, changes: Sequence[Change], given: Given, night: date) -> str:
    """What moved, what did not, and what it coincides with: one to three sentences. `changes` are of its breaches.

    The numbers are of the night on which each change was found, which is said where it is not `night`.
    """
    day = min(breach.day for breach in found.breaches)
    found_on = {breach.series: breach.day for breach in reversed(found.breaches)}
    told = [_of_night(change, found_on, day) for change in changes[:3]]
    more = f", and {len(changes) - 3} more" if len(changes) > 3 else ""
    of_then = " (numbers of that night)" if night > day else ""
    first = f"Since {day_and_month(day)}{of_then}: {'; '.join(told)}{more}."
    return " ".join(filter(None, (first, _why(found), _message(found, given), _mutes(found))))


def _of_night(change: Change, found_on: Mapping[Series, date], first: date) -> str:
    """The words of a change, with its night where it was found later than the first."""
    found = found_on.get((change.route, change.side, change.feature), first)
    return change.words if found == first else f"{change.words} (on {day_and_month(found)})"


def _why(found: Found) -> str:
    cause, breaches = found.cause, found.breaches
    if cause.kind == "model_under_name":
        pins = any(breach.kind == "pin_changed" for breach in breaches)
        agrees = " The answers to the holdout changed, too." if pins else ""
        return f"Inputs, releases and prompt versions did not change.{agrees}"
    if cause.kind == "prompt_version" and not cause.name:
        fields = any(breach.feature.startswith(FIELDS) for breach in breaches)
        if fields:
            return "Outputs have other fields than before, or fields of another type."
        return "The language of inputs did not change, but the language of outputs did."
    if cause.kind == "unknown" and any(breach.kind != "skew" for breach in breaches):
        return "No release, prompt version, model, topic or language explains it."
    return _part_of_change(found)


def _part_of_change(found: Found) -> str:
    """How much of what changed comes from the calls of the cause, by a constant mix of calls."""
    named = (breach.coincidence for breach in found.breaches)
    known = [one for one in named if one is not None and one.name == found.cause.name]
    if not known:
        return ""
    low, high = (percent(min(1.0, of_all(one.part for one in known))) for of_all in (min, max))
    of_calls = f"which has {percent(max(one.share for one in known))} of calls"
    parts = f"{high} of the change comes" if low == high else f"{low} to {high} of the changes come"
    return f"{parts} from {_short(found.cause.name)}, {of_calls}."


def _mutes(found: Found) -> str:
    return " ".join(dict.fromkeys(f"{breach.mute}." for breach in found.breaches if breach.mute))


def _message(found: Found, given: Given) -> str:
    if found.cause.kind != "outage" or not given.may_quote:
        return ""
    messages = [given.failing[b.route, b.day].message for b in found.breaches if (b.route, b.day) in given.failing]
    return f'The provider says: "{_short(messages[0])}".' if messages and messages[0] else ""
