"""Labels as files: what is exported comes back as it was, and other tools' exports are read or told, never half."""

import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.config import Config, load_config
from flows.lake import CALL, Tombstones, add_tombstones, from_rows
from flows.review.labels import import_labels, labels_of, publish
from flows.review.labels.foreign_labels import verdict_of
from tests.hostile_texts import HOSTILE
from tests.unit.review.labelled import label

AT = datetime(2024, 5, 14, 9, 30, tzinfo=UTC)
CALLS = [
    {"call_id": "obs-1", "trace_id": "trace-1", "route": "triage", "started_at": AT},
    {"call_id": "obs-2", "trace_id": "trace-1", "route": "triage", "started_at": AT.replace(hour=10)},
    {"call_id": "obs-3", "trace_id": "trace-3", "route": "summary", "started_at": AT},
]
LANGFUSE = {
    "id": "score-1",
    "traceId": "trace-1",
    "observationId": None,
    "timestamp": "2024-05-14T12:00:00.000Z",
    "source": "ANNOTATION",
    "name": "helpful",
    "dataType": "BOOLEAN",
    "value": 1,
    "stringValue": "True",
    "comment": "fine",
    "authorUserName": "Ada",
}
PHOENIX = {
    "id": "U3Bhbg==",
    "span_id": "obs-3",
    "name": "correctness",
    "annotator_kind": "HUMAN",
    "user_id": "VXNlcjox",
    "created_at": "2024-05-14T12:00:00+00:00",
    "updated_at": "2024-05-14T12:30:00+00:00",
    "result": {"label": "incorrect", "score": 0, "explanation": "wrong city"},
}
ARGILLA = {
    "id": "obs-1",
    "fields": {"prompt": "q", "answer": "a"},
    "metadata": {},
    "suggestions": {},
    "responses": {"ok": [{"value": "yes", "user_id": "u1"}, {"value": "no", "user_id": "u2"}]},
    "vectors": {},
    "_server_id": "s",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Config:
    (tmp_path / "genchi.yaml").write_text("app: a\nlake: lake\n", encoding="utf-8")
    config = load_config(tmp_path / "genchi.yaml")
    lake = config.open_lake()
    with lake.lock("test"):
        lake.write("interactions", AT.date(), from_rows(CALLS, "interactions"))
    return config


def stored(config: Config) -> list[dict[str, Any]]:
    return list(labels_of(config.open_lake()))


def run(config: Config, *arguments: str) -> int:
    return main(["labels", arguments[0], "--config", str(config.path), *arguments[1:]])


def written(config: Config, name: str, rows: Any) -> str:
    path = config.path.parent / name
    is_lines = name.endswith(".jsonl")
    path.write_text("\n".join(map(json.dumps, rows)) if is_lines else json.dumps(rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_is_exported_comes_back_as_it_was(workspace: Config, tmp_path: Path, kind: str) -> None:
    texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")[:3_000] for text in HOSTILE]
    more = {"stratum": "judge:fail", "stratum_size": 12, "sample_size": 3, "inclusion_probability": 0.1 + 0.2}
    entries = [
        label(
            f"label-{number}",
            note=text,
            failure_mode=text[:80],
            subject_id=text,
            passed=(True, False, None)[number % 3],
        )
        for number, text in enumerate(texts)
    ]
    entries += [label("back", retracts="label-1", passed=None, blind=None, seconds=None), label("full", **more)]
    with workspace.open_lake().lock("test"):
        publish(workspace.open_lake(), "UTC", entries)
    before = stored(workspace)
    assert run(workspace, "export", "--format", kind, "--output", str(tmp_path / "labels")) == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "genchi.yaml").write_text("app: a\nlake: lake\n", encoding="utf-8")
    config = load_config(other / "genchi.yaml")
    for _ in range(2):  # again adds nothing
        assert run(config, "import", str(tmp_path / "labels")) == 0
    assert stored(config) == before
    assert len(before) == len(HOSTILE) + 2


def test_an_export_to_a_pipe_is_what_is_stored_and_has_the_labels_of_the_journal(
    workspace: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.review.labels import journal_of

    journal_of(workspace.state).append([label("a", note="tab\tand \x1b[2J, =1+1")])
    monkeypatch.setattr(sys, "stdout", pipe := io.StringIO())
    assert run(workspace, "export", "--format", "jsonl") == 0
    assert json.loads(pipe.getvalue())["note"] == "tab\tand \x1b[2J, =1+1"


def test_scores_of_langfuse_are_labels_where_people_gave_them(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        LANGFUSE,
        LANGFUSE | {"id": "score-2", "observationId": "obs-1", "value": 0, "stringValue": "False"},
        LANGFUSE
        | {"id": "score-3", "traceId": "trace-3", "dataType": "CATEGORICAL", "value": 4, "stringValue": "unsure"},
        LANGFUSE | {"id": "score-4", "source": "EVAL"},
        LANGFUSE | {"id": "score-5", "dataType": "TEXT", "value": 0, "stringValue": "a remark"},
    ]
    assert run(workspace, "import", written(workspace, "scores.json", rows)) == 0
    labels = stored(workspace)
    assert {(row["subject_id"], row["passed"], row["route"]) for row in labels} == {
        ("obs-2", True, "triage"),  # a trace is named by its last call
        ("obs-1", False, "triage"),
        ("obs-3", None, "summary"),
    }
    assert {row["annotator_kind"] for row in labels} == {"imported"}
    assert {(row["blind"], row["stratum"], row["queue_day"], row["criterion_version"]) for row in labels} == {
        (None, None, None, None)
    }
    told = capsys.readouterr().out
    assert "3 labels added, 0 known already" in told
    assert "1 left out: a score of source EVAL" in told
    assert "1 left out: a score of type TEXT" in told


def test_scores_of_langfuse_in_csv_and_from_blob_storage_are_read_too(workspace: Config) -> None:
    (workspace.path.parent / "s.csv").write_text(
        "id,timestamp,project_id,environment,trace_id,observation_id,name,value,source,comment,data_type,string_value\n"
        's1,2024-05-14 12:00:00.000000,p,default,trace-1,obs-1,helpful,1,ANNOTATION,"two\nlines",BOOLEAN,\n',
        encoding="utf-8",
    )
    assert run(workspace, "import", str(workspace.path.parent / "s.csv")) == 0
    (row,) = stored(workspace)
    assert (row["subject_id"], row["passed"], row["note"], row["at"]) == (
        "obs-1",
        True,
        "two\nlines",
        AT.replace(hour=12, minute=0),
    )


def test_an_imported_label_has_the_version_of_its_criterion_that_was_in_force(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    lake, name = workspace.open_lake(), {"route": "triage", "criterion": "helpful"}
    noted = [
        name | {"criterion_version": version, "since": AT.replace(day=day, hour=0)}
        for version, day in (("v1", 10), ("v2", 14), ("v3", 20))
    ]
    lake.write("criteria", AT.date(), from_rows(noted, "criteria"))
    for day, version in ((13, "s1"), (14, "s2")):
        scored = name | {"criterion": "polite", "criterion_version": version, "subject_id": "obs-1"}
        lake.write("scores", AT.date().replace(day=day), from_rows([scored], "scores"))
    sizes = name | {"criterion": "overall", "criterion_version": "o1", "stratum": "plain:unjudged"}
    lake.write("review_strata", AT.date(), from_rows([sizes], "review_strata"))
    rows = [
        LANGFUSE,
        LANGFUSE | {"id": "score-2", "timestamp": "2024-05-12T12:00:00Z"},
        LANGFUSE | {"id": "score-3", "timestamp": "2024-05-01T12:00:00Z"},  # before the first was noted
        LANGFUSE | {"id": "score-4", "name": "polite"},
        LANGFUSE | {"id": "score-5", "name": "overall"},
        LANGFUSE | {"id": "score-6", "name": "unheard of"},
    ]
    assert run(workspace, "import", written(workspace, "scores.json", rows)) == 0
    assert {(row["criterion"], row["at"].day, row["criterion_version"]) for row in stored(workspace)} == {
        ("helpful", 14, "v2"),
        ("helpful", 12, "v1"),
        ("helpful", 1, "v3"),
        ("polite", 14, "s2"),
        ("overall", 14, "o1"),
        ("unheard of", 14, None),
    }
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if "no version" in line] == [
        "1 label of 'unheard of' on route triage: no version of this criterion is known, so no rate counts them;"
        " name a criterion of the route so, and import the file again after its first night"
    ]


def test_annotations_of_phoenix_are_read_as_json_and_as_a_frame(workspace: Config) -> None:
    rows = [PHOENIX, PHOENIX | {"id": "x", "annotator_kind": "LLM"}]
    assert run(workspace, "import", written(workspace, "a.jsonl", rows)) == 0
    (row,) = stored(workspace)
    assert (row["subject_id"], row["criterion"], row["passed"], row["note"]) == (
        "obs-3", "correctness", False, "wrong city",
    )  # fmt: skip
    assert row["at"] == datetime(2024, 5, 14, 12, 30, tzinfo=UTC)
    (workspace.path.parent / "frame.csv").write_text(
        "span_id,id,annotation_name,annotator_kind,user_id,result.label,result.score,result.explanation\n"
        "obs-3,U3Bhbg==,correctness,HUMAN,VXNlcjox,incorrect,0.0,wrong city\n"
        "obs-2,other,correctness,HUMAN,VXNlcjox,,1.0,\n",
        encoding="utf-8",
    )
    assert run(workspace, "import", str(workspace.path.parent / "frame.csv")) == 0
    assert [(row["subject_id"], row["passed"]) for row in stored(workspace)] == [("obs-2", True), ("obs-3", False)]


def test_responses_of_argilla_are_a_label_for_each_person_and_question(workspace: Config) -> None:
    rows = [
        ARGILLA,
        ARGILLA
        | {"id": "r2", "metadata": {"trace_id": "trace-3"}, "responses": {"ok": [{"value": "no", "user_id": "u1"}]}},
        ARGILLA | {"id": "obs-2", "responses": {"ok": [], "remark": [{"value": "long text", "user_id": "u1"}]}},
        ARGILLA | {"id": "nobody", "responses": {}},
    ]
    assert run(workspace, "import", written(workspace, "r.json", rows), "--only", "ok") == 0
    labels = stored(workspace)
    assert sorted((row["subject_id"], row["annotator"], row["passed"]) for row in labels) == [
        ("obs-1", "u1", True),
        ("obs-1", "u2", False),
        ("obs-3", "u1", False),
    ]
    assert {row["at"].date() for row in labels} == {date(2024, 5, 14)}


def test_a_record_of_argilla_without_responses_is_one_clear_line(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(workspace, "r.jsonl", [{"id": "obs-1"}])
    assert run(workspace, "import", path, "--format", "argilla") == 2
    told = "no responses, an object of questions; export the records with `to_json`"
    assert capsys.readouterr().out == f"{path}:1: {told}\n"


def test_a_verdict_that_was_corrected_in_the_other_tool_takes_the_place_of_the_earlier_one(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    def standing() -> list[bool | None]:
        rows = stored(workspace)
        back = {row["retracts"] for row in rows}
        return [row["passed"] for row in rows if row["retracts"] is None and row["label_id"] not in back]

    other = LANGFUSE | {"id": "score-2", "observationId": "obs-1"}
    for value in (1, 0, 1, None):  # back and forth, and then unsure
        given = LANGFUSE | {"value": value, "stringValue": {1: "True", 0: "False", None: "unsure"}[value]}
        for _ in range(2):  # again adds nothing
            assert run(workspace, "import", written(workspace, "s.json", [given, given, other])) == 0
        assert sorted(standing(), key=str) == sorted([verdict_of(given["stringValue"]), True], key=str)
    assert len(stored(workspace)) == 5 + 3  # four verdicts, of which three were taken back, and the other label
    told = capsys.readouterr().out
    assert told.count("1 of them in place of an earlier label, which was taken back") == 3


def test_labels_of_a_call_that_was_forgotten_do_not_come_back_with_a_file(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    own, foreign = str(workspace.workspace / "own.jsonl"), written(workspace, "phoenix.json", [PHOENIX])
    lake = workspace.open_lake()
    with lake.lock("test"):
        publish(lake, "UTC", [label("l-1", subject_id="obs-1")])
    assert run(workspace, "export", "--format", "jsonl", "--output", own) == 0
    with lake.lock("test"):
        nobody = Tombstones(workspace.secret_of_user_keys(lake))
        add_tombstones(lake, nobody, date(2024, 5, 15), AT, {CALL: {"obs-1", "obs-3"}})
    before = len(stored(workspace))
    capsys.readouterr()
    for path in (own, foreign):
        assert run(workspace, "import", path) == 0
        assert "1 left out: of calls that were forgotten" in capsys.readouterr().out
    assert len(stored(workspace)) == before


def test_a_label_gets_its_version_when_it_is_imported_again_after_the_first_night(workspace: Config) -> None:
    path = written(workspace, "s.json", [LANGFUSE])
    assert run(workspace, "import", path) == 0
    scored = {"route": "triage", "criterion": "helpful", "criterion_version": "v1", "subject_id": "obs-1"}
    workspace.open_lake().write("scores", AT.date(), from_rows([scored], "scores"))
    for _ in range(2):
        assert run(workspace, "import", path) == 0
    first, second = sorted(
        (row for row in stored(workspace) if not row["retracts"]), key=lambda row: str(row["criterion_version"])
    )
    assert (first["criterion_version"], second["criterion_version"]) == (None, "v1")
    assert [row["retracts"] for row in stored(workspace) if row["retracts"]] == [first["label_id"]]


def test_a_table_that_somebody_wrote_names_calls_or_traces(workspace: Config) -> None:
    (workspace.path.parent / "mine.csv").write_text(
        "call_id,trace_id,criterion,passed,annotator,failure_mode\n"
        "obs-1,,correct,no,ada,too long\n,trace-3,correct,yes,,\n",
        encoding="utf-8",
    )
    assert run(workspace, "import", str(workspace.path.parent / "mine.csv")) == 0
    assert sorted((row["subject_id"], row["passed"], row["failure_mode"]) for row in stored(workspace)) == [
        ("obs-1", False, "too long"),
        ("obs-3", True, None),
    ]


def test_where_one_row_cannot_be_read_nothing_is_imported_and_each_is_told_with_its_line(
    workspace: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        LANGFUSE,
        LANGFUSE | {"id": "score-2", "value": 0.7, "dataType": "NUMERIC"},
        LANGFUSE | {"id": "score-3", "traceId": "elsewhere"},
        LANGFUSE | {"id": "score-4", "name": None},
        [],
        LANGFUSE | {"id": "score-6", "timestamp": "yesterday"},
    ]
    path = written(workspace, "bad.jsonl", rows)
    assert run(workspace, "import", path) == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"{path}:2: '0.7' is neither pass nor fail",
        f"{path}:4: no name",
        f"{path}:5: not an object, or not as many fields as the first line",
        f"{path}:6: 'yesterday' is not a time",
        f"{path}:3: no call elsewhere in the lake",
    ]
    assert "nothing was imported" in told.err
    assert stored(workspace) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a\nb\n", b"[1, 2", b'{"a": 1}\n', b"a,a\n1,2\n"])
def test_files_that_are_no_labels_are_one_clear_line(
    workspace: Config, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.path.parent / "file"
    path.write_bytes(content)
    assert run(workspace, "import", str(path)) == 2
    assert stored(workspace) == []
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_lake_is_searched_once_for_all_labels(workspace: Config) -> None:
    rows = [LANGFUSE | {"id": f"score-{n}"} for n in range(300)]
    path = Path(written(workspace, "many.jsonl", rows))
    with workspace.open_lake().lock("test"):
        assert import_labels(workspace, path).added == 300
        assert import_labels(workspace, path).known == 300
