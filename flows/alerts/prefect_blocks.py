"""Messages through notification blocks of Prefect, by their names: `slack-webhook/my-block`."""

from collections.abc import Iterator
from typing import Any

from flows.alerts.http_channels import UndeliveredError
from flows.alerts.service_channels import Body, harden, quiet, reason
from flows.errors import in_one_line

_MOST = 3000  # characters, which each service that Prefect has a block for takes


def through_block(name: str, subject: str, body: Body) -> None:
    """Send a message through a notification block. Raises UndeliveredError."""
    from prefect.blocks.abstract import NotificationBlock  # noqa: PLC0415 - imported late: it takes seconds
    from prefect.blocks.core import Block  # noqa: PLC0415 - as above
    from prefect.blocks.notifications import AppriseNotificationBlock  # noqa: F401, PLC0415 - registers the blocks

    with quiet() as said:
        try:
            block = Block.load(name)
        except ValueError:  # its message has the name only
            raise UndeliveredError(
                "Prefect has no such block; list them with `prefect block ls`", is_transient=False
            ) from None
        except Exception as error:  # the server: whatever it is, the other targets are tried
            raise UndeliveredError(f"its block cannot be read: {type(error).__name__}", is_transient=False) from None
        if not isinstance(block, NotificationBlock):
            raise UndeliveredError(f"a block of type {type(block).__name__} sends no messages", is_transient=False)
        harden(getattr(block, "_apprise_client", ()))
        try:
            with block.raise_on_failure():
                block.notify(body(_MOST), subject)  # type: ignore[unused-coroutine]  # in plain code it is none
        except Exception as error:  # as above; what it says may have the address
            why = reason(said or [in_one_line(error)], " ".join(_texts_of(block)))
            raise UndeliveredError(why, is_transient=False) from None


def _texts_of(block: Any) -> Iterator[str]:
    """The texts in a block's fields, secret or not: its addresses are among them."""
    for value in dict(block).values():
        shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        if isinstance(shown, str):
            yield shown
