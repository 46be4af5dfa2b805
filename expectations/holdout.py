"""The test sets: every evaluated route has examples, and each has a usable input. One row per evaluated route."""

from datetime import date

import great_expectations as gx
import pandas as pd
import pyarrow as pa

from expectations import frames
from expectations.vocabulary import Words, none, some
from flows.config import Config

NAME = "holdout"
_NEED = "usefulness"  # without a test set nobody knows whether the models are of use

# A few failing examples are kept as evidence: enough to find them, too few to fill a page.
_SQL = """
with counted as (
    select
        route,
        example_id,
        count(*) as times,
        bool_or(
            coalesce(trim(input_text), '') = ''
            -- an image, a sound or a file is an input without a text
            and not regexp_matches(
                coalesce(messages_json, ''),
                '"(image|image_url|input_image|audio|input_audio|video_url|file|input_file|document)"'
            )
        ) as is_empty
    from examples
    where "set" = 'holdout'
    group by route, example_id
),

profiled as (
    select
        route,
        sum(times)::bigint as examples,
        count(*) filter (times > 1) as repeated,
        count(*) filter (is_empty) as empty,
        (list(example_id order by example_id) filter (times > 1))[:5] as repeated_ids,
        (list(example_id order by example_id) filter (is_empty))[:5] as empty_ids
    from counted
    group by route
)

select
    routes.route as subject,
    coalesce(examples, 0) as examples,
    coalesce(repeated, 0) as repeated,
    coalesce(empty, 0) as empty,
    coalesce(repeated_ids, []) as repeated_ids,
    coalesce(empty_ids, []) as empty_ids
from routes
left join profiled on profiled.route = routes.route
order by subject
"""


def frame(config: Config, day: date) -> pd.DataFrame:
    """Counts of each evaluated route's frozen holdout; a route without examples has a row of zeros."""
    routes = pa.table({"route": pa.array(list(config.evaluated_routes()), pa.string())})
    lake = config.open_lake()
    return frames.select(lake, frames.of_day(lake, day, "examples"), _SQL, routes=routes)


def suite(_: Config) -> gx.ExpectationSuite:
    """The expectations on each route's holdout."""
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            some(
                "examples",
                "critical",
                Words("examples_present", "at least 1 example", "{examples:,} examples", need=_NEED),
            ),
            none(
                "repeated",
                "critical",
                Words("example_ids_unique", "no duplicate example_id", "{repeated:,} duplicate ids", need=_NEED),
            ),
            none(
                "empty",
                "critical",
                Words(
                    "inputs_not_empty", "an input in every example", "{empty:,} examples without an input", need=_NEED
                ),
            ),
        ],
    )
