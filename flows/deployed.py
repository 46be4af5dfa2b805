"""The flows that Prefect deploys. Only Prefect imports this module: elsewhere they run with or without it."""

from flows import backfill as _backfill
from flows import nightly as _nightly

nightly = _nightly.nightly.in_prefect
evaluate_day = _nightly.evaluate_day.in_prefect
backfill = _backfill.backfill.in_prefect
