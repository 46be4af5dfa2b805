"""The causes that are tried on the breaches that begin on one night and route, each with the part that it explains.

What is measured (the part that the calls of one release make of a shift, at a constant mix) counts as it is; what is
inferred has a fixed part, the smaller the more else could be the cause.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from flows.incidents.breach_rows import LANGUAGES, PROFILE, Breach
from flows.incidents.given import Given
from flows.incidents.groups_of_calls import ideas_of_groups
from flows.incidents.idea import Cause, Idea, weight_of

_MOST_CALLS = 0.5
_FEW = 2  # features of answers that must move
_MUCH_OF_OUTPUTS = 0.3
_CANNED = 0.1  # of the outputs of a route and day
_LARGE = 0.1  # of the inputs: what a topic has more or less of for inputs to have other features
_LINE_BREAKS_GONE = 3.0  # times

_OF_ANSWERS = "output"  # as a side_group
_OF_FAILURE = ("failed", "latency_ms", "calls", "abandoned", "asked_again", "asked_otherwise", "answer_retried")
_OF_COST = ("cost_usd", "input_tokens", "output_tokens")
_OF_LANGUAGE = ("script_kept", "length_ratio", *_OF_COST)
FIELDS = ("field:", "field_type:")
"""What the features begin with that say which fields outputs have, and of which type."""
_SOME = 0.05
_MANY = 0.2  # of the texts of a day turned to another language


def ideas_of(starts: Sequence[Breach], given: Given, follow: bool) -> Iterator[Idea]:
    """Every cause that could be one of these breaches of one route; `follow` is whether answers follow the inputs."""
    yield from ideas_of_groups(starts, given)
    yield from _topic(starts, follow)
    if not follow or any(map(_is_format, starts)):
        yield from _model_under_name(starts, given)
    for ideas in _ALL:
        yield from ideas(starts, given)


def unknown_ones(starts: Sequence[Breach], follow: bool) -> Iterator[Idea]:
    """Other inputs, and with them the answers; or else answers alone."""
    if any(start.side == "input" for start in starts):
        yield Idea(Cause("unknown", "inputs"), lambda breach: 1.0 if follow or breach.side == "input" else 0.0)
    yield Idea(Cause("unknown", "outputs"), lambda breach: 0.0 if breach.side == "input" else 1.0)


def outputs_follow_inputs(starts: Sequence[Breach]) -> bool:
    """Whether the inputs moved so much that the same model would answer otherwise."""
    of_inputs = sum(weight_of(start) for start in starts if start.side == "input" and not _is_format(start))
    of_outputs = sum(weight_of(start) for start in starts if start.side_group == _OF_ANSWERS and start.kind != "volume")
    return of_inputs > _MUCH_OF_OUTPUTS * of_outputs


def _is_format(start: Breach) -> bool:
    """Whether line breaks, not words, moved: a model hardly sees them."""
    return start.side == "input" and start.feature == "line_breaks"


def _outage(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """Calls fail, or are answered by nothing but a canned text of failure."""
    failing = [
        start
        for start in starts
        if start.has_risen and (start.feature == "failed" or start.feature.startswith("error:"))
    ]
    if not failing:
        return
    first = failing[0]
    known = given.failing.get((first.route, first.day))
    most = known is not None and known.n >= _MOST_CALLS * known.n_calls

    def part(breach: Breach) -> float:
        if breach in failing or breach.feature in _OF_FAILURE:
            return 1.0
        return 0.9 if most and breach.side_group == _OF_ANSWERS else 0.0

    yield Idea(Cause("outage", known.error_type if known else None), part)


def _canned(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """Many outputs are one and the same text."""
    for start in starts:
        known = given.canned.get((start.route, start.day))
        if start.feature == "repeated" and start.has_risen and known and known.n >= _CANNED * known.n_calls:
            yield Idea(Cause("canned_answer"), lambda breach: 0.95 if breach.side_group == _OF_ANSWERS else 0.0)
            return


def _language(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """Texts are in another language. Longer or shorter words, and all that counts letters, follow from it."""
    for side in ("input", "output"):
        risen = [
            start
            for start in starts
            if start.side == side and start.is_of_language and start.has_risen and _shift(start) >= _MANY
        ]
        if risen:
            # A language says more than its script, even where some of its texts are too short to be sure of it.
            name = max(risen, key=lambda start: (start.feature.startswith(LANGUAGES[0]), start.now or 0)).feature
            yield Idea(Cause("language", name), partial(_part_of_language, side))


def _part_of_language(side: str, breach: Breach) -> float:
    """All that counts letters, words and tokens follows from the language."""
    follows = breach.side == "pair" and breach.feature in _OF_LANGUAGE
    return 0.9 if breach.side == side or follows else 0.0


def _line_breaks(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """The log writes inputs in another form: line breaks went or came, and the words stayed."""
    for start in starts:
        if not _is_format(start):
            continue
        few, many = sorted((1 + (start.before or 0.0), 1 + (start.now or 0.0)))
        if many >= _LINE_BREAKS_GONE * few or min(start.before or 0.0, start.now or 0.0) < 0.2 * (many - 1):
            yield Idea(Cause("log_format"), lambda breach: 0.85 if breach.side == "input" else 0.0)
            return


def _other_fields(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """Outputs have other fields, or fields of another type: the prompt or the schema is another."""
    fields = [start for start in starts if start.feature.startswith(FIELDS) and not _is_value(start.feature)]
    if any(_shift(start) >= _MOST_CALLS for start in fields):
        yield Idea(Cause("prompt_version"), lambda breach: 0.8 if breach.side_group == _OF_ANSWERS else 0.0)


def _is_value(feature: str) -> bool:
    """Whether a feature of a field is a share of one of its values."""
    return feature.startswith("field:") and not feature.endswith(":present")


def _other_script(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """More outputs are in another language, and inputs are not: that is what prompts ask for."""
    moved = {start.side for start in starts if start.is_of_language and _shift(start) >= _SOME}
    if "output" in moved and "input" not in moved and len(_measured(starts)) >= _FEW:
        yield Idea(Cause("prompt_version"), lambda breach: 0.65 if breach.side_group == _OF_ANSWERS else 0.0)


def _shift(breach: Breach) -> float:
    return abs((breach.now or 0.0) - (breach.before or 0.0))


def _topic(starts: Sequence[Breach], follow: bool) -> Iterator[Idea]:
    """People ask about other things, and answers follow. Texts as a whole tell which topics moved."""
    topics = [start for start in starts if start.kind in ("topic", "new_topic")]
    if topics or any(map(_names_topics, starts)):
        is_large = max(map(_shift, topics), default=0.0) >= _LARGE
        yield Idea(Cause("topic"), partial(_part_of_topics, follow, is_large))


def _names_topics(start: Breach) -> bool:
    return start.kind == "two_sample" and bool(start.evidence.get("more_topics") or start.evidence.get("fewer_topics"))


def _part_of_topics(follow: bool, is_large: bool, breach: Breach) -> float:
    if breach.kind in ("topic", "new_topic"):
        return 0.8
    if breach.is_of_mix or (breach.coincidence and breach.coincidence.dimension == "topic"):
        return 0.8
    if breach.coincidence:
        return 0.0
    if _names_topics(breach):
        return 0.45
    follows = follow and breach.side_group == _OF_ANSWERS and not _is_failure(breach)
    of_inputs = breach.side == "input" and (is_large or breach.kind == "two_sample") and not _is_format(breach)
    return 0.5 if follows or of_inputs else 0.0


def _model_under_name(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """Answers moved and nothing else in the log did: another model may answer under the name."""
    night = given.nights.get((starts[0].route, starts[0].day))
    answers = _measured(starts)
    if len(answers) < _FEW and PROFILE not in answers:
        return
    if night is None or not night.model or night.model_share < _MOST_CALLS:
        return

    def part(breach: Breach) -> float:
        if breach.side_group != _OF_ANSWERS or breach.feature == "calls" or breach.feature.startswith("error:"):
            return 0.0
        return 0.1 if breach.is_of_mix or breach.feature == "failed" else 0.6

    yield Idea(Cause("model_under_name", night.model), part)


def _measured(starts: Sequence[Breach]) -> set[str]:
    """The features of answers that moved, apart from what a single odd answer moves: fields count once, and languages
    and texts as a whole do not."""
    answers = (start.feature for start in starts if start.side_group == _OF_ANSWERS and not _is_failure(start))
    return {
        "field" if feature.startswith("field") and ":" in feature else feature
        for feature in answers
        if feature != "two_sample" and not feature.startswith(LANGUAGES)
    }


def _is_failure(breach: Breach) -> bool:
    return breach.feature in _OF_FAILURE or breach.feature.startswith("error:")


def _volume(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """More or fewer calls than usual."""
    if any(start.kind == "volume" for start in starts):
        yield Idea(Cause("volume"), lambda breach: 0.9 if breach.kind == "volume" else 0.0)


def _cost_or_latency(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """Calls cost more, take more tokens or more time, and the texts stayed as they were."""
    moved = {start.feature for start in starts if start.side_group == _OF_ANSWERS and start.kind != "volume"}
    if moved and moved <= {*_OF_COST, "latency_ms"}:
        kind = "cost" if moved & set(_OF_COST) else "latency"
        yield Idea(Cause(kind), lambda breach: 0.7 if breach.feature in moved else 0.0)


_ALL = (
    _outage,
    _canned,
    _language,
    _line_breaks,
    _other_fields,
    _other_script,
    _volume,
    _cost_or_latency,
)
