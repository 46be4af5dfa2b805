"""What a breach says in an incident, in a few words."""

from flows.incidents.breach_rows import Breach
from flows.incidents.changes import changes_of
from tests.unit.incidents.rows import EVENT, breach


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
