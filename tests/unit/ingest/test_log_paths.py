"""Names of files become the fewest globs that match them and no other log."""

import pytest

from flows.ingest.preview.log_paths import grouped, matches, patterns

TWO_DAYS = ("2026-03-01", "2026-03-02")


def found(names: list[str], formats: dict[str, str] | None = None) -> list[str]:
    """The globs for names, each of which is in the format that its text has as a key; `litellm` by default."""
    groups = [
        (next((log for text, log in (formats or {}).items() if text in group[0]), "litellm"), group)
        for group in grouped(names)
    ]
    result = patterns(groups, [])
    assert sorted(name for _, _, matched in result for name in matched) == sorted(names)
    for _, pattern, matched in result:
        assert all(matches(pattern, name) for name in matched)
    return [pattern for _, pattern, _ in result]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["calls.jsonl"], ["calls.jsonl"]),
        ([f"logs/{day}/app.jsonl" for day in TWO_DAYS], ["logs/{day}/app.jsonl"]),
        ([f"logs/{day}.jsonl" for day in TWO_DAYS], ["logs/{day}.jsonl"]),
        ([f"logs/dt={day}/{day}-app.csv" for day in TWO_DAYS], ["logs/dt={day}/{day}-app.csv"]),
        (["logs/2026-03-01/a.jsonl", "logs/2026-03-02/b.jsonl.gz"], ["logs/{day}/*.jsonl*"]),
        (["logs/a-2026-03-01.jsonl", "logs/b-2026-03-02.jsonl"], ["logs/*{day}.jsonl"]),
        ([f"logs/part-{n:03}.jsonl" for n in range(100)], ["logs/part-*.jsonl"]),
        ([f"x/{day}/{hour:02}/app.jsonl" for day in TWO_DAYS for hour in range(24)], ["x/{day}/*/app.jsonl"]),
        ([f"x/{day}/{team}/a.jsonl" for day in TWO_DAYS for team in ("north", "south")], ["x/{day}/*/a.jsonl"]),
        (["logs/app.log", "logs/app.log.1", "logs/app.log.2.gz"], ["logs/app.*"]),
        (["logs/[old]/a.jsonl", "logs/[old]/b.jsonl"], ["logs/[[]old]/*.jsonl"]),
        (["logs/a.jsonl", "logs/2026-03-02/b.jsonl"], ["logs/{day}/b.jsonl", "logs/a.jsonl"]),
    ],
)
def test_names_of_one_format_become_one_glob_for_each_shape(names: list[str], expected: list[str]) -> None:
    assert sorted(found(names)) == sorted(expected)


def test_a_name_that_is_no_day_is_none() -> None:
    assert found(["logs/2026-13-45.jsonl"]) == ["logs/2026-13-45.jsonl"]


def test_formats_in_one_folder_have_globs_that_match_their_own_files_only() -> None:
    names = [f"logs/{day}/{name}.jsonl" for day in TWO_DAYS for name in ("gateway", "traces")]
    assert found(names, {"traces": "otel"}) == ["logs/{day}/gateway.jsonl", "logs/{day}/traces.jsonl"]


def test_formats_in_folders_of_their_own_have_a_glob_for_each_folder() -> None:
    names = [f"{folder}/{day}/{n}.json" for folder in ("gateway", "traces") for day in TWO_DAYS for n in range(3)]
    assert found(names, {"traces": "otel"}) == ["gateway/{day}/*.json", "traces/{day}/*.json"]
    assert found(names) == ["*/{day}/*.json"]


def test_thousands_of_names_with_ids_are_a_few_groups() -> None:
    names = [f"logs/2026-03-02/time-{n % 24:02}_{n * 7919:032x}.json" for n in range(3000)]
    assert len(grouped(names)) <= 24
    assert found(names) == ["logs/{day}/time-*.json"]
