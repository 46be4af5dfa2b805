"""Which of dbt's events are made in a build: not those for debugging, which nobody reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_debugging() -> Iterator[None]:
    """In the block, dbt makes no messages of events below information; each costs as much as a small query.

    dbt has no setting for it: a level decides what is shown, after the message was made.
    """
    from dbt_common.events.base_types import EventLevel  # noqa: PLC0415 - imported late with dbt
    from dbt_common.events.event_manager import EventManager  # noqa: PLC0415 - as above

    whole = EventManager.fire_event

    def fire_event(manager: EventManager, e: Any, level: EventLevel | None = None, *more: Any, **named: Any) -> None:
        if (level or e.level_tag()) is not EventLevel.DEBUG or more or named.get("force_warn_or_error_handling"):
            whole(manager, e, level, *more, **named)

    EventManager.fire_event = fire_event  # type: ignore[method-assign,assignment]  # this is the place for it
    try:
        yield
    finally:
        EventManager.fire_event = whole  # type: ignore[method-assign]  # as above
