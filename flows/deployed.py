"""The flows that Prefect deploys. Only Prefect imports this module: elsewhere they run with or without it."""

from flows.outgoing import end_clean

end_clean()  # before dbt and DuckDB are imported

from flows import backfill as _backfill  # noqa: E402 - as above
from flows import nightly as _nightly  # noqa: E402 - as above
from flows.flight_check import flight_check  # noqa: E402 - as above
from flows.review_digest import review_digest  # noqa: E402 - as above

__all__ = ["backfill", "evaluate_day", "flight_check", "nightly", "review_digest"]

nightly = _nightly.nightly.in_prefect
evaluate_day = _nightly.evaluate_day.in_prefect
backfill = _backfill.backfill.in_prefect
