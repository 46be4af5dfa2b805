"""`features.csv` of a workspace: features of its own, each with an SQL expression.

Belongs here: reading the file, and the one-line errors about it. Does not belong here: whether DuckDB understands an
expression (`flows/transform/feature_expressions.py`), and adding them up (dbt's macros in `own_features.sql`).
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from flows.config.problems import did_you_mean
from flows.errors import ConfigError
from flows.project import DBT_PROJECT

FEATURES_FILE = "features.csv"
_REQUIRED = ("feature", "side", "kind", "expression", "description")
_Side = Literal["input", "output", "both", "pair"]
_Kind = Literal["share", "number"]
_CHOICES = {
    "side": get_args(_Side),
    "kind": get_args(_Kind),
    "grid": ("log", "micro", "unit"),
    "severity": ("info", "warning", "critical"),
    "need": ("reliability", "harmlessness", "factual_consistency", "usefulness", "scalability", "cost"),
    "compare_expected": ("true", "false"),
}
_DEFAULTS = {"grid": "log", "severity": "warning", "need": "usefulness", "compare_expected": "false"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")

# What an expression may name: the columns of int_text_features.sql and int_pair_features.sql, with their types.
_OF_ALL = {
    "day": "date", "origin": "varchar", "route": "varchar", "model_served": "varchar", "prompt_version": "varchar",
    "release": "varchar",
}  # fmt: skip
TEXT_COLUMNS: Mapping[str, str] = _OF_ALL | {
    "side": "varchar", "text_value": "varchar", "lower_text": "varchar", "upper_text": "varchar",
    "n_characters": "bigint", "n_words": "bigint", "n_sentences": "bigint", "is_empty": "boolean",
    "is_ascii": "boolean", "json_kind": "varchar",
}  # fmt: skip
CALL_COLUMNS: Mapping[str, str] = _OF_ALL | {
    "input_text": "varchar", "output_text": "varchar", "params_json": "varchar", "is_error": "boolean",
    "finish_reason": "varchar", "latency_ms": "double", "input_tokens": "double", "output_tokens": "double",
    "cost_usd": "double", "tool_calls": "double", "tool_failed": "boolean",
}  # fmt: skip
# Columns of the tables of features that are no features, beside those above.
_TAKEN = {
    "cluster_key", "subject_id", "script", "asks_for_json", "text_hash", "topic_id", "is_of_day", "edit_likeness",
    "n_texts", "sample_place",
}  # fmt: skip


@dataclass(frozen=True)
class WorkspaceFeature:
    """One row: its line in the file, and the columns of dbt's seed `features` with the expression."""

    line: int
    feature: str
    side: str
    kind: str
    expression: str
    description: str
    grid: str
    severity: str
    need: str
    compare_expected: bool

    @property
    def is_shown_in_percent(self) -> bool:
        """Whether its values are shares, or numbers from 0 to 1."""
        return self.kind == "share" or self.grid == "unit"


def workspace_features(workspace: Path) -> tuple[WorkspaceFeature, ...]:
    """The rows of `features.csv` in the workspace's folder, in its order; none without the file.

    Raises ConfigError, with file and line, for a file that is no such table, a missing or unknown value, and a name
    that genchi or another row has.
    """
    path = workspace / FEATURES_FILE
    if not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: dict[str, WorkspaceFeature] = {}
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                feature = _feature(f"{path}:{line}", line, header, cells)
                if feature.feature in found:
                    before = found[feature.feature].line
                    raise ConfigError(f"{path}:{line}: feature `{feature.feature}`: line {before} has the same name")
                found[feature.feature] = feature
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: is not CSV: {error}") from None
    return tuple(found.values())


def _check_header(path: Path, header: list[str]) -> None:
    for name in header:
        if name not in (*_REQUIRED, *_DEFAULTS):
            raise ConfigError(f"{path}:1: unknown column `{name}`; {did_you_mean(name, (*_REQUIRED, *_DEFAULTS))}")
    if missing := [name for name in _REQUIRED if name not in header]:
        raise ConfigError(f"{path}:1: the column `{missing[0]}` is missing; it needs {', '.join(_REQUIRED)}")
    if len(set(header)) < len(header):
        raise ConfigError(f"{path}:1: a column is there twice")


def _feature(where: str, line: int, header: list[str], cells: list[str]) -> WorkspaceFeature:
    if len(cells) != len(header):
        raise ConfigError(
            f"{where}: has {len(cells)} values for {len(header)} columns; an expression with a comma needs quotes"
        )
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    if not row["feature"]:
        raise ConfigError(f"{where}: `feature` is empty; give it a name")
    where = f"{where}: feature `{row['feature']}`"
    for name in _REQUIRED:
        if not row[name]:
            raise ConfigError(f"{where}: `{name}` is empty")
    _check_name(where, row["feature"])
    if row["kind"] == "share" and row.get("grid"):
        raise ConfigError(f"{where}: a share has no `grid`; leave it empty")
    row |= {name: value for name, value in _DEFAULTS.items() if not row.get(name)}
    for name, allowed in _CHOICES.items():
        if row[name] not in allowed:
            hint = did_you_mean(row[name], allowed)
            raise ConfigError(f"{where}: unknown {name} {row[name]!r} ({', '.join(allowed)}); {hint}")
    row["grid"] = "flag" if row["kind"] == "share" else row["grid"]
    return WorkspaceFeature(line, **{**row, "compare_expected": row["compare_expected"] == "true"})  # type: ignore[arg-type]  # checked above


def _check_name(where: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name has small letters, digits and `_` only, and begins with a letter")
    if name in _own_names():
        raise ConfigError(f"{where}: genchi has a feature of this name; choose another, such as `my_{name}`")
    if name in _TAKEN | TEXT_COLUMNS.keys() | CALL_COLUMNS.keys():
        raise ConfigError(f"{where}: genchi has a column of this name; choose another, such as `my_{name}`")


@cache
def _own_names() -> frozenset[str]:
    with (DBT_PROJECT / "seeds" / "features.csv").open(encoding="utf-8", newline="") as seed:
        return frozenset(row["feature"] for row in csv.DictReader(seed))
