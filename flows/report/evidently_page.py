"""Evidently's drift report of the busiest route: the day against the trailing window. It draws; it never decides.

It shows the distributions of the features of texts, as dbt has measured them. The tests and scores on it are
Evidently's own defaults, and nothing of genchi's verdict is taken from it.
"""

import logging
import os
import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.config import Config
from flows.errors import RunError, in_one_line
from flows.lake import replace_text
from flows.marts import Marts, open_marts
from flows.stats.sample import rank_in_sql

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

# Calls a side, as many as fct_text_samples has of a day: Evidently draws that in seconds, and more would not look
# different.
SAMPLE = 2000

# The scripts of the page are inline, and plotly compiles some of them; nothing may be fetched.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; worker-src blob:"
)

NOTE = (
    '<p style="margin: 1rem 1.5rem; font: 15px/1.5 sans-serif">Drawn by Evidently, with its own tests and thresholds. '
    'What genchi says of the night is on <a href="index.html" style="color: inherit">its page</a>.</p>'
)

_TABLE = "fct_text_samples"
_KEYS = {"day", "route", "side", "subject_id", "n_texts", "sample_place"}  # the other columns are features
_BUSIEST = """
    select route
    from marts.fct_text_samples
    where day = ?
    group by route order by max(n_texts) desc, route limit 1
"""
# Drawn by the rank of their ids: the same calls each time, and spread over the days.
_SAMPLED = f"""
    with calls as (
        select distinct day, subject_id
        from marts.fct_text_samples
        where route = ? and day between ? and ?
        order by {rank_in_sql("subject_id")}, subject_id, day
        limit {SAMPLE}
    )
    select features.*
    from marts.fct_text_samples as features
    inner join calls on features.day = calls.day and features.subject_id = calls.subject_id
    where features.route = ?
    order by features.day, features.subject_id, features.side
"""


@dataclass(frozen=True)
class Drawing:
    """Whether the page was written, and why not."""

    is_written: bool
    reason: str = ""


def write(config: Config, day: date, place: Path) -> Drawing:
    """Draw the day of the busiest route against its trailing window into `place`.

    Where the day or the window has no calls there is nothing to draw, and an older page is taken away.
    What cannot be read or written costs the picture, not the page that links it.
    """
    try:
        return _write(config, day, place)
    except (RunError, OSError) as error:
        return Drawing(False, in_one_line(error))


def _write(config: Config, day: date, place: Path) -> Drawing:
    marts = open_marts(config)
    features = set(marts.columns().get(_TABLE, ())) - _KEYS
    if not features:
        return _none(place, "no features in the warehouse")
    busiest = marts.query(_BUSIEST, (day,))
    if not busiest:
        return _none(place, "no calls on this day")
    route = str(busiest[0]["route"])
    current = _sample(marts, route, day, day)
    reference = _sample(marts, route, day - timedelta(days=config.window_days), day - timedelta(days=1))
    if not reference:
        return _none(place, "no calls in the days before this one")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Evidently's imports warn of what it still uses of numpy and litestar
            html = _draw(_frame(reference, features), _frame(current, features))
    except Exception as error:  # Evidently has no errors of its own, and a picture must not cost the page its verdict
        logger.warning("report: Evidently could not draw %s: %s", day, error)
        return _none(place, f"Evidently could not draw it ({type(error).__name__})")
    replace_text(place, html)
    return Drawing(True)


def _none(place: Path, reason: str) -> Drawing:
    place.unlink(missing_ok=True)
    return Drawing(False, reason)


def _sample(marts: Marts, route: str, first: date, last: date) -> list[dict[str, Any]]:
    return marts.query(_SAMPLED, (route, first, last, route))


def _frame(rows: list[dict[str, Any]], features: set[str]) -> "pd.DataFrame":
    """One row a call, one column a side and feature; flags as yes and no, so that Evidently counts them."""
    import pandas as pd  # noqa: PLC0415 - imported late: costs 1 s

    calls: dict[tuple[date, str], dict[str, object]] = {}
    for row in rows:
        values = {f"{row['side']}: {name}": _told(value) for name, value in row.items() if name in features}
        calls.setdefault((row["day"], row["subject_id"]), {}).update(values)
    return pd.DataFrame(list(calls.values()))


def _told(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else float(str(value))


def _draw(reference: "pd.DataFrame", current: "pd.DataFrame") -> str:
    """Evidently's page as text, with a policy that forbids it to fetch anything."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - imported late: costs 8 s
    from evidently.presets import DataDriftPreset  # noqa: PLC0415 - imported late: costs 8 s

    shown = [name for name in current if name in reference and _moves(reference[name], current[name])]
    flags = [name for name in shown if current[name].dropna().isin(["yes", "no"]).all()]
    definition = DataDefinition(
        categorical_columns=flags, numerical_columns=[name for name in shown if name not in flags]
    )
    now, before = (Dataset.from_pandas(frame[shown], data_definition=definition) for frame in (current, reference))
    snapshot = Report([DataDriftPreset(columns=shown)], include_tests=False).run(now, before)
    html: str = snapshot.get_html_str(as_iframe=False)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    html = html.replace("<head>", f"<head>\n{policy}\n<title>Evidently: drift</title>", 1)
    return html.replace("<body>", f"<body>\n{NOTE}", 1).lstrip()


def _moves(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> bool:
    """Whether there is anything to draw: values on both sides, and more than one of them."""
    both = {*reference.dropna().unique(), *current.dropna().unique()}
    return bool(reference.notna().any() and current.notna().any() and len(both) > 1)
