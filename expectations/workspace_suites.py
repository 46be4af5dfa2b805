"""The suites of a workspace: a Python file each in its folder `expectations`, found by path.

A file has `frame(night)`, a pandas table with one row per `subject`, and `suite(night)`, a list of expectations of
Great Expectations (or an ExpectationSuite), each with its `severity`. It may have `actions(night)`, a list of further
`ValidationAction`s. Of an expectation's `meta` the keys of `vocabulary.Words` are read: its name, its need, and what is
said.
"""

import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.checkpoint.actions import ValidationAction
from great_expectations.expectations.expectation import Expectation

from expectations import frames
from flows.config import Config
from flows.errors import RunError, in_one_line
from flows.incidents import NEEDS
from flows.marts import open_marts

FOLDER = "expectations"
_NAME = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True)
class Night:
    """The night that a suite checks: what its functions are given."""

    config: Config
    day: date

    @property
    def limits(self) -> dict[str, float]:
        """Every threshold of the workspace, by its name."""
        return self.config.limits

    def marts(self, sql: str, *parameters: object) -> pd.DataFrame:
        """The rows of a SELECT on the marts, such as `select ... from marts.my_mart where day = ?`."""
        return pd.DataFrame(open_marts(self.config).query(sql, parameters))

    def lake(self, sql: str, *tables: str) -> pd.DataFrame:
        """The rows of a SELECT on this day's rows of these tables of the lake, such as `interactions`."""
        lake = self.config.open_lake()
        return frames.select(lake, frames.of_day(lake, self.day, *tables), sql)


class WorkspaceSuite:
    """One file. Every failure of it is a RunError that names the file, the function and the exception."""

    def __init__(self, file: Path, reserved: Iterable[str]) -> None:
        self.file, self.NAME = file, file.stem
        self._reserved = frozenset(reserved)
        self._module: ModuleType | None = None

    def frame(self, config: Config, day: date) -> pd.DataFrame:
        """The table that the file's `frame` gives, which must have a column `subject`."""
        found = self._call("frame", Night(config, day))
        if not isinstance(found, pd.DataFrame) or "subject" not in found.columns:
            raise RunError(f"{self.file}: `frame` must return a pandas table with a column `subject`")
        if twice := found["subject"][found["subject"].duplicated()].tolist():
            raise RunError(f"{self.file}: `frame` has two rows of the subject {twice[0]!r}; give each subject one row")
        return found.assign(subject=found["subject"].astype(str))

    def suite(self, config: Config, day: date) -> gx.ExpectationSuite:
        """The expectations that the file's `suite` gives, under the name of the file."""
        found = self._call("suite", Night(config, day))
        wanted = found.expectations if isinstance(found, gx.ExpectationSuite) else found
        try:
            return gx.ExpectationSuite(name=self.NAME, expectations=_named(wanted))
        except Exception as error:
            raise RunError(f"{self.file}: `suite`: {in_one_line(error)}") from None

    def actions(self, config: Config, day: date) -> list[ValidationAction]:
        """The actions that the file adds; none where it has no `actions`."""
        if not hasattr(self._loaded(), "actions"):
            return []
        found = self._call("actions", Night(config, day))
        if not isinstance(found, list | tuple) or not all(isinstance(one, ValidationAction) for one in found):
            raise RunError(f"{self.file}: `actions` must return a list of ValidationAction")
        return list(found)

    def check(self) -> None:
        """Raise RunError if the file cannot be loaded, or lacks a function. Nothing is checked."""
        module = self._loaded()
        for name in ("frame", "suite"):
            if not callable(getattr(module, name, None)):
                raise RunError(f"{self.file}: has no function `{name}(night)`; write it")

    def _call(self, name: str, night: Night) -> Any:
        self.check()
        try:
            return getattr(self._module, name)(night)
        except Exception as error:
            raise RunError(f"{self.file}: `{name}`: {in_one_line(error)}") from None

    def _loaded(self) -> ModuleType:
        if self.NAME in self._reserved:
            raise RunError(f"{self.file}: `{self.NAME}` is a name of genchi's own suites; rename the file")
        if not _NAME.fullmatch(self.NAME):
            raise RunError(f"{self.file}: a suite's name is a letter, then letters, digits and `_`; rename the file")
        if self._module is None:
            self._module = _load(self.file)
        return self._module


def suites_of(workspace: Path, reserved: Iterable[str]) -> Iterator[WorkspaceSuite]:
    """The suites of a workspace by name. Files whose names begin with `_` are what the others import."""
    for file in sorted((workspace / FOLDER).glob("*.py")):
        if not file.name.startswith("_"):
            yield WorkspaceSuite(file, reserved)


def _named(wanted: Iterable[Expectation]) -> list[Expectation]:
    """The expectations, each with a unique name in its `meta`, which tells their results apart."""
    found: dict[str, Expectation] = {}
    for one in wanted:
        meta = dict(one.meta or {})
        usual = "_".join(filter(None, [one.expectation_type, getattr(one, "column", None)]))
        name = str(meta.get("name") or usual)
        while name in found:
            name = f"{name}_again"
        if meta.setdefault("need", NEEDS[0]) not in NEEDS:
            raise ValueError(f"{name}: unknown need {meta['need']!r} in `meta` ({', '.join(NEEDS)})")
        one.meta = {**meta, "name": name}
        found[name] = one
    return list(found.values())


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_genchi_suite_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise RunError(f"{file}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise RunError(f"{file}: fails to load: {in_one_line(error)}") from None
    finally:
        sys.path.remove(str(file.parent))
    return module
