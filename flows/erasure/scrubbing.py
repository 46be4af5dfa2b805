"""One value or column of texts without what is a person's."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.erasure.person import Person

REMOVED = "[removed]"


def scrubbed(text: str, person: Person) -> str:
    """A text that mentions the person: of JSON, the items and values that do so are taken out; else all of it."""
    return _without(text, person.needles.is_in)


def _without(text: str, is_theirs: Callable[[str], bool]) -> str:
    try:
        value = json.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        value = None
    if value is None:
        return REMOVED
    left = json.dumps(_kept(value, is_theirs), ensure_ascii=False)
    return REMOVED if is_theirs(left) else left


def _kept(value: Any, is_theirs: Callable[[str], bool]) -> Any:
    """A value of JSON without what is theirs; in a list, an item that has any of it goes as a whole."""
    if isinstance(value, str):
        return REMOVED if is_theirs(value) else value
    if isinstance(value, list):
        return [item for item in value if not _has(item, is_theirs)]
    if isinstance(value, dict):
        return {key: _kept(item, is_theirs) for key, item in value.items() if not is_theirs(key)}
    return value


def _has(value: Any, is_theirs: Callable[[str], bool]) -> bool:
    if isinstance(value, str):
        return is_theirs(value)
    if isinstance(value, list):
        return any(_has(item, is_theirs) for item in value)
    return isinstance(value, dict) and any(is_theirs(key) or _has(item, is_theirs) for key, item in value.items())


def is_list_of_texts(kind: pa.DataType) -> bool:
    """Whether a column has lists of texts."""
    return bool(pa.types.is_list(kind) and pa.types.is_string(kind.value_type))


def places_in(column: pa.ChunkedArray, person: Person) -> set[int]:
    """The rows of a column of texts, of lists of texts, or of bytes, that mention the person."""
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        return {row for row, _ in person.needles.rows_of(column)}
    if is_list_of_texts(column.type):
        ids = pa.array(sorted(person.calls | person.proposals | person.users), pa.string())
        flat, parents = pc.list_flatten(column), pc.list_parent_indices(column)
        named = set(parents.filter(pc.is_in(flat, ids)).to_pylist())
        places = parents.to_pylist()
        return named | {places[row] for row, _ in person.needles.rows_of(flat)}
    return set()


def without_person(column: pa.ChunkedArray, places: set[int], person: Person) -> pa.Array:
    """The column with what is theirs taken out of the rows at `places`."""
    values = column.to_pylist()
    ids = person.calls | person.proposals | person.users
    for place in places:
        if isinstance(values[place], list):
            values[place] = [one for one in values[place] if one not in ids and not person.needles.is_in(one or "")]
        else:
            values[place] = scrubbed(values[place], person)
    return pa.array(values, column.type)
