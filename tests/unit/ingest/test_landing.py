"""From files to the lake: nothing lost, nothing doubled, and each row under its own day."""

import base64
import gzip
import hashlib
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import load
from flows.config.load import Config
from flows.ingest import landing
from flows.lake.lake import Lake

DAY = date(2026, 3, 2)
PARTS = ("interactions", "feedback", "duplicates", "other", "quarantined")


def call(call_id: str, at: str = "2026-03-02T10:00:00Z", **more: Any) -> str:
    return json.dumps({"call_id": call_id, "started_at": at, "input_text": "hi", **more})


def workspace(folder: Path, *, path: str = "logs/{day}.jsonl*", more: str = "") -> Config:
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "genchi.yaml").write_text(
        f"app: a\nlake: lake\n{more}sources:\n  - {{name: s, format: genchi, path: '{path}'}}\n", encoding="utf-8"
    )
    return load.load_config(folder / "genchi.yaml")


def write(folder: Path, *lines: str, day: date = DAY) -> None:
    (folder / "logs" / f"{day}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def contents(lake: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in lake.rglob("*.parquet")}


def ids(settings: Config, day: date = DAY) -> list[str]:
    return sorted(Lake(settings.lake).read("interactions", day).column("call_id").to_pylist())


def test_the_parts_add_up_to_the_records_and_the_manifest_says_so(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a"), call("a"), "", "{broken", call("b"), '{"call_id":"a","kind":"thumb","at":"2026-03-02"}')
    landed = landing.land(settings, DAY)
    assert (landed.records, landed.interactions, landed.duplicates) == (5, 2, 1)
    assert (landed.feedback, landed.quarantined, landed.other) == (1, 1, 0)
    (row,) = Lake(settings.lake).read("manifest", DAY).to_pylist()
    data = (tmp_path / "logs" / f"{DAY}.jsonl").read_bytes()
    assert (row["file"], row["bytes"]) == (f"logs/{DAY}.jsonl", len(data))
    assert row["sha256"] == hashlib.sha256(data).hexdigest()


def test_values_that_cannot_be_read_are_counted_by_record_and_told_by_column(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a", cost_usd="abc", latency_ms=True), call("b", cost_usd=[]), call("c", cost_usd=0.5))
    landed = landing.land(settings, DAY)
    assert (landed.interactions, landed.quarantined, landed.incomplete) == (3, 0, 2)
    assert "2 records with unreadable values" in landed.summary()
    assert "source s: values that could not be read are null: cost_usd (2), latency_ms (1)" in caplog.text
    assert Lake(settings.lake).read("manifest", DAY).column("incomplete").to_pylist() == [2]
    rows = Lake(settings.lake).read("interactions", DAY).sort_by("call_id").to_pylist()
    assert [row["cost_usd"] for row in rows] == [None, None, 0.5]


def test_of_duplicates_the_newest_stays(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(
        tmp_path,
        call("a", "2026-03-02T12:00:00Z", output_text="newest"),
        call("a", "2026-03-02T11:00:00Z", output_text="older"),
    )
    landing.land(settings, DAY)
    assert Lake(settings.lake).read("interactions", DAY).column("output_text").to_pylist() == ["newest"]


def test_landing_twice_leaves_the_very_same_files(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a"), call("b"), "{broken")
    landing.land(settings, DAY)
    before = contents(settings.lake)
    landing.land(settings, DAY)
    assert contents(settings.lake) == before


def test_a_row_lands_under_its_own_day_in_the_configured_time_zone(tmp_path: Path) -> None:
    settings = workspace(tmp_path, more="timezone: America/New_York\n")
    write(tmp_path, call("late", "2026-03-02T03:00:00Z"), call("day", "2026-03-02T12:00:00Z"))
    landed = landing.land(settings, DAY)
    assert landed.days == (date(2026, 3, 1), DAY)
    assert ids(settings, date(2026, 3, 1)) == ["late"]
    assert ids(settings) == ["day"]


def test_a_late_row_joins_a_day_that_is_there_already(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a"))
    landing.land(settings, DAY)
    after = date(2026, 3, 3)
    write(tmp_path, call("b", "2026-03-02T23:59:59Z"), day=after)
    landing.land(settings, after)
    assert ids(settings) == ["a", "b"]


def test_a_file_without_a_day_in_its_path_is_counted_by_one_night_only(tmp_path: Path) -> None:
    settings = workspace(tmp_path, path="logs/*.jsonl")
    write(tmp_path, call("a"), "{broken")
    assert landing.land(settings, DAY).records == 2
    assert landing.land(settings, DAY).records == 2
    assert landing.land(settings, date(2026, 3, 3)).records == 0
    assert len(Lake(settings.lake).read("quarantine", date(2026, 3, 3))) == 0


def test_a_gzip_that_breaks_off_keeps_what_could_be_read(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    data = gzip.compress("\n".join(call(f"c{n}", output_text=str(n) * 500) for n in range(2000)).encode())
    (tmp_path / "logs" / f"{DAY}.jsonl.gz").write_bytes(data[: len(data) // 2])
    landed = landing.land(settings, DAY)
    assert landed.interactions > 100
    assert landed.quarantined == 1
    (row,) = Lake(settings.lake).read("quarantine", DAY).to_pylist()
    assert "cut off here" in row["reason"]
    begun = base64.b64decode(row["raw"])  # the line in which it broke off, as far as it goes
    assert begun.startswith(b'{"call_id": "c')
    assert row["line"] == landed.interactions + 1


def test_bytes_that_are_no_text_are_kept_as_base64(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    (tmp_path / "logs" / f"{DAY}.jsonl").write_bytes(call("a").encode() + b'\n{"x": "\xff\x00"}\n' + call("b").encode())
    landed = landing.land(settings, DAY)
    assert (landed.interactions, landed.quarantined) == (2, 1)
    (row,) = Lake(settings.lake).read("quarantine", DAY).to_pylist()
    assert row["raw"] == "eyJ4IjogIv8AIn0="
    assert row["line"] == 2


def test_a_json_file_is_one_object_or_a_list_of_them(tmp_path: Path) -> None:
    settings = workspace(tmp_path, path="logs/{day}-*.json")
    (tmp_path / "logs" / f"{DAY}-one.json").write_text(json.dumps(json.loads(call("a")), indent=2), encoding="utf-8")
    (tmp_path / "logs" / f"{DAY}-two.json").write_text(f"[{call('b')}, {call('c')}]", encoding="utf-8")
    assert landing.land(settings, DAY).interactions == 3


def test_a_day_without_files_lands_nothing_and_is_no_crash(tmp_path: Path) -> None:
    landed = landing.land(workspace(tmp_path), DAY)
    assert (landed.files, landed.records, landed.days) == (0, 0, ())


def test_personal_data_is_redacted_before_it_is_written_quarantine_included(tmp_path: Path) -> None:
    settings = workspace(tmp_path, more="redact: [email, card, secret, phone]\n")
    secret = "sk-" + "a1B2" * 8
    write(
        tmp_path,
        call("a", output_text=f"mail ann@example.org, card 4111 1111 1111 1111, not a card 1234567890123456, {secret}",
             messages=[{"role": "user", "content": "+49 170 1234567"}]),
        '{"broken": "ann@example.org',
    )  # fmt: skip
    landed = landing.land(settings, DAY)
    assert landed.redacted >= 4
    (row,) = Lake(settings.lake).read("interactions", DAY).to_pylist()
    assert row["output_text"] == "mail [email], card [card], not a card 1234567890123456, [secret]"
    assert json.loads(row["messages_json"])[0]["content"] == "[phone]"
    for path in settings.lake.rglob("*.parquet"):
        assert b"ann@example.org" not in path.read_bytes()
    assert Lake(settings.lake).read("quarantine", DAY).column("raw").to_pylist() == ['{"broken": "[email]']


def test_personal_data_in_a_name_goes_too_and_a_signal_is_known_again_by_what_it_landed_with(tmp_path: Path) -> None:
    settings = workspace(tmp_path, more="redact: [email]\n")
    names = ("route", "environment", "release", "prompt_name", "prompt_version", "provider", "model_requested",
             "model_served", "system_fingerprint", "finish_reason", "error_type")  # fmt: skip
    write(
        tmp_path,
        call("a", **{name: f"for ann@example.org {name}" for name in names}),
        json.dumps({"call_id": "a", "kind": "thumb of ann@example.org", "at": "2026-03-02T10:00:00Z", "value": "up"}),
    )
    assert landing.land(settings, DAY).redacted == len(names) + 1
    (row,) = Lake(settings.lake).read("interactions", DAY).to_pylist()
    assert {name: row[name] for name in names} == {name: f"for [email] {name}" for name in names}
    landing.land(settings, DAY)
    assert Lake(settings.lake).read("feedback", DAY).column("kind").to_pylist() == ["thumb of [email]"]


def test_a_gzip_of_several_members_is_read_to_its_end(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    members = [gzip.compress(f"{call('a')}\n{call('b')[:20]}".encode()), gzip.compress(f"{call('b')[20:]}\n".encode())]
    (tmp_path / "logs" / f"{DAY}.jsonl.gz").write_bytes(b"".join(members) + b"\0" * 16)
    assert landing.land(settings, DAY).interactions == 2
    assert ids(settings) == ["a", "b"]


def test_redaction_leaves_json_json_and_looks_into_what_is_no_text(tmp_path: Path) -> None:
    settings = workspace(tmp_path, more="redact: [email, card]\n")
    answer = json.dumps({"order": 4111111111111111, "n": 5, "to": "ann@example.org"})
    lines = [
        call("a", output_text=answer).encode(),
        b'{"x": "\xff ann@example.org"}',
        b'{"call_id": "ann@example.org"}',
    ]
    late = call("b", at="mail ann@example.org").encode()
    (tmp_path / "logs" / f"{DAY}.jsonl").write_bytes(b"\n".join([*lines, late]))
    landing.land(settings, DAY)
    (row,) = Lake(settings.lake).read("interactions", DAY).to_pylist()
    assert json.loads(row["output_text"]) == {"order": "[card]", "n": 5, "to": "[email]"}
    refused = Lake(settings.lake).read("quarantine", DAY).to_pylist()
    assert len(refused) == 3
    assert all("ann@" not in row["reason"] + row["raw"] for row in refused)
    coded = next(row for row in refused if row["reason"].endswith("base64"))
    assert base64.b64decode(coded["raw"]) == b'{"x": "\xff [email]"}'


def test_a_range_of_days_lands_as_the_days_do_and_adds_up(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a"), "{broken")
    write(tmp_path, call("b", "2026-03-03T01:00:00Z"), day=date(2026, 3, 3))
    landed = landing.land_days(settings, DAY, date(2026, 3, 4))
    assert (landed.files, landed.interactions, landed.quarantined) == (2, 2, 1)
    assert landed.days == (DAY, date(2026, 3, 3))


def test_a_call_that_moved_over_midnight_is_one_call(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a", "2026-03-02T23:59:59Z"), call("b"))
    landing.land(settings, DAY)
    after = date(2026, 3, 3)
    write(tmp_path, call("a", "2026-03-03T00:00:01Z", output_text="newest"), day=after)
    landed = landing.land(settings, after)
    assert (landed.interactions, landed.duplicates, landed.days) == (0, 1, (DAY, after))
    assert (ids(settings), ids(settings, after)) == (["b"], ["a"])


def test_two_sources_with_the_same_call_keep_one_and_count_the_other(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    text = (tmp_path / "genchi.yaml").read_text(encoding="utf-8")
    more = "  - {name: t, format: genchi, path: 'logs/{day}.jsonl*', route: other}\n"
    (tmp_path / "genchi.yaml").write_text(text + more, encoding="utf-8")
    write(tmp_path, call("a"), call("b"))
    landed = landing.land(load.load_config(tmp_path / "genchi.yaml"), DAY)
    assert (landed.records, landed.interactions, landed.duplicates) == (4, 2, 2)
    assert set(Lake(settings.lake).read("interactions", DAY).column("source").to_pylist()) == {"t"}


def test_a_late_and_a_grown_file_are_read_by_the_next_night_and_no_other(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a"))
    landing.land(settings, DAY)
    write(tmp_path, call("a"), call("b"))
    (tmp_path / "logs" / f"{DAY}.jsonl.late").write_text(call("c") + "\n", encoding="utf-8")
    after = date(2026, 3, 3)
    landed = landing.land(settings, after)
    assert (landed.interactions, landed.duplicates, landed.days) == (2, 1, (DAY,))
    assert ids(settings) == ["a", "b", "c"]
    assert landing.land(settings, date(2026, 3, 4)).files == 0


def totals(settings: Config) -> tuple[int, int]:
    """What the manifests of all nights say of calls, and how many there are."""
    store = Lake(settings.lake)
    manifests = [row for night in store.days("manifest") for row in store.read("manifest", night).to_pylist()]
    assert all(row["records"] == sum(row[part] for part in PARTS) for row in manifests)
    rows = sum(len(store.read("interactions", day)) for day in store.days("interactions"))
    return sum(row["interactions"] for row in manifests), rows


def refused(settings: Config) -> list[tuple[int, str]]:
    """Line and text of all that is in quarantine, which the manifests have to count."""
    store = Lake(settings.lake)
    rows = [row for night in store.days("quarantine") for row in store.read("quarantine", night).to_pylist()]
    manifests = [row for night in store.days("manifest") for row in store.read("manifest", night).to_pylist()]
    assert all(row["records"] == sum(row[part] for part in PARTS) for row in manifests)
    assert sum(row["quarantined"] for row in manifests) == len(rows)
    return sorted((row["line"], row["raw"]) for row in rows)


def test_a_bad_record_is_in_quarantine_once_however_many_nights_read_its_file(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, call("a"), "{bad")
    landing.land(settings, DAY)
    write(tmp_path, call("a"), "{bad", "{worse", call("b"))
    landed = landing.land(settings, date(2026, 3, 3))
    assert (landed.interactions, landed.duplicates, landed.quarantined) == (1, 2, 1)
    before = contents(settings.lake)
    assert landing.land(settings, date(2026, 3, 3)).quarantined == 1
    assert contents(settings.lake) == before
    for day in (DAY, date(2026, 3, 3), date(2026, 3, 4)):
        landing.land(settings, day)
        assert refused(settings) == [(2, "{bad"), (3, "{worse")]
    landing.land_days(settings, DAY, date(2026, 3, 4))
    assert refused(settings) == [(2, "{bad"), (3, "{worse")]
    assert totals(settings) == (2, 2)


def test_rows_of_other_days_stay_where_nothing_newer_of_theirs_arrives(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    days = [date(2026, 3, day) for day in (1, 2, 3, 10)]
    for day in (days[0], days[2], days[3]):
        write(tmp_path, call("x", f"{day}T10:00:00Z"), day=day)
        landing.land(settings, day)
    write(tmp_path, call("y"), day=days[1])
    landing.land(settings, days[1])
    assert totals(settings) == (4, 4)
    landing.land_days(settings, days[0], days[3])
    assert totals(settings) == (4, 4)


@pytest.mark.parametrize("after", [range(3), range(3, 8), range(5, 10), range(8)])
def test_a_file_that_is_replaced_leaves_the_manifest_adding_up(tmp_path: Path, after: range) -> None:
    settings = workspace(tmp_path)
    write(tmp_path, *(call(f"c{n}") for n in range(5)), "{broken")
    landing.land(settings, DAY)
    write(tmp_path, *(call(f"c{n}") for n in after))
    for _ in range(2):
        landing.land(settings, DAY)
        counted, there = totals(settings)
        assert counted == there == len({*range(5), *after})
        assert len(Lake(settings.lake).read("quarantine", DAY)) == 0


def test_a_range_reads_a_file_without_a_day_in_its_path_once(tmp_path: Path) -> None:
    settings = workspace(tmp_path, path="logs/*.jsonl")
    write(tmp_path, call("a"), "{broken")
    landed = landing.land_days(settings, date(2026, 3, 1), date(2026, 3, 3))
    assert (landed.files, landed.records, landed.quarantined) == (1, 2, 1)
    assert totals(settings) == (1, 1)


def test_another_content_of_the_same_size_and_time_is_read(tmp_path: Path) -> None:
    settings = workspace(tmp_path, path="logs/*.jsonl")
    write(tmp_path, call("a"))
    file = tmp_path / "logs" / f"{DAY}.jsonl"
    os.utime(file, (1e9, 1e9))
    landing.land(settings, DAY)
    (tmp_path / "other").write_text(call("b") + "\n", encoding="utf-8")
    os.utime(tmp_path / "other", (1e9, 1e9))
    (tmp_path / "other").rename(file)
    landing.land(settings, date(2026, 3, 3))
    assert ids(settings) == ["a", "b"]


def test_fields_are_dropped_also_where_only_duckdb_takes_the_record_for_json(tmp_path: Path) -> None:
    settings = workspace(tmp_path, more="redact_paths: [tags.who]\n")
    whole = call("a", tags={"who": "Zed Qux", "x": 1})
    lines = (
        whole,
        whole[:-1] + ",}",
        whole[:-1] + f', "n": {"1" * 5000}}}',
        whole[:-1] + ', "latency_ms": nan}',
        whole[:-1],
    )
    write(tmp_path, *lines)
    landing.land(settings, DAY)
    store = Lake(settings.lake)
    kept = store.read("interactions", DAY).column("tags").to_pylist()
    kept += [row["raw"] for row in store.read("quarantine", DAY).to_pylist() if row["reason"] != "not valid JSON"]
    assert kept
    assert not [text for text in kept if "Zed" in text]


def test_users_are_a_hash_and_nothing_else(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    names = {"user_id": "RAW7", "kept": 1, "enduser.id": "RAW7", "metadata": {"user_id": "RAW7"}}
    write(tmp_path, call("a", user_key="RAW7", tags=names, params_json={"user": "RAW7", "temperature": 0}))
    landing.land(settings, DAY)
    (row,) = Lake(settings.lake).read("interactions", DAY).to_pylist()
    assert "RAW7" not in json.dumps(row, default=str)
    assert json.loads(row["tags"]) == {"kept": 1, "metadata": {}}
    assert len(row["user_key"]) == 16


def test_a_source_whose_variable_is_not_set_is_told_and_the_others_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workspace(tmp_path)
    with (tmp_path / "genchi.yaml").open("a", encoding="utf-8") as file:
        file.write("  - {name: far, format: genchi, path: '${FAR_LOGS}/{day}.jsonl'}\n")
        file.write("  - {name: rows, format: litellm, dsn: '${FAR_ROWS}'}\n")
    write(tmp_path, call("a"))
    settings = load.load_config(tmp_path / "genchi.yaml", {})
    settings.require_for_ingest()
    landed = landing.land(settings, DAY)
    assert (ids(settings), landed.files, landed.unread) == (["a"], 1, 2)
    manifest = {row["source"]: row for row in Lake(settings.lake).read("manifest", DAY).to_pylist()}
    told = "the environment variable FAR_LOGS is not set; set it"
    assert (manifest["far"]["file"], manifest["far"]["problem"]) == (f"${{FAR_LOGS}}/{DAY}.jsonl", told)
    assert manifest["rows"]["problem"] == "the environment variable FAR_ROWS is not set; set it"
    assert f"source far: ${{FAR_LOGS}}/{DAY}.jsonl: {told}" in caplog.text
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / f"{DAY}.jsonl").write_text(call("b") + "\n", encoding="utf-8")
    settings = load.load_config(tmp_path / "genchi.yaml", {"FAR_LOGS": str(tmp_path / "far")})
    landed = landing.land(settings, DAY)
    assert (ids(settings), landed.unread) == (["a", "b"], 1)
