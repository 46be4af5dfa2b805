"""`genchi holdout propose`, `accept`, `reject` and `freeze` on a small lake, as a person runs them."""

import json
import random
import stat
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.config import Config
from flows.config import load as configuration
from flows.ingest.example_sets import freeze
from flows.lake.lake import Lake, from_rows
from flows.semantics.run import run_semantics
from tests.hostile_texts import HOSTILE

DAY = date(2026, 5, 4)
SYSTEM = "You answer for a garden shop. Example: may I plant the hazel hedge in the shade of the old barn?"
HOSES = [f"which {kind} hose fits the {tap} tap" for kind in ("green", "short", "long", "flat") for tap in
         ("brass", "kitchen", "garden", "outdoor", "plastic", "old")]  # fmt: skip
FAULTS = ("broke", "rusted", "came late", "was scratched", "does not start", "was the wrong one")
REFUNDS = [f"I want my money back for the {thing} that {fault}" for thing in ("spade", "rake", "mower", "barrow") for
           fault in FAULTS]  # fmt: skip
GERMAN = ["Wann wird meine Bestellung endlich geliefert?", "Kann ich die Schaufel auch im Laden zurückgeben?",
          "Ich habe den falschen Rasenmäher bekommen, was nun?", "Wie lange gilt die Garantie für die Heckenschere?",
          "Warum wurde mein Konto heute Morgen gesperrt?", "Gibt es den Schlauch auch in einer anderen Farbe?",
          ]  # fmt: skip


