"""A database that is out of reach may be back in a minute; one that refuses will refuse again."""

from datetime import date

import pytest

from flows.errors import RunError, TransientError
from flows.ingest.find.postgres import count_rows

DAY = date(2026, 3, 2)


def test_a_database_that_is_out_of_reach_may_be_asked_again() -> None:
    with pytest.raises(TransientError, match="refused"):
        count_rows("postgresql://me:hidden@127.0.0.1:9/logs", None, DAY)


def test_a_dsn_that_is_wrong_is_not_tried_again() -> None:
    with pytest.raises(RunError) as raised:
        count_rows("no connection string", None, DAY)
    assert not isinstance(raised.value, TransientError)
