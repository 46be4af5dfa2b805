"""The columns of the lake's tables about people: their judgements, what rests on them, and who was forgotten."""

import pyarrow as pa

_TIME = pa.timestamp("us", tz="UTC")
_TEXT, _COUNT, _RATE, _FLAG, _DAY = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32()

REVIEW_SCHEMAS: dict[str, pa.Schema] = {
    # One answer for a person to judge by one criterion. `draw` says how it came into the queue: random and targeted are
    # draws with a known probability (null for targeted ones from outside the pool, which have no stratum), relabel
    # repeats an earlier judgement after the criterion changed. `stratum_size` calls of the day were in its stratum,
    # named as in review_strata, of which `sample_size` are in the queue. `judge_verdict` is the judge's at the draw.
    # `reason` says in words why this answer; like the stratum, it may tell the judge's verdict. `item_json` has what
    # the page shows: see flows/review/README.md.
    "review_queue": pa.schema(
        [
            ("position", _COUNT),
            ("route", _TEXT),
            ("subject", _TEXT),
            ("subject_id", _TEXT),
            ("criterion", _TEXT),
            ("criterion_version", _TEXT),
            ("question", _TEXT),
            ("draw", _TEXT),
            ("stratum", _TEXT),
            ("stratum_size", _COUNT),
            ("sample_size", _COUNT),
            ("inclusion_probability", _RATE),
            ("is_second", _FLAG),
            ("reason", _TEXT),
            ("judge", _TEXT),
            ("judge_verdict", _FLAG),
            ("judge_reason", _TEXT),
            ("item_json", _TEXT),
        ]
    ),
    # One judgement of a person. `passed` is null where the person was unsure. A row with `retracts` takes back the
    # label of that id, and judges nothing itself. `queue_day` is the day of the queue, null for imported labels;
    # `annotator_kind` is person, simulated or imported. `draw` to `judge_verdict` are copied from the queue; the `draw`
    # of a third judgement is disagreement instead.
    "annotations": pa.schema(
        [
            ("label_id", _TEXT),
            ("subject", _TEXT),
            ("subject_id", _TEXT),
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("criterion_version", _TEXT),
            ("annotator", _TEXT),
            ("annotator_kind", _TEXT),
            ("at", _TIME),
            ("passed", _FLAG),
            ("failure_mode", _TEXT),
            ("note", _TEXT),
            ("queue_day", _DAY),
            ("draw", _TEXT),
            ("inclusion_probability", _RATE),
            ("stratum", _TEXT),
            ("stratum_size", _COUNT),
            ("sample_size", _COUNT),
            ("judge", _TEXT),
            ("judge_verdict", _FLAG),
            ("blind", _FLAG),
            ("seconds", _RATE),
            ("retracts", _TEXT),
        ]
    ),
    # One version of a criterion, added when it comes into use, also when it does so again. `author` and `reason` are
    # null where nobody gave them.
    "criteria": pa.schema(
        [
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("criterion_version", _TEXT),
            ("definition_json", _TEXT),
            ("since", _TIME),
            ("author", _TEXT),
            ("reason", _TEXT),
        ]
    ),
    # One labelled answer that a judge grades each night, with all that it needs for it. Only ever added: what
    # `retention` removes elsewhere does not change the set. `label_id` is one of the labels; `label_passed` is what
    # most people say.
    "anchors": pa.schema(
        [
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("criterion_version", _TEXT),
            ("subject", _TEXT),
            ("subject_id", _TEXT),
            ("label_id", _TEXT),
            ("label_passed", _FLAG),
            ("messages_json", _TEXT),
            ("output_text", _TEXT),
        ]
    ),
    # One verdict of a judge on an answer of the anchor set; `verdict` is null where there is none.
    "anchor_grades": pa.schema(
        [
            ("run_id", _TEXT),
            ("judge", _TEXT),
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("criterion_version", _TEXT),
            ("subject_id", _TEXT),
            ("repeat", _COUNT),
            ("request_hash", _TEXT),
            ("verdict", _FLAG),
            ("label_passed", _FLAG),
            ("reason", _TEXT),
            ("response_id", _TEXT),
            ("model_served", _TEXT),
            ("system_fingerprint", _TEXT),
            ("status", _TEXT),
            ("error_type", _TEXT),
            ("error_message", _TEXT),
            ("latency_ms", _RATE),
            ("cost_usd", _RATE),
        ]
    ),
    # A judge's verdicts of one night compared with its own past, for each criterion that it judges, and for all
    # together (route and criterion `*`), which alone has a p-value. Rates are null without verdicts, or without a past.
    "anchor_tests": pa.schema(
        [
            ("run_id", _TEXT),
            ("judge", _TEXT),
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("n_items", _COUNT),
            ("n_nights", _COUNT),
            ("window_nights", _COUNT),
            ("agreement", _RATE),
            ("agreement_before", _RATE),
            ("unlike", _RATE),
            ("unlike_before", _RATE),
            ("p_value", _RATE),
            ("served_names", pa.list_(_TEXT)),
            ("fingerprints", pa.list_(_TEXT)),
        ]
    ),
    # How many calls of a day are in each stratum of the draw, those among them from which nothing was drawn. `judge` is
    # null where no judge scores it. A stratum is `<kind>:<verdict>`: the kind is incident, new_topic, bad_feedback,
    # costly or plain, the verdict fail, pass or unjudged. Every call of the pool is in exactly one.
    "review_strata": pa.schema(
        [
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("criterion_version", _TEXT),
            ("judge", _TEXT),
            ("stratum", _TEXT),
            ("stratum_size", _COUNT),
            ("sample_size", _COUNT),
        ]
    ),
    # A criterion that `genchi criteria suggest` proposes. `coverage` is the share of failed answers that it fails,
    # `false_failure_rate` that of good answers; `_low` and `_high` are limits. Both are null if not `is_measured`.
    # `origin` is notes, failure_mode, prompt or schema. `n_caught` of the `n_failures` and `n_false` good answers fail:
    # plain counts of the labels that chose it. `set_*` are the rates of all chosen ones of the route together.
    # `basis` is a hash of the labels, criteria and decisions that the route had; null if a person asked for it.
    "criterion_suggestions": pa.schema(
        [
            ("suggestion_id", _TEXT),
            ("route", _TEXT),
            ("criterion", _TEXT),
            ("kind", _TEXT),
            ("definition_json", _TEXT),
            ("origin", _TEXT),
            ("failure_mode", _TEXT),
            ("explanation", _TEXT),
            ("n_labels", _COUNT),
            ("n_failures", _COUNT),
            ("n_caught", _COUNT),
            ("n_false", _COUNT),
            ("coverage", _RATE),
            ("coverage_low", _RATE),
            ("false_failure_rate", _RATE),
            ("false_failure_high", _RATE),
            ("is_measured", _FLAG),
            ("is_chosen", _FLAG),
            ("rank", _COUNT),
            ("example_ids", pa.list_(_TEXT)),
            ("set_coverage", _RATE),
            ("set_false_failure_rate", _RATE),
            ("set_false_failure_high", _RATE),
            ("basis", _TEXT),
        ]
    ),
    # A production call that the holdout lacks. `reason` is topic, structure, language, typos, failure_mode or edited.
    "holdout_proposals": pa.schema(
        [
            ("proposal_id", _TEXT),
            ("route", _TEXT),
            ("call_id", _TEXT),
            ("messages_json", _TEXT),
            ("input_text", _TEXT),
            ("output_text", _TEXT),
            ("expected_text", _TEXT),
            ("expected_origin", _TEXT),
            ("reason", _TEXT),
            ("explanation", _TEXT),
            ("nearest_example_id", _TEXT),
            ("similarity", _RATE),
        ]
    ),
    # One version of a route's holdout, added by `genchi holdout freeze`. `version` is that of `examples`; `parent` is
    # null for the first one that was recorded. The `anchor_ids` are examples of the parent that are the same in it.
    # `diff_json` has the ids that were added, removed and changed; `contents_json` the hashes of what is asked and what
    # is expected, by example_id.
    "holdout_versions": pa.schema(
        [
            ("route", _TEXT),
            ("version", _TEXT),
            ("parent", _TEXT),
            ("created_at", _TIME),
            ("author", _TEXT),
            ("n_examples", _COUNT),
            ("n_added", _COUNT),
            ("n_removed", _COUNT),
            ("n_changed", _COUNT),
            ("n_anchor", _COUNT),
            ("anchor_ids", pa.list_(_TEXT)),
            ("diff_json", _TEXT),
            ("contents_json", _TEXT),
        ]
    ),
    # How the series of a pass rate goes on from the last night of a holdout's parent to the first night of `version`.
    # `pass_rate_before` is the parent's on `parent_day`, `pass_rate_parent` the parent's tonight. `delta` is the paired
    # difference of the anchor, tonight minus `parent_day`, with a 95 % interval: what the model or the judge moved.
    # `composition` is `pass_rate` minus `pass_rate_parent`: what other examples change. `reason` says why there is no
    # difference.
    "holdout_joins": pa.schema(
        [
            ("run_id", _TEXT),
            ("route", _TEXT),
            ("version", _TEXT),
            ("parent", _TEXT),
            ("parent_day", _DAY),
            ("model", _TEXT),
            ("criterion", _TEXT),
            ("n_examples", _COUNT),
            ("n_common", _COUNT),
            ("n_anchor", _COUNT),
            ("pass_rate_before", _RATE),
            ("pass_rate_parent", _RATE),
            ("pass_rate", _RATE),
            ("composition", _RATE),
            ("delta", _RATE),
            ("ci_low", _RATE),
            ("ci_high", _RATE),
            ("p_value", _RATE),
            ("reason", _TEXT),
        ]
    ),
    # What a person decided about a suggestion or a proposal (`kind`), whose id is `subject_id`. `value_json` is what
    # the person corrected: the definition of the criterion, or the expected answer.
    "review_decisions": pa.schema(
        [
            ("decision_id", _TEXT),
            ("kind", _TEXT),
            ("subject_id", _TEXT),
            ("annotator", _TEXT),
            ("at", _TIME),
            ("accepted", _FLAG),
            ("value_json", _TEXT),
            ("note", _TEXT),
            ("retracts", _TEXT),
        ]
    ),
    # What was forgotten (`genchi forget`): a keyed hash of the id of a call, of a user's key, of what several records
    # of one call share, or of a request to a judge. Only ever added, and never removed by `retention`.
    "tombstones": pa.schema([("kind", _TEXT), ("hash", _TEXT), ("at", _TIME)]),
}
