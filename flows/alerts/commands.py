"""The commands that show or repeat what an item of a digest says, for a shell in the workspace."""

import shlex
from collections.abc import Sequence
from datetime import date

_OF_SUITE = {
    "stages": "genchi nightly --day {day}",
    "landed_logs": "genchi doctor --day {day}",
    "holdout": "genchi holdout",
    "review": "genchi review",
    "nights": "genchi dbt show -s fct_night_runs",
    "eval_outputs": "genchi evaluate --day {day}",  # reuses every stored answer
}
_OTHERS = "genchi nightly --day {day}"  # a suite of the workspace's own


def commands_for(
    suite: str, subject: str, day: date, routes: Sequence[str], calls: Sequence[str], *, is_incident: bool
) -> tuple[str, ...]:
    """For an incident its breaches, its first call, and how to acknowledge it; for a check what repeats it."""
    if not is_incident:
        return (_OF_SUITE.get(suite, _OTHERS).format(day=day),)
    one_route = f" --route {shlex.quote(routes[0])}" if len(routes) == 1 else ""
    show = [f"genchi show {shlex.quote(calls[0])}"] if calls else []
    return (f"genchi breaches --day {day}{one_route}", *show, f"genchi ack {shlex.quote(subject)}")
