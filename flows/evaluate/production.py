"""The production answers of a day against their routes' schemas. No model is asked."""

import logging
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Config
from flows.evaluate.schemas import Schema, load_schema
from flows.evaluate.scorers import Score, score_schema, unscored
from flows.lake import SCHEMAS, Lake, conform, each_day

log = logging.getLogger(__name__)

CRITERION = "output_schema"
_COLUMNS = ("call_id", "route", "model_served", "output_text", "status", "is_shadow")


@dataclass(frozen=True)
class Checked:
    """How many production answers were checked, and how many of them failed or could not be scored."""

    answers: int = 0
    failed: int = 0
    unscored: int = 0

    def summary(self) -> str:
        """One line for people."""
        return f"{self.answers:,} answers checked against their schema, {self.failed:,} failed"


def score_days(config: Config, first: date, last: date) -> Checked:
    """Score every day from `first` to `last`, both included, and add up what was found. As `score_production`."""
    found = [score_production(config, day) for day in each_day(first, last)]
    return Checked(*(sum(counts) for counts in zip(*map(astuple, found), strict=True)))


def score_production(config: Config, day: date) -> Checked:
    """Score the answers of `day` on every route that has an `output_schema`.

    They land in `scores` as the file `production-<day>`, one row an interaction that succeeded and is no shadow.
    An answer without text (not logged) is unscored. Raises ConfigError for a schema that cannot be read.
    """
    lake, file = Lake.of(config), f"production-{day}"
    schemas = {name: load_schema(route.output_schema) for name, route in config.routes.items() if route.output_schema}
    if not schemas:
        lake.remove("scores", day, file)
        return Checked()
    answers = _answers(lake, day)
    parts = [
        _score_route(answers.filter(pc.equal(answers["route"], name)), name, schema) for name, schema in schemas.items()
    ]
    rows = pa.concat_tables(parts)
    lake.write("scores", day, rows, file)
    checked = Checked(len(rows), pc.sum(pc.invert(rows["passed"])).as_py() or 0, rows["passed"].null_count)
    log.info("%s: %s", day, checked.summary())
    return checked


def _answers(lake: Lake, day: date) -> pa.Table:
    """The answers of a day that count, and only the columns that are needed."""
    answers = lake.read("interactions", day, columns=_COLUMNS)
    is_shadow = pc.fill_null(answers["is_shadow"], False)
    return answers.filter(pc.and_(pc.equal(answers["status"], "success"), pc.invert(is_shadow)))


def _score_route(answers: pa.Table, route: str, schema: Schema) -> pa.Table:
    """Each distinct text is checked once."""
    encoded = pc.dictionary_encode(answers["output_text"]).combine_chunks()
    texts: Sequence[str] = encoded.dictionary.to_pylist()
    found = [score_schema(schema, text) for text in texts]
    found.append(unscored("the answer has no text"))
    places = pc.fill_null(encoded.indices, len(texts))
    n = len(answers)
    return conform(
        pa.table(
            {
                "subject": pa.repeat("interaction", n),
                "subject_id": answers["call_id"],
                "criterion": pa.repeat(CRITERION, n),
                "model": answers["model_served"],
                "route": pa.repeat(route, n),
                "criterion_version": pa.repeat(schema.version, n),
                **{name: _values(found, name).take(places) for name in ("score", "passed", "reason")},
            }
        ),
        "scores",
    )


def _values(found: list[Score], name: str) -> pa.Array:
    return pa.array([getattr(one, name) for one in found], SCHEMAS["scores"].field(name).type)
