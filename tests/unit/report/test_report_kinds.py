"""What the report knows of kinds and features comes from the seeds."""

import pytest

from flows.report.breach_kinds import is_share, kind_of


def test_a_kind_has_its_words_from_the_seed() -> None:
    assert kind_of("volume").words == "call volume outside the expected range"
    assert (kind_of("slice_worse").about, kind_of("slice_worse").picture) == ("candidate", "difference")


@pytest.mark.parametrize(
    ("feature", "expected"),
    [("json_valid", True), ("typo_share", True), ("model:gpt-4o", True), ("characters", False), ("latency_ms", False)],
)
def test_a_feature_is_shown_in_percent_where_the_seed_makes_it_a_share(feature: str, expected: bool) -> None:
    assert is_share(feature) is expected
