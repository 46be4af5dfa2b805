"""The simulated logs are what the demo says of them."""

import json
from collections import Counter
from datetime import date
from functools import lru_cache

import pytest

from flows.demo import customer_texts, desk, gateway_log, simulator
from flows.demo.incidents import DAYS, INCIDENTS, LIST_OUTPUTS, LOYALTY_POINTS, MOBILE_RELEASE, OUTAGE, SWAPPED_MODEL
from flows.demo.simulator import Call

LAST_DAY = date(2026, 3, 31)
ORDINARY_DAYS = [days for days in range(DAYS) if not any(incident.covers(days) for incident in INCIDENTS)]


@lru_cache
def calls(days_before: int) -> list[Call]:
    return simulator.calls(LAST_DAY, days_before)


def is_list(call: Call) -> bool:
    return call.output is not None and call.output.startswith("[")


def test_a_day_made_again_alone_is_the_same():
    again = simulator.calls(LAST_DAY, 5)
    assert again == calls(5)
    assert gateway_log.packed(gateway_log.lines(again, 5)) == gateway_log.packed(gateway_log.lines(calls(5), 5))


def test_another_seed_makes_another_month():
    assert simulator.calls(LAST_DAY, 5, seed=8) != calls(5)


def test_every_day_has_about_four_hundred_calls_within_its_own_midnights():
    for days_before in range(DAYS):
        assert 320 <= len(calls(days_before)) <= 460
        midnight = (LAST_DAY.toordinal() - days_before - date(1970, 1, 1).toordinal()) * 86_400
        times = [call.started_at for call in calls(days_before)]
        assert times == sorted(times)
        assert midnight <= times[0] <= times[-1] < midnight + 86_400


def test_no_call_id_stands_twice_and_most_messages_are_unlike_any_other():
    month = [call for days_before in range(DAYS) for call in calls(days_before)]
    assert len({call.call_id for call in month}) == len(month)
    assert len({call.text for call in month}) > 0.7 * len(month)


def test_one_message_in_seven_is_german_and_one_in_ten_careless_on_ordinary_days():
    month = [call for days_before in ORDINARY_DAYS for call in calls(days_before)]
    german = sum(call.user.language == "de" for call in month) / len(month)
    careless = sum(call.casual for call in month) / len(month)
    assert german == pytest.approx(1 / 7, abs=0.01)
    assert careless == pytest.approx(0.1, abs=0.01)


def test_the_broken_prompt_wraps_four_answers_in_ten_for_two_days_only():
    for days_before in range(DAYS):
        lists = sum(map(is_list, calls(days_before))) / len(calls(days_before))
        if LIST_OUTPUTS.covers(days_before):
            assert lists == pytest.approx(LIST_OUTPUTS.share, abs=0.08)
            assert {call.prompt_version for call in calls(days_before) if is_list(call)} <= {"v8", "v7"}
        else:
            assert lists < 0.01
            assert {call.prompt_version for call in calls(days_before)} == {"v7"}


def test_the_mobile_release_changes_how_almost_half_write_on_the_last_day_only():
    today = sum(call.casual for call in calls(0)) / len(calls(0))
    assert today == pytest.approx(MOBILE_RELEASE.share, abs=0.06)
    assert {call.release for call in calls(0)} == {"web-2.31.0", "mobile-4.0.0"}
    assert max(sum(call.casual for call in calls(days)) / len(calls(days)) for days in range(1, DAYS)) < 0.16


def test_nobody_writes_of_loyalty_points_before_the_last_three_days():
    for days_before in range(DAYS):
        asked = sum(call.intent == customer_texts.NEW_TOPIC for call in calls(days_before)) / len(calls(days_before))
        if LOYALTY_POINTS.covers(days_before):
            assert asked == pytest.approx(LOYALTY_POINTS.share, abs=0.025)
        else:
            assert asked == 0


def test_the_calls_of_three_hours_fail_on_the_day_of_the_outage_only():
    for days_before in range(DAYS):
        failed = [call for call in calls(days_before) if call.output is None]
        if OUTAGE.covers(days_before):
            assert len(failed) / len(calls(days_before)) > 0.15
        else:
            assert len(failed) / len(calls(days_before)) < 0.03


def test_replies_are_longer_while_another_model_answers_and_the_log_names_the_same():
    def length(days: list[int]) -> float:
        answers = [call.output for n in days for call in calls(n) if call.output]
        return sum(map(len, answers)) / len(answers)

    swapped = [days for days in range(DAYS) if SWAPPED_MODEL.covers(days)]
    assert length(swapped) > 1.2 * length(ORDINARY_DAYS)
    logged = [gateway_log.payload(call) for call in calls(swapped[0])]
    assert {call["model"] for call in logged} == {desk.PINNED}


def test_careless_messages_are_in_lower_case_and_end_without_a_full_stop():
    careless = [call.text for call in calls(0) if call.casual]
    careful = [call.text for call in calls(0) if not call.casual]
    assert all(text == text.lower() and text[-1] not in ".!?" for text in careless)
    assert sum(text != text.lower() and text[-1] in ".!?" for text in careful) / len(careful) > 0.95


def test_every_line_is_json_but_those_broken_on_purpose():
    broken: Counter[int] = Counter()
    for days_before in range(DAYS):
        lines = gateway_log.lines(calls(days_before), days_before)
        for line in lines:
            try:
                json.loads(line)
            except ValueError:
                broken[days_before] += 1
        assert broken[days_before] < 0.01 * len(lines)
    assert +broken == dict.fromkeys(gateway_log.BROKEN_LINES, 1)


def test_a_logged_call_says_that_it_is_simulated_and_what_it_did():
    call = next(call for call in calls(3) if call.output)
    logged = gateway_log.payload(call)
    assert logged["custom_llm_provider"] == "simulated"
    assert logged["response"]["choices"][0]["message"]["content"] == call.output
    assert logged["messages"][-1] == {"role": "user", "content": call.text}
    assert logged["metadata"]["requester_metadata"]["prompt_version"] == "v7"
    assert logged["endTime"] > logged["startTime"]
    assert logged["response_cost"] > 0


def test_a_failed_call_is_logged_with_its_error_and_no_answer():
    call = next(call for days_before in range(DAYS) for call in calls(days_before) if call.output is None)
    logged = gateway_log.payload(call)
    assert logged["status"] == "failure"
    assert logged["response"] is None
    assert logged["error_information"]["error_class"] == "ServiceUnavailableError"


def test_a_message_tells_its_language_and_its_intent():
    month = [call for days_before in ORDINARY_DAYS for call in calls(days_before) if not call.casual]
    told = sum(customer_texts.classify(call.text) == (call.user.language, call.intent) for call in month)
    assert told / len(month) > 0.99


def test_a_text_of_unknown_words_is_filed_under_other():
    assert customer_texts.classify("") == ("en", "other")
    assert customer_texts.classify("xyzzy 123 \U0001f600") == ("en", "other")


def test_the_models_answer_as_the_desk_may():
    fields = json.loads(desk.model_answer(desk.PINNED, "Where is my parcel now?", 0))
    assert fields["category"] in customer_texts.CATEGORIES
    assert fields["urgency"] in ("low", "normal", "high")
    with pytest.raises(KeyError):
        desk.model_answer("support-desk-3", "Where is my parcel now?", 0)
