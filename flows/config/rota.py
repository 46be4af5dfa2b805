"""Whose week it is. Pure: the day is an argument."""

from collections.abc import Sequence
from datetime import date, timedelta


def on_duty(rota: Sequence[str], night: date) -> str | None:
    """Who reviews the queue of a night, which is open from the next day on; None without a rota.

    Weeks begin on Monday, as in ISO 8601. They are counted through, so that the turn does not jump at a new year.
    """
    morning = night + timedelta(days=1)
    return rota[(morning.toordinal() - 1) // 7 % len(rota)] if rota else None
