"""What a breach says in an incident, in a few words."""

from datetime import date, timedelta
from typing import Any

from flows.incidents.breach_rows import Breach
from flows.incidents.changes import changes_of
from tests.unit.incidents.rows import EVENT, breach, incidents


def test_texts_as_a_whole_say_which_topics_there_is_more_and_less_of() -> None:
    more, fewer = '"refunds, money" (4.9 %, 1.1 % expected)', '"parcels, late" (2.0 %, 9.0 % expected)'
    row = breach(EVENT, "input", "two_sample", 0.1, 0.2, kind="two_sample", more_topics=more, fewer_topics=fewer)
    (change,) = changes_of([Breach.from_row(row)], {})
    assert change.words == f"inputs as a whole differ from before: more inputs about {more}, fewer inputs about {fewer}"
    row = breach(EVENT, "output", "two_sample", 0.1, 0.2, kind="two_sample", more_topics=None, fewer_topics=fewer)
    (change,) = changes_of([Breach.from_row(row)], {})
    assert change.words == f"outputs as a whole differ from before: fewer inputs about {fewer}"


def test_a_topic_that_is_found_in_two_versions_is_told_once() -> None:
    topics = [
        Breach.from_row(
            breach(EVENT, "input", f"topic:{version}-3", before, 0.04, kind="topic", topic_label="gift, card")
        )
        for version, before in (("a1", 0.0), ("b2", 0.001))
    ]
    (change,) = changes_of(topics, {})
    assert change.words == 'new topic "gift, card" rose from 0 % to 4.0 % of inputs'


def test_the_value_from_before_is_the_one_that_the_sentence_of_the_breach_has() -> None:
    usual, unusual = (
        Breach.from_row(breach(EVENT, "output", "json_is_none", before, now, value_expected=expected))
        for before, now, expected in ((0.0, 0.3, 0.0021), (0.32, 0.4, 0.684))
    )
    assert usual.before == 0.0
    assert unusual.before == 0.684


def test_a_later_night_shows_calls_of_the_topic_that_its_title_names_and_says_of_when_its_numbers_are() -> None:
    later = EVENT + timedelta(days=1)

    def topic(day: date, version: str, share: float) -> dict[str, Any]:
        return breach(day, "input", f"topic:{version}-3", 0.0, share, kind="topic", topic_label="gift, card")

    rows = incidents(
        [
            topic(EVENT, "a1", 0.04),
            topic(later, "a1", 0.05),
            breach(later, "input", "new_topic", 0.0, 6.8, kind="new_topic", n_group=6),
        ]
    )
    first, second = (row for row in rows if row["day"] in (EVENT, later))
    told = 'Since 15 March{}: new topic "gift, card" rose from 0 % to 4.0 % of inputs'
    assert first["summary"] == told.format("") + "."
    assert second["summary"] == told.format(" (numbers of that night)") + "; 6 inputs of no known topic (on 16 March)."
    assert second["evidence"]["example_call_ids"] == [f"topic:a1-3-{later}", f"new_topic-{later}"]
