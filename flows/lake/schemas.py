"""The lake's tables: their columns in order, with the types of the contract."""

from collections.abc import Iterable

import pyarrow as pa

from flows.lake.review_schemas import REVIEW_SCHEMAS
from flows.lake.storable_values import storable_row

UNWRAPPED = ":unwrapped"
"""Suffix of the name of a criterion on answers without their wrapping: code fences, and text around them."""

_TIME = pa.timestamp("us", tz="UTC")
_TEXT, _COUNT, _RATE, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _schema(texts: str = "", **columns: pa.DataType) -> pa.Schema:
    return pa.schema([(name, _TEXT) for name in texts.split()] + list(columns.items()))


def _ordered(schema: pa.Schema, order: str) -> pa.Schema:
    return pa.schema([schema.field(name) for name in order.split()])


SCHEMAS: dict[str, pa.Schema] = {
    "interactions": _ordered(
        _schema(
            "call_id trace_id session_id user_key source route environment release prompt_name prompt_version provider"
            " model_requested model_served system_fingerprint params_json messages_json input_text output_text"
            " output_json finish_reason cost_source status error_type error_message tags",
            started_at=_TIME,
            latency_ms=_RATE,
            ttft_ms=_RATE,
            input_tokens=_COUNT,
            output_tokens=_COUNT,
            cached_tokens=_COUNT,
            reasoning_tokens=_COUNT,
            cost_usd=_RATE,
            cache_hit=_FLAG,
            is_shadow=_FLAG,
            is_cut=_FLAG,
        ),
        "call_id trace_id session_id user_key source route environment release prompt_name prompt_version provider"
        " model_requested model_served system_fingerprint params_json messages_json input_text output_text output_json"
        " finish_reason started_at latency_ms ttft_ms input_tokens output_tokens cached_tokens reasoning_tokens"
        " cost_usd cost_source status error_type error_message cache_hit is_shadow tags is_cut",
    ),
    "feedback": _schema("call_id kind", at=_TIME)
    .append(pa.field("value", _TEXT))
    .append(pa.field("comment", _TEXT))
    .append(pa.field("edited_output", _TEXT))
    .append(pa.field("origin", _TEXT)),
    # One record of a call that may have been logged more than once, and what tells that two are of one call: `one_call`
    # is an id that they share, `logged_as` the type under which a gateway logged it, `parent_id` the span around it.
    "call_records": _ordered(
        _schema("call_id one_call logged_as parent_id source file", started_at=_TIME, latency_ms=_RATE, has_text=_FLAG),
        "call_id one_call logged_as parent_id started_at latency_ms has_text source file",
    ),
    "quarantine": _ordered(_schema("source file reason raw", line=_COUNT), "source file line reason raw"),
    # `content_*` are of the decompressed content, `head_sha256` of its first 64 KiB, `problem` says why a file or
    # folder could not be read (to its end), `incomplete` counts landed records with a null for a value that cannot be
    # read, `modified_at` is when the file last changed; these are null in rows of older versions.
    "manifest": _ordered(
        _schema(
            "source file sha256 content_sha256 head_sha256 problem",
            bytes=_COUNT,
            content_bytes=_COUNT,
            records=_COUNT,
            interactions=_COUNT,
            feedback=_COUNT,
            duplicates=_COUNT,
            other=_COUNT,
            quarantined=_COUNT,
            incomplete=_COUNT,
            **dict.fromkeys(("read_at", "modified_at"), _TIME),
        ),
        "source file sha256 bytes records interactions feedback duplicates other quarantined read_at content_sha256"
        " content_bytes head_sha256 problem incomplete modified_at",
    ),
    # The dev set and the holdouts as they were that night; `set` is dev or holdout.
    "examples": _schema("set route example_id version messages_json input_text expected_json expected_text tags"),
    # `reused_from` is the run that sent the request, if it was a different one. `error_class` and `error_message` say
    # why there is no answer; see flows/llm/failures.py. `native_finish_reason` is the provider's own word.
    "completions": _ordered(
        _schema(
            "run_id model route example_id arm holdout_version prompt_version request_hash output_text output_json"
            " response_id model_served system_fingerprint finish_reason status error_type reused_from"
            " native_finish_reason error_class error_message",
            repeat=_COUNT,
            latency_ms=_RATE,
            input_tokens=_COUNT,
            output_tokens=_COUNT,
            cost_usd=_RATE,
        ),
        "run_id model route example_id repeat arm holdout_version prompt_version request_hash output_text output_json"
        " response_id model_served system_fingerprint finish_reason latency_ms input_tokens output_tokens cost_usd"
        " status error_type reused_from native_finish_reason error_class error_message",
    ),
    # `inclusion_probability` is the probability of being scored: 1, except for a sample that was sent to a judge.
    "scores": _ordered(
        _schema(
            "subject subject_id criterion run_id model example_id route criterion_version reason",
            repeat=_COUNT,
            score=_RATE,
            passed=_FLAG,
            inclusion_probability=_RATE,
        ),
        "subject subject_id criterion run_id model example_id repeat route criterion_version score passed reason"
        " inclusion_probability",
    ),
    # One request to a judge and its raw reply; `verdict` and `reason` are parsed from it, null if there is
    # no verdict. `order` is single, pinned_first or candidate_first.
    "judgements": _ordered(
        _schema(
            "run_id judge criterion criterion_version route order request_hash output_text verdict reason response_id"
            " model_served system_fingerprint finish_reason status error_type error_class error_message",
            latency_ms=_RATE,
            input_tokens=_COUNT,
            output_tokens=_COUNT,
            cost_usd=_RATE,
        ),
        "run_id request_hash judge criterion criterion_version route order output_text verdict reason response_id"
        " model_served system_fingerprint finish_reason latency_ms input_tokens output_tokens cost_usd status"
        " error_type error_class error_message",
    ),
    # The model variants of a run on a route, and how often their answers pass all decisive criteria. `base` is the
    # model's name, `ends_on` the day on which its provider ends it, if litellm knows it. `mean_score` is the mean of
    # the answers' lowest scores by these criteria: the pass rate where none of them gives fractions.
    "model_variants": _ordered(
        _schema(
            "run_id route model arm base prompt_version",
            shots=_COUNT,
            ends_on=pa.date32(),
            n_examples=_COUNT,
            n_repeats=_COUNT,
            n_unscored=_COUNT,
            pass_rate=_RATE,
            ci_low=_RATE,
            ci_high=_RATE,
            n_unanswered=_COUNT,
            mean_score=_RATE,
        ),
        "run_id route model arm base prompt_version shots ends_on n_examples n_repeats n_unscored pass_rate ci_low"
        " ci_high n_unanswered mean_score",
    ),
    # The calls of a day that were sent to the candidates too; `n_eligible` is the number they were drawn from.
    "shadow_samples": _ordered(
        _schema("run_id route call_id", n_eligible=_COUNT, inclusion_probability=_RATE),
        "run_id route call_id n_eligible inclusion_probability",
    ),
    # The statistics of the scores. `slice` is `*` for all examples, or `tag=value` or `topic=label`. `mean_score` is
    # null where scores are only 0 or 1.
    "estimates": _ordered(
        _schema(
            "run_id model arm route criterion slice severity need",
            n_examples=_COUNT,
            n_repeats=_COUNT,
            n_unscored=_COUNT,
            pass_rate=_RATE,
            ci_low=_RATE,
            ci_high=_RATE,
            min_pass_rate=_RATE,
            n_flaky=_COUNT,
            pass_hat_k=_RATE,
            pass_at_k=_RATE,
            spread=_RATE,
            mean_score=_RATE,
        ),
        "run_id model arm route criterion slice severity min_pass_rate n_examples n_repeats n_unscored pass_rate"
        " ci_low ci_high n_flaky pass_hat_k pass_at_k spread mean_score need",
    ),
    # `is_graded`: scores between 0 and 1, whose means are compared. `n_unanswered` examples of the pinned model have an
    # unscored answer of the candidate; the ends of the interval are given for the case that all of these were wrong
    # (`ci_low_worst`) or right (`ci_high_worst`).
    "comparisons": _ordered(
        _schema(
            "run_id pinned candidate route criterion slice severity",
            n_examples=_COUNT,
            n_repeats=_COUNT,
            n_unscored=_COUNT,
            delta=_RATE,
            ci_low=_RATE,
            ci_high=_RATE,
            p_value=_RATE,
            q_value=_RATE,
            margin=_RATE,
            standard_error=_RATE,
            repeat_share=_RATE,
            minimum_detectable=_RATE,
            n_regressed=_COUNT,
            n_repaired=_COUNT,
            is_graded=_FLAG,
            n_unanswered=_COUNT,
            ci_low_worst=_RATE,
            ci_high_worst=_RATE,
        ),
        "run_id pinned candidate route criterion slice severity margin n_examples n_repeats n_unscored delta ci_low"
        " ci_high p_value q_value standard_error repeat_share minimum_detectable n_regressed n_repaired is_graded"
        " n_unanswered ci_low_worst ci_high_worst",
    ),
    # One night's canary of a pinned model: its answers to a few prompts compared with its past answers. `p_value` is
    # null if there are no past answers yet.
    "canaries": _ordered(
        _schema("run_id model", n_prompts=_COUNT, n_answers=_COUNT, statistic=_RATE, p_value=_RATE)
        .append(pa.field("served_names", pa.list_(_TEXT)))
        .append(pa.field("fingerprints", pa.list_(_TEXT))),
        "run_id model served_names fingerprints n_prompts n_answers statistic p_value",
    ),
    # One embedded text: `origin` is production, dev or holdout; `text_hash` finds a text that was embedded before;
    # `cluster` is its author, by user, session, trace or call, if the logs have one.
    "embeddings": _schema("call_id side origin route model text_hash cluster").append(
        pa.field("vector", pa.list_(pa.float32()))
    ),
    "topics": _ordered(
        _schema("call_id side origin route topic_id topic_version", distance=_RATE, is_novel=_FLAG),
        "call_id side origin route topic_id topic_version distance is_novel",
    ),
    # The topics of a route's catalogue of that night; the centre is in the space of `model`.
    "topic_catalog": _ordered(
        _schema("route side topic_id topic_version model label", radius=_RATE, n=_COUNT, fitted_texts=_COUNT)
        .append(pa.field("ids_given", _COUNT))
        .append(pa.field("first_day", pa.date32()))
        .append(pa.field("added_day", pa.date32()))
        .append(pa.field("fitted_day", pa.date32()))
        .append(pa.field("terms", pa.list_(_TEXT)))
        .append(pa.field("example_call_ids", pa.list_(_TEXT)))
        .append(pa.field("centre", pa.list_(pa.float32()))),
        "route side topic_id topic_version model label terms example_call_ids radius n first_day added_day fitted_day"
        " fitted_texts ids_given centre",
    ),
    # Tests of semantics besides shares: `test` is new_topic (a dense group far from every known topic) or
    # two_sample (the day's texts against the window's). The group's topic_id, label and examples are its own.
    "topic_tests": _ordered(
        _schema("route side test topic_id label", n=_COUNT, n_current=_COUNT, statistic=_RATE, p_value=_RATE).append(
            pa.field("example_call_ids", pa.list_(_TEXT))
        ),
        "route side test topic_id label n n_current statistic p_value example_call_ids",
    ),
    # The share that a topic would have had on the days before it, or its version, was found; see semantics/novelty.py.
    "topic_pasts": _ordered(
        _schema(
            "route topic_id topic_version",
            past_day=pa.date32(),
            total=_RATE,
            cluster_squares=_RATE,
            cluster_cross=_RATE,
        ),
        "route topic_id topic_version past_day total cluster_squares cluster_cross",
    ),
    "expectation_results": _ordered(
        _schema("suite expectation subject severity observed expected evidence_json", success=_FLAG),
        "suite expectation subject success severity observed expected evidence_json",
    ),
    # One stage of a run of a night, written as it ends. `rows` are those of its day that it wrote to the lake, `bytes`
    # all that it wrote there; `cost_usd` is that of the answers among them, `peak_memory_bytes` that of the process
    # meanwhile. `state` is ok or failed.
    "night_runs": _ordered(
        _schema(
            "run stage state",
            position=_COUNT,
            started_at=_TIME,
            seconds=_RATE,
            rows=_COUNT,
            bytes=_COUNT,
            cost_usd=_RATE,
            peak_memory_bytes=_COUNT,
        ),
        "run stage position started_at seconds rows bytes cost_usd peak_memory_bytes state",
    ),
    # Someone has seen an incident and takes care of it, until the end of `until_day`; null: as long as it lasts. The
    # newest row of an incident counts; one whose `until_day` is past takes it back.
    "acknowledgements": _schema("ack_id incident_id acknowledged_by note", at=_TIME, until_day=pa.date32()),
    **REVIEW_SCHEMAS,
}


def conform(rows: pa.Table, table: str) -> pa.Table:
    """`rows` in the order and types of the table's schema; a missing column is null.

    Raises KeyError for a column that the table does not have.
    """
    schema = SCHEMAS[table]
    unknown = set(rows.column_names) - set(schema.names)
    if unknown:
        raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
    columns = [
        rows.column(field.name).cast(field.type) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def from_rows(rows: Iterable[dict[str, object]], table: str) -> pa.Table:
    """Dicts to a table in the lake's schema; missing keys are null, and half characters in texts are U+FFFD."""
    rows = list(rows)
    try:
        return pa.Table.from_pylist(rows, schema=SCHEMAS[table])
    except UnicodeEncodeError:
        return pa.Table.from_pylist([storable_row(row) for row in rows], schema=SCHEMAS[table])
