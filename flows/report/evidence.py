"""The texts behind the findings: example calls of the night, and for a finding a typical call from before it began.

The texts are the lake's, redacted when they were ingested. A typical call is the one of `fct_text_samples` whose value
is nearest to the finding's reference. At most `FINDINGS` findings get texts, whatever the size of the day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, timedelta

from flows.config import Config
from flows.lake import Lake, rows_with
from flows.report.night_verdict import findings
from flows.report.rows import Breach, CallText
from flows.warehouse import query

EXAMPLES = 3  # calls of a finding
FINDINGS = 24

_COLUMNS = """
    select column_name as name
    from information_schema.columns
    where table_schema = 'marts' and table_name = 'fct_text_samples'
"""
_NEAREST = """
    (
        select cast(? as varchar) as breach, subject_id, day
        from marts.fct_text_samples
        where route = ? and side = ? and day between ? and ? and {feature} is not null
        order by abs(cast({feature} as double) - ?), day desc, sample_place
        limit 1
    )
"""


def read_texts(
    config: Config, lake: Lake, day: date, breaches: Sequence[Breach]
) -> tuple[dict[str, CallText], dict[str, CallText]]:
    """The example calls of the worst findings by their call_id, and typical calls by the breach's `name`.

    Both are empty where `evidence` is `ids`. Retention may have removed a text; such a call is left out.
    """
    if config.evidence == "ids":
        return {}, {}
    shown = [breach for found in findings(breaches)[:FINDINGS] for breach in found]
    examples = {call: day for breach in shown for call in breach.calls[:EXAMPLES]}
    typical = _typical(config, day, shown)
    texts = _texts(lake, [*examples.items(), *typical.values()])
    return (
        {call: texts[call, day] for call in examples if (call, day) in texts},
        {name: texts[place] for name, place in typical.items() if place in texts},
    )


def _typical(config: Config, day: date, breaches: Sequence[Breach]) -> dict[str, tuple[str, date]]:
    """The call_id and the day of a typical call, by the name of the breach; only of features of texts."""
    known = {row["name"] for row in query(config.warehouse, _COLUMNS)} if config.warehouse.exists() else set()
    parts: list[str] = []
    values: list[object] = []
    for breach in breaches:
        about = breach.evidence
        feature, usual = about.get("feature"), about.get("value_reference")
        if feature not in known or usual is None or about.get("reference") != "trailing":
            continue
        days = (day - timedelta(days=config.window_days), breach.first_seen - timedelta(days=1))
        parts.append(_NEAREST.format(feature=f'"{feature}"'))  # it is the name of a column, so it may be in the SQL
        values += [breach.name, about.get("route"), about.get("side"), *days, usual]
    rows = query(config.warehouse, " union all ".join(parts), values) if parts else []
    return {row["breach"]: (row["subject_id"], row["day"]) for row in rows}


def _texts(lake: Lake, calls: Sequence[tuple[str, date]]) -> Mapping[tuple[str, date], CallText]:
    """The texts of calls, each given by its id and day; a call that is not there is left out."""
    columns = [field.name for field in fields(CallText) if field.name != "day"]
    by_day: dict[date, set[str]] = defaultdict(set)
    for call_id, day in calls:
        by_day[day].add(call_id)
    found: dict[tuple[str, date], CallText] = {}
    for day, ids in by_day.items():
        for row in rows_with(lake, "interactions", day, key="call_id", values=ids, columns=columns).to_pylist():
            found[row["call_id"], day] = CallText(day=day, **row)
    return found
