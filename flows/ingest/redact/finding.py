"""The finds in one text, in each of its readings, and their replacement in one pass."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from flows.ingest.redact.finders import (
    ADDRESSES,
    FINDERS,
    NUMBERS,
    folded,
    is_find_across,
    other_readings,
    places_of_numbers,
)


def replaced(text: str, kinds: Sequence[str], name: str = "") -> tuple[str, list[str]]:
    """`text` without its finds of these kinds, in their order, and the kind of each. `name` is the key that it has."""
    found: list[str] = []
    for kind in kinds:
        spans = _apart(_all_spans(text, kind, name))
        if spans:
            kept, copied = [], 0
            for begin, end in spans:
                kept += [text[copied:begin], f"[{kind}]"]
                copied = end
            text = "".join([*kept, text[copied:]])
            found += [kind] * len(spans)
    return text, found


def _all_spans(text: str, kind: str, name: str) -> list[tuple[int, int]]:
    """The finds in every reading of a text. What only a joined line makes a find does not touch another find."""
    if kind not in (*ADDRESSES, *NUMBERS):
        return list(_spans(text, kind, name))
    plain = folded(text)
    spans = list(_spans(plain, kind, name))
    for reading in other_readings(plain, of_addresses=kind in ADDRESSES):
        found = list(_spans(reading.text, kind, name))
        if reading.is_joined:
            across = [span for span in found if reading.crosses(*span)]
            more = [span for span in across if is_find_across(kind, reading.text[slice(*span)], reading.written(*span))]
            spans = _beside([reading.span(*span) for span in more], spans)
        else:
            spans += [reading.span(*span) for span in found]
    return spans


def _beside(more: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """All spans, but of `more` only those that touch none of the others."""
    taken = _apart(spans)
    begins = [begin for begin, _ in taken]
    kept = []
    for begin, end in more:
        at = bisect_left(begins, end)
        if at == 0 or taken[at - 1][1] <= begin:
            kept.append((begin, end))
    return [*taken, *kept]


def _spans(text: str, kind: str, name: str) -> Iterator[tuple[int, int]]:
    before = f'{name[-64:]}": "' if name else ""
    for first, last in places_of_numbers(text) if kind in ("phone", "card") else [(0, len(text))]:
        for finder in FINDERS[kind]:
            if before and first == 0 and finder.needs_a_name:
                for begin, end in finder.spans(before + text, first, last + len(before)):
                    if end > len(before):
                        yield max(0, begin - len(before)), end - len(before)
            else:
                yield from finder.spans(text, first, last)


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order; overlapping ones are merged."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined
