"""The landed calls: every source has calls, and they are complete. One row per configured source."""

from datetime import date

import great_expectations as gx
import pandas as pd
import pyarrow as pa

from expectations import frames
from expectations.vocabulary import Words, at_most, none, some
from flows.config import Config
from flows.source_arrivals import arrivals

NAME = "landed_logs"

# A call is complete without a text if its answer is a tool call, a refusal, or structured and not a chat message.
_SQL = """
with answered as (
    select *, try_cast(output_json as json) as message from interactions
),

checked as (
    select
        *,
        coalesce(status, 'success') = 'error' as failed,
        nullif(trim(output_text), '') is null
        and (message is null or message = '{}' or json_exists(message, '$.role') or json_exists(message, '$.content'))
        and coalesce(json_array_length(message, '$.tool_calls'), 0) = 0
        and message ->> '$.function_call' is null
        and message ->> '$.refusal' is null as silent
    from answered
),

calls as (
    select
        source,
        count(*) as calls,
        count(*) filter (failed) as errors,
        count(*) filter (not failed) as successes,
        count(*) filter (not failed and silent) as silent,
        count(*) filter (started_at is null) as untimed,
        count(*) - count(distinct call_id) as repeated_ids,
        count(*) filter (least(input_tokens, output_tokens, cached_tokens, reasoning_tokens) < 0) as negative_tokens
    from checked
    group by source
),

rejected as (
    select source, count(*) as quarantined from quarantine group by source
),

files as (
    select
        source,
        count(*) filter (problem is null) as files,
        count(problem) as unread,
        min(file || ': ' || problem) as first_unread,
        sum(records)::bigint as records,
        sum(feedback)::bigint as signals,
        sum(incomplete)::bigint as incomplete
    from manifest group by source
)

select
    sources.source as subject,
    case when sources.usual <> '' then '; it is usually complete by ' || sources.usual else '' end as usually,
    (sources.is_late and coalesce(calls, 0) + coalesce(signals, 0) > 0)::integer as late,
    coalesce(files, 0) as files,
    coalesce(unread, 0) as unread,
    coalesce(first_unread, '') as first_unread,
    coalesce(records, 0) as records,
    coalesce(calls, 0) as calls,
    coalesce(calls, 0) + coalesce(signals, 0) as arrived,
    coalesce(quarantined, 0) as quarantined,
    coalesce(quarantined, 0) / nullif(greatest(records, quarantined), 0) as quarantined_share,
    coalesce(incomplete, 0) as incomplete,
    coalesce(incomplete, 0) / nullif(records, 0) as incomplete_share,
    coalesce(errors, 0) as errors,
    errors / calls as error_share,
    coalesce(silent, 0) as silent,
    coalesce(successes, 0) as successes,
    silent / nullif(successes, 0) as silent_share,
    coalesce(untimed, 0) as untimed,
    coalesce(repeated_ids, 0) as repeated_ids,
    coalesce(negative_tokens, 0) as negative_tokens
from sources
left join calls on calls.source = sources.source
left join rejected on rejected.source = sources.source
left join files on files.source = sources.source
order by subject
"""


def frame(config: Config, day: date) -> pd.DataFrame:
    """Counts and shares of each configured source on `day`; a source without calls has a row of zeros."""
    lake = config.open_lake()
    files = frames.of_day(lake, day, "interactions", "quarantine", "manifest")
    of_source = list(arrivals(config, lake, day).values())
    sources = pa.table(
        {
            "source": pa.array([one.source for one in of_source], pa.string()),
            "usual": pa.array([one.usual for one in of_source], pa.string()),
            "is_late": pa.array([one.is_late for one in of_source], pa.bool_()),
        }
    )
    return frames.select(lake, files, _SQL, sources=sources)


def suite(config: Config) -> gx.ExpectationSuite:
    """The expectations on each source."""
    limits = config.limits
    refused = "{quarantined:,} of {records:,} records quarantined ({quarantined_share:.1%})"
    return gx.ExpectationSuite(
        name=NAME,
        expectations=[
            some(
                "arrived",
                "critical",
                Words(
                    "calls_landed",
                    "at least 1 call or feedback signal",
                    "{calls:,} calls in {files:,} files{usually}",
                ),
            ),
            none(
                "late",
                "warning",
                Words(
                    "logs_complete",
                    "at least half of the fewest records of the nights before",
                    "{records:,} records{usually}",
                ),
            ),
            none(
                "unread",
                "warning",
                Words(
                    "all_files_readable",
                    "every file and folder can be read",
                    "{unread:,} files or folders could not be read; the first is {first_unread}",
                ),
            ),
            at_most(
                "quarantined_share",
                limits["max_quarantined_share"],
                "critical",
                Words("records_readable", "at most {limit} of the records in quarantine", refused),
            ),
            at_most(
                "quarantined_share",
                limits["warn_quarantined_share"],
                "warning",
                Words("nearly_all_records_readable", "at most {limit} of the records in quarantine", refused),
            ),
            at_most(
                "incomplete_share",
                limits["warn_quarantined_share"],
                "warning",
                Words(
                    "values_readable",
                    "at most {limit} of the records with a value that cannot be read",
                    "{incomplete:,} of {records:,} records with a value that cannot be read ({incomplete_share:.1%})",
                ),
            ),
            at_most(
                "silent_share",
                limits["max_silent_share"],
                "warning",
                Words(
                    "answers_have_text",
                    "at most {limit} of the successful calls without an answer",
                    "{silent:,.0f} of {successes:,.0f} successful calls without an answer ({silent_share:.1%})",
                ),
            ),
            at_most(
                "error_share",
                limits["max_error_share"],
                "warning",
                Words(
                    "calls_succeed",
                    "at most {limit} of the calls failed",
                    "{errors:,.0f} of {calls:,} calls failed ({error_share:.1%})",
                ),
            ),
            none(
                "untimed",
                "critical",
                Words("times_present", "started_at on every call", "{untimed:,} calls without started_at"),
            ),
            none(
                "repeated_ids",
                "critical",
                Words("call_ids_unique", "no duplicate call_id", "{repeated_ids:,} calls with a duplicate call_id"),
            ),
            none(
                "negative_tokens",
                "warning",
                Words(
                    "tokens_not_negative",
                    "no negative token count",
                    "{negative_tokens:,} calls with one",
                ),
            ),
        ],
    )
