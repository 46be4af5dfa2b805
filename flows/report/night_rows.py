"""How the night itself ran, as rows of the page: each stage with the trend of the window's nights."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from flows.lake import each_day
from flows.report.charts import sparkline
from flows.report.rows import Facts, NightStage
from flows.report.wording import NOTHING, money, number

WHOLE = "the night"
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class StageRow:
    """A stage, or the whole night: seconds with a picture of the nights before, and what it wrote, cost and needed."""

    name: str
    seconds: str
    picture: Markup
    rows: str
    bytes: str
    cost: str
    memory: str
    has_failed: bool


def stage_rows(facts: Facts) -> tuple[StageRow, ...]:
    """The stages of the night in their order, then all of them together; none where they were not recorded."""
    days = list(each_day(facts.first_day, facts.day))
    by_day: dict[date, dict[str, NightStage]] = {}
    for stage in facts.stages:
        if stage.run == f"nightly-{stage.day}":
            by_day.setdefault(stage.day, {})[stage.stage] = stage
    tonight = sorted(by_day.get(facts.day, {}).values(), key=lambda stage: stage.position)
    if not tonight:
        return ()

    def trend(name: str, seconds: Callable[[dict[str, NightStage]], float | None]) -> Markup:
        values = [seconds(by_day[day]) if day in by_day else None for day in days]
        return sparkline(values, f"seconds of {name}", floor=0.0)

    rows = [_row([stage], stage.stage, trend(stage.stage, _seconds_of(stage.stage))) for stage in tonight]
    names = {stage.stage for stage in tonight}

    def whole(stages: dict[str, NightStage]) -> float:
        return sum(stage.seconds for stage in stages.values() if stage.stage in names)

    return (*rows, _row(tonight, WHOLE, trend(WHOLE, whole)))


def _seconds_of(name: str) -> Callable[[dict[str, NightStage]], float | None]:
    return lambda stages: stages[name].seconds if name in stages else None


def _row(stages: list[NightStage], name: str, picture: Markup) -> StageRow:
    costs = [stage.cost_usd for stage in stages if stage.cost_usd is not None]
    return StageRow(
        name=name,
        seconds=_duration(sum(stage.seconds for stage in stages)),
        picture=picture,
        rows=number(sum(stage.rows for stage in stages)),
        bytes=_size(sum(stage.bytes for stage in stages)),
        cost=money(sum(costs)) if costs else NOTHING,
        memory=_size(max(stage.peak_memory_bytes for stage in stages)),
        has_failed=any(stage.state != "ok" for stage in stages),
    )


def _duration(seconds: float) -> str:
    """`3.2 s`, `12 min`, `1.5 h`."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _size(count: float) -> str:
    """`12 kB`, `1.4 GB`: thousands, as disks have them."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.3g} {_UNITS[unit]}" if count < 100 else f"{count:.0f} {_UNITS[unit]}"
