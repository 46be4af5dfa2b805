"""A suite of one's own: every route is used, and few of its calls are slow."""

import great_expectations.expectations as gxe


def frame(night):
    """One row per subject. A null is no evidence, and is not checked."""
    return night.lake(
        "select route as subject, count(*) as calls, avg((latency_ms > 2000)::int) as slow_share"
        " from interactions group by route order by route",
        "interactions",
    )


def suite(night):
    """The expectations, each with its severity. `meta` is optional: a name, and what is told of a row."""
    return [
        gxe.ExpectColumnValuesToBeBetween(column="calls", min_value=2, severity="critical"),
        gxe.ExpectColumnValuesToBeBetween(
            column="slow_share",
            max_value=0.1,
            severity="warning",
            description="at most 10 % of the calls take more than 2 s",
            meta={"name": "calls_are_fast", "observed": "{slow_share:.0%} of {calls:,} calls took more than 2 s"},
        ),
        gxe.ExpectTableRowCountToBeBetween(min_value=1, severity="warning"),
    ]