def call(number: int, text: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
    return {
        "call_id": f"call-{number:04d}",
        "route": "shop",
        "status": "success",
        "messages_json": json.dumps(messages),
        "input_text": text,
        "output_text": f"Answer {number}.",
        "output_json": None,
        "started_at": datetime.combine(DAY, time(12), UTC) + timedelta(seconds=number),
        **more,
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Config:
    rows = [{"example_id": str(n), "input": text, "expected": "yes"} for n, text in enumerate(HOSES)]
    (tmp_path / "h.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    dev = {"example_id": "d1", "input": "does the watering can come in blue?", "expected": "yes", "route": "shop"}
    (tmp_path / "dev.jsonl").write_text(json.dumps(dev) + "\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact}\n", encoding="utf-8")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\ndev_set: dev.jsonl\nroutes: {shop: {holdout: h.jsonl, criteria: c.yaml}}\n",
        encoding="utf-8",
    )
    return configuration.load_config(tmp_path / "genchi.yaml")


def fill(config: Config, calls: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> Lake:
    lake = config.open_lake()
    lake.write("interactions", DAY, from_rows(calls, "interactions"))
    for table, rows in tables.items():
        lake.write(table, DAY, from_rows(rows, table))
    freeze(config, DAY)
    return lake


def genchi(config: Config, *arguments: str) -> int:
    return main(["holdout", *arguments, "--config", str(config.path)])


def proposals(config: Config) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = config.open_lake().read("holdout_proposals", DAY).to_pylist()
    return found


def test_what_the_holdout_lacks_is_proposed_accepted_and_frozen(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [*HOSES, *REFUNDS, *GERMAN, "does the watering can come in blue?", "what about the blue watering can now",
             "may I plant the hazel hedge in the shade of the old barn?"]  # fmt: skip
    calls = [call(n, text) for n, text in enumerate(texts)]
    edit = {"call_id": calls[-2]["call_id"], "kind": "edit", "at": calls[-2]["started_at"], "edited_output": "In May."}
    label = {
        "label_id": "l1", "subject": "interaction", "subject_id": calls[30]["call_id"], "route": "shop", "at":
        calls[30]["started_at"], "passed": False, "failure_mode": "promises a date", "annotator": "ann",
    }  # fmt: skip
    lake = fill(workspace, calls, feedback=[edit], annotations=[label])
    run_semantics(workspace, DAY, DAY)

    assert genchi(workspace, "propose", "--day", str(DAY), "--limit", "12") == 0
    printed, found = capsys.readouterr().out, proposals(workspace)
    assert printed.startswith(
        f"shop: {len(found)} proposals of {len(texts)} calls; left out: 2 leaks, 24 near-duplicates of the holdout,"
    )
    assert 6 <= len(found) <= 12
    reasons = {row["call_id"]: row["reason"] for row in found}
    assert reasons[edit["call_id"]] == "edited"
    assert reasons[label["subject_id"]] == "failure_mode"
    assert {"language", "topic"} & set(reasons.values())
    assert any(row["input_text"] in GERMAN for row in found)
    assert not {row["input_text"] for row in found} & {*HOSES, texts[-1], texts[-3]}
    by_call = {row["call_id"]: row for row in found}
    assert (by_call[edit["call_id"]]["expected_text"], by_call[edit["call_id"]]["expected_origin"]) == (
        "In May.", "edited",
    )  # fmt: skip
    assert by_call[label["subject_id"]]["expected_text"] is None

    assert genchi(workspace, "propose", "--day", str(DAY), "--limit", "12") == 0
    assert proposals(workspace) == found

    edited, labelled = by_call[edit["call_id"]]["proposal_id"], by_call[label["subject_id"]]["proposal_id"]
    german, german_text = next((row["proposal_id"], row["input_text"]) for row in found if row["input_text"] in GERMAN)
    assert genchi(workspace, "accept", edited, "--as", "ann") == 0
    assert genchi(workspace, "accept", labelled) == 2
    assert "give this one, too (--expected)" in capsys.readouterr().err
    assert genchi(workspace, "accept", labelled, "--expected", "Ask at the desk.") == 0
    assert genchi(workspace, "reject", german) == 0
    before = workspace.routes["shop"].holdout.read_text("utf-8")  # type: ignore[union-attr] - the fixture sets it
    capsys.readouterr()
    assert genchi(workspace, "freeze", "--route", "shop") == 0
    printed = capsys.readouterr().out
    assert f"added 2: {', '.join(sorted([edited, labelled]))}" in printed
    after = workspace.routes["shop"].holdout.read_text("utf-8")  # type: ignore[union-attr] - as above
    assert after.startswith(before)
    new = {row["example_id"]: row for row in map(json.loads, after.splitlines())}
    assert new[edited] == {
        "example_id": edited, "input": texts[-2], "expected": "In May.", "tags": {"proposed": "edited"},
    }  # fmt: skip
    assert new[labelled]["expected"] == "Ask at the desk."
    first, second = sorted(
        (row for day in lake.days("holdout_versions") for row in lake.read("holdout_versions", day).to_pylist()),
        key=lambda row: row["n_examples"],
    )
    assert (first["parent"], second["parent"], second["n_added"]) == (None, first["version"], 2)
    assert second["version"] in printed
    assert len(second["anchor_ids"]) == second["n_anchor"] == len(HOSES)
    freeze(workspace, DAY)
    frozen = lake.read("examples", DAY).to_pylist()
    assert {row["version"] for row in frozen if row["set"] == "holdout"} == {second["version"]}
    nothing_is_made_twice(workspace, capsys, {edited: texts[-2], labelled: texts[30], german: german_text})


def nothing_is_made_twice(workspace: Config, capsys: pytest.CaptureFixture[str], decided: dict[str, str]) -> None:
    assert genchi(workspace, "freeze") == 0
    assert "nothing new" in capsys.readouterr().out
    assert genchi(workspace, "propose", "--day", str(DAY), "--limit", "60") == 0
    again = {row["proposal_id"]: row for row in proposals(workspace)}
    assert set(decided) <= set(again)  # they are kept, and not made again
    undecided = {row["input_text"] for name, row in again.items() if name not in decided}
    assert not undecided & set(decided.values())


def test_an_exact_leak_is_neither_accepted_nor_frozen(workspace: Config, capsys: pytest.CaptureFixture[str]) -> None:
    lake = fill(workspace, [call(1, "how deep do I plant tulips"), call(2, "when do I cut the roses")])
    run_semantics(workspace, DAY, DAY)
    rows = [
        {"proposal_id": name, "route": "shop", "call_id": name, "messages_json": call(1, text)["messages_json"],
         "input_text": text, "expected_text": "yes", "reason": "topic"}
        for name, text in (("p-1", "Does the WATERING can come in blue?"), ("p-2", "when do I cut the roses"),
                           ("p-3", "may I plant the hazel hedge in the shade of the old barn?"),
                           ("p-4", "which green hose fits the brass taps"))
    ]  # fmt: skip
    lake.write("holdout_proposals", DAY, from_rows(rows, "holdout_proposals"))
    assert genchi(workspace, "accept", "p-1") == 2
    assert "stands in example d1 of the dev set" in capsys.readouterr().err
    assert genchi(workspace, "accept", "p-3") == 2
    assert "stands in the application's own prompt" in capsys.readouterr().err
    # The page does not look for leaks: what it accepted is refused when it is frozen.
    at = datetime.combine(DAY, time(12), UTC)
    decisions = [
        {"decision_id": f"d-{n}", "kind": "proposal", "subject_id": f"p-{n}", "at": at, "accepted": True}
        for n in (1, 2, 3, 4)
    ]
    lake.write("review_decisions", DAY, from_rows(decisions, "review_decisions"))
    assert genchi(workspace, "freeze") == 0
    printed = capsys.readouterr().out
    assert "left out: p-1: is a leak: it stands in example d1 of the dev set" in printed
    assert "left out: p-3: is a leak" in printed
    assert "left out: p-4: is a near-duplicate of example 0" in printed
    assert "added 1: p-2" in printed


def test_an_accepted_example_that_was_deleted_by_hand_stays_away(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    place = accepted_and_frozen(workspace)
    assert "added 1: p-1" in capsys.readouterr().out
    frozen = place.read_text("utf-8")
    place.write_text("".join(line for line in frozen.splitlines(keepends=True) if "p-1" not in line), encoding="utf-8")
    without = place.read_text("utf-8")
    assert without != frozen
    for told in ("removed 1: p-1", "nothing new"):
        assert genchi(workspace, "freeze") == 0
        printed = capsys.readouterr().out
        assert told in printed
        assert "added" not in printed
        assert "left out" not in printed
        assert place.read_text("utf-8") == without


def test_a_freeze_keeps_the_permissions_of_the_file_and_writes_through_a_link(workspace: Config) -> None:
    link = workspace.routes["shop"].holdout
    assert link
    place = link.parent / "elsewhere" / "examples.jsonl"
    place.parent.mkdir()
    link.rename(place)
    place.chmod(0o660)
    link.symlink_to(place)
    accepted_and_frozen(workspace)
    assert link.is_symlink()
    assert "p-1" in place.read_text("utf-8")
    assert stat.S_IMODE(place.stat().st_mode) == 0o660


def accepted_and_frozen(workspace: Config) -> Path:
    """The holdout after one proposal of it, `p-1`, was accepted and frozen."""
    lake = fill(workspace, [call(1, "how deep do I plant tulips")])
    row = {"proposal_id": "p-1", "route": "shop", "call_id": "call-0001", "input_text": "how deep do I plant tulips",
           "messages_json": call(1, "how deep do I plant tulips")["messages_json"], "expected_text": "yes",
           "reason": "topic"}  # fmt: skip
    lake.write("holdout_proposals", DAY, from_rows([row], "holdout_proposals"))
    assert genchi(workspace, "accept", "p-1") == 0
    assert genchi(workspace, "freeze") == 0
    place = workspace.routes["shop"].holdout
    assert place
    return place


def test_hostile_calls_are_proposed_as_data_and_printed_without_their_marks(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = [call(n, text, output_text=text) for n, text in enumerate(HOSTILE)]
    calls.append(call(9_998, "x" * 300_000))
    calls.append(call(9_999, "tell me", messages_json='[{"role": "user"}, 1]'))
    fill(workspace, calls)
    assert genchi(workspace, "propose", "--day", str(DAY), "--limit", "500") == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert not set(printed) & set("\u202e\u2066\u200b\x00\x07")
    found = proposals(workspace)
    assert "call-9998" not in {row["call_id"] for row in found}
    for row in found:
        assert genchi(workspace, "accept", row["proposal_id"], "--expected", "=cmd|' /C calc'!A0") == 0
    assert genchi(workspace, "freeze") == 0
    assert genchi(workspace) == 0  # the file can be read again


def test_examples_of_topics_that_nobody_asks_about_are_retired_but_never_the_anchor(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    place = workspace.routes["shop"].holdout
    assert place
    rows = [{"example_id": f"{n:03d}", "input": f"{letters(n)} of the pond", "expected": "yes"} for n in range(150)]
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    topics = [topic(row["example_id"], "holdout", "t1" if row["example_id"] < "120" else "t2") for row in rows]
    calls = [call(n, f"{letters(n)} of the lawn") for n in range(200)]
    topics += [topic(one["call_id"], "production", "t1") for one in calls]
    fill(workspace, calls, topics=topics)
    assert genchi(workspace, "freeze") == 0
    assert "nothing new" in capsys.readouterr().out
    assert main(["holdout", "freeze", "--retire", "--config", str(workspace.path)]) == 0
    assert "nothing new" in capsys.readouterr().out  # yesterday's window knows no topics
    lake = workspace.open_lake()
    lake.write("topics", workspace.yesterday(), from_rows(topics, "topics"))
    assert genchi(workspace, "freeze", "--retire") == 0
    printed = capsys.readouterr().out
    versions = [row for day in lake.days("holdout_versions") for row in lake.read("holdout_versions", day).to_pylist()]
    new = max(versions, key=lambda row: row["parent"] is not None)
    removed = set(json.loads(new["diff_json"])["removed"])
    assert removed
    assert removed <= {row["example_id"] for row in rows[120:]}
    assert len(new["anchor_ids"]) == 100
    assert not removed & set(new["anchor_ids"])
    assert f"removed {len(removed)}: " in printed
    kept = {json.loads(line)["example_id"] for line in place.read_text("utf-8").splitlines()}
    assert kept == {row["example_id"] for row in rows} - removed


def topic(call_id: str, origin: str, topic_id: str) -> dict[str, Any]:
    return {"call_id": call_id, "side": "input", "origin": origin, "route": "shop", "topic_id": topic_id,
            "topic_version": "v1", "is_novel": False}  # fmt: skip


def letters(number: int) -> str:
    """Different words for different numbers, which are no near-duplicates of one another."""
    chance = random.Random(number)
    return " ".join("".join(chance.choices("abcdefghijklmnoprstuw", k=7)) for _ in range(4))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("accept", "p-none"), "no proposal 'p-none'; `genchi holdout propose` prints those that there are"),
        (("propose", "--route", "other"), "route 'other' has no holdout; routes with one: shop"),
    ],
)
def test_a_wrong_name_is_one_line(
    workspace: Config, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.open_lake().create()
    assert genchi(workspace, *arguments) == 2
    assert told in capsys.readouterr().err
