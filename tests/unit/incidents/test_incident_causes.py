"""Each cause that is known is found, is one incident, and is named in the title."""

from typing import Any

import pytest

from tests.unit.incidents.rows import EVENT, at, breach, incidents, on_day, series, since, usage


def one(breaches: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    """The one incident that breaches of the first day are."""
    (row,) = [row for row in incidents(breaches, **given) if row["state"] == "open"]
    return row


OUTPUTS = [
    breach(EVENT, "output", "characters", 322.0, 417.0),
    breach(EVENT, "output", "words", 60.0, 80.0),
    breach(EVENT, "pair", "latency_ms", 900.0, 1200.0),
]


def test_a_model_that_changed_under_its_name() -> None:
    row = one(OUTPUTS)
    assert (row["cause_kind"], row["cause"], row["n_breaches"]) == ("model_under_name", "m", 3)
    assert row["title"] == "Another model seems to answer as m: outputs 30 % longer on r"
    assert row["summary"].startswith(
        "Since 15 March: outputs 30 % longer; latency per call up 33 %; words per output up 33 %."
    )
    assert "Inputs, releases and prompt versions did not change." in row["summary"]


def test_a_cost_that_hardly_moved_comes_last_in_the_summary() -> None:
    rows = [OUTPUTS[0], breach(EVENT, "pair", "cost_usd", 0.002, 0.0019), breach(EVENT, "output", "words", 60.0, 80.0)]
    said = "Since 15 March: outputs 30 % longer; words per output up 33 %; cost per call down 5 %."
    assert one(rows)["summary"].startswith(said)
    dear = breach(EVENT, "pair", "cost_usd", 0.002, 0.003)
    assert "longer; cost per call up 50 %; words" in one([*rows[::2], dear])["summary"]


def test_one_model_on_two_routes_is_one_incident_and_the_canary_that_agrees_joins_it() -> None:
    others = [breach(EVENT, "output", name, 100.0, 130.0, route="q") for name in ("characters", "words")]
    pin = breach(EVENT, "", "", 0.0, 0.0, kind="pin_changed", about="pinned", severity="critical") | {"subject": "m"}
    row = one([*OUTPUTS, *others, pin], nights=usage(routes=("q", "r")))
    assert (row["routes"], row["severity"], row["n_breaches"]) == (["q", "r"], "critical", 6)
    assert row["title"] == "Another model seems to answer as m: outputs 30 % longer on q and r"
    assert "The answers to the holdout changed, too." in row["summary"]


def test_all_features_together_may_be_the_model_and_name_those_that_moved_most() -> None:
    joint = breach(EVENT, "output", "output_profile", 0.0, 3.0, kind="output_profile",
                   moved=["characters up", "field:a b:present down"])  # fmt: skip
    row = one([joint])
    assert row["cause_kind"] == "model_under_name"
    assert row["title"].endswith(
        "features of outputs together differ from before: most of all characters and with the field a b on r"
    )


def test_a_model_without_a_name_is_not_accused() -> None:
    row = one(OUTPUTS, nights=usage(model="unknown"))
    assert (row["cause_kind"], row["cause"]) == ("unknown", "outputs")
    assert row["title"] == "Outputs 30 % longer on r; nothing in the log says why"


@pytest.mark.parametrize(
    ("dimension", "member", "name", "kind", "title"),
    [
        ("release", "4", "release 4", "release", "New release 4 changed r: outputs 30 % longer"),
        ("prompt_version", "v8", "prompt version v8", "prompt_version",
         "New prompt version v8 changed r: outputs 30 % longer"),
        ("model_served", "m2", "model m2", "model_name", "New model m2 changed r: outputs 30 % longer"),
        ("user", "u1", "user u1", "user", "User u1 sends most of the calls on r: outputs 30 % longer"),
    ],
)  # fmt: skip
def test_a_member_whose_calls_make_the_change(dimension: str, member: str, name: str, kind: str, title: str) -> None:
    cause: dict[str, Any] = {"cause": name, "cause_dimension": dimension, "cause_member": member, "cause_share": 0.4,
             "cause_part": 0.95, "cause_is_new": True}  # fmt: skip
    breaches = [breach(EVENT, "output", name, 322.0, 417.0, **cause) for name in ("characters", "words")]
    if dimension in ("model_served", "prompt_version"):
        prefix = "model" if dimension == "model_served" else "prompt"
        breaches.append(breach(EVENT, "pair", f"{prefix}:{member}", 0.0, 0.4))
    row = one(breaches)
    assert (row["cause_kind"], row["cause"], row["title"]) == (kind, name, title)
    assert f"95 % of the change comes from {name}, which has 40 % of calls." in row["summary"]


def test_changes_of_which_a_release_makes_more_and_less_are_told_with_both_parts() -> None:
    release: dict[str, Any] = {"cause": "release 4", "cause_dimension": "release", "cause_member": "4",
             "cause_share": 0.4, "cause_is_new": True}  # fmt: skip
    parts = {"characters": 1.02, "words": 0.8}
    row = one([breach(EVENT, "output", name, 322.0, 417.0, cause_part=part, **release) for name, part in parts.items()])
    assert "80 % to 100 % of the changes come from release 4, which has 40 % of calls." in row["summary"]


def test_a_heavy_user_is_the_cause_of_more_calls_and_of_what_its_calls_change() -> None:
    cause = {"cause": "user u1", "cause_dimension": "user", "cause_member": "u1", "cause_share": 0.6,
             "cause_part": 0.9, "cause_is_new": True}  # fmt: skip
    risen = breach(EVENT, "pair", "calls", 40.0, 100.0, kind="volume")
    moved = breach(EVENT, "input", "characters", 80.0, 400.0, **cause)
    users = [{"day": EVENT, "route": "r", "user_name": "u1", "n": 60}]
    row = one([risen, moved], users=users)
    assert (row["cause_kind"], row["cause"], row["n_breaches"]) == ("user", "user u1", 2)
    assert row["title"] == "User u1 sends 60 % of the calls on r: characters per input 5.0 times as high"
    assert one([risen], users=[users[0] | {"n": 40}])["cause_kind"] == "volume"


def test_a_canned_answer_is_quoted() -> None:
    canned = [{"day": EVENT, "route": "r", "text_value": "Request\ntimed out.", "n": 52, "n_calls": 52}]
    row = one([*OUTPUTS, breach(EVENT, "output", "repeated", 0.0, 1.0)], canned=canned)
    assert row["cause_kind"] == "canned_answer"
    assert row["title"] == 'All 52 outputs on r are the same text: "Request timed out."'
    unquoted = one([*OUTPUTS, breach(EVENT, "output", "repeated", 0.0, 1.0)], canned=canned, may_quote=False)
    assert unquoted["title"] == "All 52 outputs on r are the same text"
    assert row["evidence"]["without_texts"] == {name: unquoted[name] for name in ("title", "summary")}
    assert "without_texts" not in unquoted["evidence"]


def test_an_outage_says_how_many_calls_failed_when_and_how() -> None:
    failing = [{"day": EVENT, "route": "r", "n": 80, "n_calls": 100, "error_type": "Timeout", "message": "No answer.",
                "first_at": at(EVENT, 2), "last_at": at(EVENT, 5)}]  # fmt: skip
    failed = breach(EVENT, "pair", "failed", 0.01, 0.8, severity="critical", need="reliability")
    row = one([*OUTPUTS, failed], failing=failing)
    assert (row["cause_kind"], row["cause"], row["severity"]) == ("outage", "Timeout", "critical")
    assert row["title"] == "80 of 100 calls failed on r (Timeout, 02:00 to 05:00 UTC)"
    assert 'The provider says: "No answer.".' in row["summary"]
    assert "No answer" not in one([*OUTPUTS, failed], failing=failing, may_quote=False)["summary"]


def test_what_users_do_about_failed_calls_is_of_the_outage_and_not_of_the_model_that_failed() -> None:
    failing = [{"day": EVENT, "route": "r", "n": 86, "n_calls": 375, "error_type": "Busy", "message": None,
                "first_at": at(EVENT, 2), "last_at": at(EVENT, 5)}]  # fmt: skip
    by_model = {"cause_dimension": "model_served", "cause_member": "m", "cause": "model m", "cause_share": 0.23,
                "cause_part": 0.99, "cause_is_new": True}  # fmt: skip
    moved = [
        breach(EVENT, "pair", "failed", 0.01, 0.23, **by_model),
        breach(EVENT, "pair", "error:Busy", 0.01, 0.23),
        *(breach(EVENT, "pair", name, 0.01, 0.15, **by_model) for name in ("abandoned", "asked_again")),
    ]
    row = one(moved, failing=failing)
    assert (row["cause_kind"], row["cause"], row["n_breaches"]) == ("outage", "Busy", 4)


def test_another_language_takes_with_it_what_counts_letters() -> None:
    turned = [
        breach(EVENT, "output", "script_han", 0.0, 1.0),
        breach(EVENT, "output", "script_latin", 1.0, 0.0),
        breach(EVENT, "output", "characters", 900.0, 320.0),
        breach(EVENT, "pair", "length_ratio", 0.9, 0.3),
    ]
    row = one(turned)
    assert row["cause_kind"] == "language"
    assert row["n_breaches"] == 3 + 1
    assert row["title"] == "Outputs on r turned from Latin script to Chinese or Japanese: 0 % before, 100 % now"


def test_some_outputs_in_another_script_are_the_prompts_and_another_route_may_have_another_cause() -> None:
    own = [
        breach(EVENT, "output", "script_latin", 0.014, 0.109, route="q"),
        breach(EVENT, "pair", "script_kept", 0.014, 0.109, route="q"),
        breach(EVENT, "output", "characters", 367.0, 569.0, route="q"),
        breach(EVENT, "output", "words", 12.0, 19.0, route="q"),
    ]
    rows = incidents([*OUTPUTS, *own], nights=usage(routes=("q", "r")))
    found = {tuple(row["routes"]): row for row in rows if row["state"] == "open"}
    assert {routes: row["cause_kind"] for routes, row in found.items()} == {
        ("q",): "prompt_version",
        ("r",): "model_under_name",
    }
    title = "The prompt on q seems to have changed: outputs mostly in Latin script rose from 1.4 % to 11 %"
    assert found[("q",)]["title"] == title
    assert "but the language of outputs did" in found[("q",)]["summary"]
    asked = breach(EVENT, "input", "script_latin", 0.0, 0.1, route="q")
    assert "prompt_version" not in {row["cause_kind"] for row in incidents([*own, asked], nights=usage(routes=("q",)))}


def test_one_odd_answer_does_not_accuse_the_model() -> None:
    odd = [breach(EVENT, "output", f"field:{name}=Error", 0.0, 0.07) for name in ("data", "method", "result")]
    assert {row["cause_kind"] for row in incidents([*odd, breach(EVENT, "output", "two_sample", 0.0, 0.1)])} == {
        "unknown"
    }


def test_answers_that_change_with_what_is_asked_are_the_topics() -> None:
    topic = breach(EVENT, "input", "topic:t1", 0.01, 0.3, kind="topic", topic_label="gift")
    row = one([topic, OUTPUTS[0]])
    assert (row["cause_kind"], row["n_breaches"]) == ("topic", 2)


def test_texts_as_a_whole_that_name_topics_are_about_topics() -> None:
    more = '"refunds, money" (4.9 %, 1.1 % expected) and "fees" (2.0 %, 0.30 % expected)'
    whole = breach(EVENT, "output", "two_sample", 0.1, 0.2, kind="two_sample", more_topics=more)
    row = one([whole])
    assert row["cause_kind"] == "topic"
    title = 'People ask about other things on r: more inputs about "refunds, money" (4.9 %, 1.1 % expected)'
    assert row["title"] == title
    assert one([whole, *OUTPUTS])["cause_kind"] == "model_under_name"


def test_what_comes_little_by_little_and_has_no_other_cause_is_one_incident() -> None:
    first = breach(EVENT, "input", "line_breaks", 16.0, 0.1)
    second = breach(on_day(1), "input", "words", 180.0, 207.0)
    (row,) = [row for row in incidents([first, second]) if row["state"] == "open"]
    assert row["cause_kind"] == "log_format"
    late = breach(on_day(6), "input", "words", 180.0, 207.0)
    assert len([row for row in incidents([first, late]) if row["state"] == "open"]) == 2


def test_a_language_is_named_before_its_script_and_texts_without_a_clear_one_are_none() -> None:
    turned = [
        breach(EVENT, "input", "language:und", 0.1, 0.5),
        breach(EVENT, "input", "language:ru", 0.0, 0.3),
        breach(EVENT, "input", "script_cyrillic", 0.0, 0.4),
        breach(EVENT, "input", "script_latin", 1.0, 0.6),
        breach(EVENT, "input", "language:en", 0.9, 0.2),
    ]
    row = one(turned)
    assert row["title"] == "Inputs on r turned from English to Russian: 0 % before, 30 % now"
    assert "inputs in no clear language rose from 10 % to 50 %" in row["summary"]
    assert one(turned[:1])["cause_kind"] == "unknown"
    rare = one([breach(EVENT, "output", "language:kab", 0.0, 0.7)])
    assert rare["title"] == "Outputs on r turned to the language kab: 0 % before, 70 % now"


def test_line_breaks_that_leave_the_inputs_are_the_logs_on_all_routes() -> None:
    gone = [
        breach(EVENT, "input", name, before, now, route=route)
        for route in ("q", "r")
        for name, before, now in (("line_breaks", 14.0, 0.1), ("words", 200.0, 190.0))
    ]
    row = one(gone, nights=usage(routes=("q", "r")))
    assert (row["cause_kind"], row["routes"], row["n_breaches"]) == ("log_format", ["q", "r"], 4)
    assert row["title"] == "Inputs are logged in another form on q and r: line breaks per input down 99 %"


def test_other_fields_are_another_prompt() -> None:
    row = one([*OUTPUTS, breach(EVENT, "output", "field:title:present", 1.0, 0.0)])
    assert (row["cause_kind"], row["cause"]) == ("prompt_version", None)
    assert row["title"] == (
        "The prompt on r seems to have changed: outputs with the field title fell from 100 % to 0 %"
    )


def test_fields_of_another_type_are_another_prompt() -> None:
    row = one([*OUTPUTS, breach(EVENT, "output", "field_type:a=b=string", 0.0, 0.6)])
    assert (row["cause_kind"], row["cause"]) == ("prompt_version", None)
    assert row["title"] == (
        "The prompt on r seems to have changed: outputs whose a=b is of the type string rose from 0 % to 60 %"
    )
    assert "Outputs have other fields than before, or fields of another type." in row["summary"]


@pytest.mark.parametrize(
    ("feature", "before", "now", "words"),
    [
        ("field_length:summary", 120.2, 180.4, "length of field summary in outputs rose from 120 to 180 characters"),
        ("field_number:score", 0.195, -0.107, "value of field score in outputs fell from 0.195 to -0.107"),
        ("field_number:price", 12345.6, 20.0, "value of field price in outputs fell from 12,346 to 20"),
        ("field_size:tags", 3.5, 2.1, "number of elements of field tags in outputs fell from 3.5 to 2.1"),
    ],
)
def test_a_number_of_a_field_is_told_from_and_to(feature: str, before: float, now: float, words: str) -> None:
    assert words in one([breach(EVENT, "output", feature, before, now)])["summary"]


def test_a_new_topic_takes_with_it_what_the_mix_of_topics_explains() -> None:
    asked = [
        breach(EVENT, "input", "topic:v-1", 0.01, 0.2, kind="topic", topic_label="gift, card"),
        breach(EVENT, "output", "characters", 100.0, 130.0, is_of_mix=True),
    ]
    row = one(asked)
    assert (row["cause_kind"], row["n_breaches"]) == ("topic", 2)
    assert row["title"] == ('People ask about other things on r: topic "gift, card" rose from 1.0 % to 20 % of inputs')


def test_volume_cost_and_latency_are_told_as_they_are() -> None:
    calls = breach(EVENT, "pair", "calls", 0.0, 0.0, kind="volume", observed=3, expected=120.4,
                   value_reference=None, value_current=None)  # fmt: skip
    assert one([calls])["title"] == "3 calls, about 120 expected on r"
    cost = one([breach(EVENT, "pair", "cost_usd", 0.002, 0.01)])
    assert (cost["cause_kind"], cost["title"]) == ("cost", "Cost per call 5.0 times as high on r")
    slow = one([breach(EVENT, "pair", "latency_ms", 900.0, 1200.0)])
    assert (slow["cause_kind"], slow["title"]) == ("latency", "Latency per call up 33 % on r")


def test_two_causes_of_one_night_are_two_incidents() -> None:
    calls = breach(EVENT, "pair", "calls", 0.0, 0.0, kind="volume", observed=3, expected=120.4)
    gone = breach(EVENT, "input", "line_breaks", 14.0, 0.1)
    rows = [row for row in incidents([*OUTPUTS, calls, gone]) if row["state"] == "open"]
    assert sorted(row["cause_kind"] for row in rows) == ["log_format", "model_under_name", "volume"]


def test_a_candidate_is_one_incident_with_all_that_it_is_worse_at() -> None:
    worse = [
        breach(EVENT, "", "", 0.0, -0.4, kind=kind, about="candidate", severity="info", candidate="small",
               summary="On route r, small passes criterion right 42.0 points less often (95 % interval: -56 to -24).")
        | {"subject": f"r/right/small/{kind}"}
        for kind in ("worse", "slice_worse")
    ]  # fmt: skip
    row = one(worse)
    assert (row["cause_kind"], row["cause"], row["n_breaches"], row["severity"]) == ("candidate", "small", 2, "info")
    assert row["title"] == "Small passes criterion right 42.0 points less often on r"


def test_skew_joins_the_drift_of_its_series_and_stands_alone_where_nothing_drifted() -> None:
    skew = breach(EVENT, "output", "characters", 300.0, 417.0, kind="skew")
    assert one([*OUTPUTS, skew])["n_breaches"] == 4
    alone = one([skew])
    assert alone["title"] == "Outputs on r differ from the dev set: outputs 39 % longer"


def test_a_mute_is_told_with_its_reason() -> None:
    row = one([breach(EVENT, "output", "characters", 322.0, 417.0, severity="info", mute="Muted until x: known")])
    assert row["severity"] == "info"
    assert row["summary"].endswith("Muted until x: known.")


def test_every_cause_that_was_tried_is_told_with_the_part_that_it_explains() -> None:
    tried = one(OUTPUTS)["evidence"]["causes_tried"]
    assert tried == [{"cause_kind": "model_under_name", "cause": "m", "explained": 0.6}]


def test_the_same_cause_on_another_route_a_night_later_joins() -> None:
    later = [breach(EVENT.replace(day=16), "output", name, 100.0, 130.0, route="q") for name in ("characters", "words")]
    values = [
        *series("output", "characters", since(0, 6.0), usual=5.8),
        *series("output", "characters", since(1, 4.9), usual=4.6, route="q"),
    ]
    rows = incidents([*OUTPUTS, *later], values, nights=usage(routes=("q", "r")))
    assert len({row["incident_id"] for row in rows}) == 1
    assert rows[1]["routes"] == ["q", "r"]
