"""The reference of `genchi.yaml`: every key with its type, default and meaning, derived from the models here.

python -m flows.config.reference > flows/config/README.md

Belongs here: the layout of that page. What a key means is the docstring below its field; `tests/test_docs.py` compares
the page with what this module writes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.config.load import Config
from flows.config.threshold_table import table_of_risks
from flows.functions import FunctionName

_HEAD = """\
# genchi.yaml: every key

This page is generated: change a description in `flows/config/sections.py`, `flows/config/model_sections.py`,
`flows/config/engine.py`, `flows/config/load.py` or `flows/lake/store_addresses.py`, then run
`python -m flows.config.reference > flows/config/README.md`.

- Relative paths are relative to the folder of `genchi.yaml` (the workspace).
- `${NAME}` in a text is replaced by the environment variable NAME. An unset variable stops what needs it: a missing
  API key stops that model, or with the pinned model's the evaluation, and not the reading of logs. One of a source
  stops that source, and not the others.
- An unknown key is an error; the message names the nearest known key.
- A default of "required" means that the section needs the key. "-" means not set.
"""
_RISK = """
## Risk

What `risk` sets: the rows of `dbt_project/seeds/thresholds.csv`. What they mean is described beside it.

- `risk` of a route takes the place of the workspace's, in the rows of "a route".
- A name in `thresholds` takes the place of every risk's value. A key of its own (`margin` and `repeats` of a route,
  `canary.prompts`, `review.samples_per_day`, `shadow.samples_per_day`) takes the place of both.
- Where routes differ, each has the part of the canary and of the queue that it would have if all had its risk.
- The shadow costs what its calls cost, so it is on at `strict` only.

"""
_NAMES: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    Any: "any",
} | {FunctionName: "path:function"}
_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "min_length": "at least {} characters"}
_CONTAINERS: dict[Any, tuple[int, str]] = {tuple: (0, "list of {}"), dict: (1, "map of name to {}")}
_HIDDEN = {(Config, "path")}


def reference() -> str:
    """The whole page, in Markdown."""
    sections = "".join(f"\n## {_title(section)}\n{_table(section)}" for section in _sections(Config))
    return _HEAD + sections + _RISK + table_of_risks()


def _sections(section: type[BaseModel], found: list[type[BaseModel]] | None = None) -> list[type[BaseModel]]:
    """A section and those that its keys open, each once, in the order of the keys."""
    found = [] if found is None else found
    if section not in found:
        found.append(section)
        for field in section.model_fields.values():
            for part in _models_in(field.annotation):
                _sections(part, found)
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _title(section: type[BaseModel]) -> str:
    return "The top level" if section is Config else section.__name__


def _table(section: type[BaseModel]) -> str:
    rows = [
        f"| `{field.alias or name}` | {_type(field)} | {_default(field)} | {field.description or ''} |\n"
        for name, field in section.model_fields.items()
        if (section, name) not in _HIDDEN
    ]
    return "\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _type(field: FieldInfo) -> str:
    bounds = [
        words.format(getattr(part, key))
        for part in field.metadata
        for key, words in _BOUNDS.items()
        if getattr(part, key, None) is not None
    ]
    return ", ".join([_in_words(field.annotation), *bounds])


def _in_words(annotation: Any) -> str:
    """A type in words. A text among the metadata of an `Annotated` type names it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return next((part for part in parts[1:] if isinstance(part, str)), None) or _in_words(parts[0])
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (Union, UnionType):
        return " or ".join(_in_words(part) for part in parts if part is not NoneType)
    if origin in _CONTAINERS:
        place, words = _CONTAINERS[origin]
        return words.format(_in_words(parts[place]))
    return _NAMES.get(annotation) or f"[{annotation.__name__}](#{annotation.__name__.lower()})"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str | int | float | Path) and str(value) not in ("", ".") else "-"


if __name__ == "__main__":
    sys.stdout.write(reference())
