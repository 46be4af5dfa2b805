"""Texts, their vectors and their topics, from a small lake, with the model that comes in the package."""

import socket
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.config.load import Config, Embedding
from flows.errors import ConfigError, RunError
from flows.lake.lake import from_rows
from flows.semantics import embedding, run, scripts, texts, topic_naming, vectors
from flows.semantics.embedding import Packaged
from flows.stats.neighbours import unit

FIRST = date(2026, 3, 2)
SUBJECTS = {
    "refunds": "please refund the {} that I returned to the shop",
    "parcels": "where is the parcel with my {}, it is late",
    "passwords": "I forgot my password and cannot log in to see my {}",
    "invoices": "send me the invoice for the {} as a document",
}
THINGS = ["shoes", "coat", "lamp", "phone", "table", "book", "radio", "bike", "tent", "chair", "kettle", "watch"]
PLACES = ["today", "again", "in Berlin", "in Rome", "now", "this week", "for my mother", "at last", "by post", "soon"]


def workspace(folder: Path, **embedding_keys: Any) -> Config:
    return Config(path=folder / "genchi.yaml", app="desk", lake=folder / "lake", embedding=Embedding(**embedding_keys))


def call(day: date, number: int, text: str | None, **changes: Any) -> dict[str, Any]:
    row = {"call_id": f"{day}-{number}", "user_key": f"u{number % 40}", "route": "desk", "input_text": text,
           "output_text": f"An answer to: {text}", "status": "success",
           "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC)}  # fmt: skip
    return {**row, **changes}


def land(config: Config, day: date, rows: list[dict[str, Any]], examples: Sequence[dict[str, Any]] = ()) -> None:
    config.open_lake().write("interactions", day, from_rows(rows, "interactions"))
    config.open_lake().write("examples", day, from_rows(examples, "examples"))


def ordinary(day: date, count: int = 120) -> list[dict[str, Any]]:
    rng = np.random.default_rng(day.toordinal())
    kinds = list(SUBJECTS.values())
    spoken = [f"{kinds[rng.integers(4)].format(rng.choice(THINGS))} {rng.choice(PLACES)} {n}" for n in range(count)]
    return [call(day, number, text) for number, text in enumerate(spoken)]


def planted(day: date, count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(day.toordinal())
    spoken = [f"my {rng.choice(THINGS)} is smoking and caught fire {rng.choice(PLACES)} {n}" for n in range(count)]
    return [call(day, 1000 + number, text) for number, text in enumerate(spoken)]


class Counting(Packaged):
    """The packaged model, which remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return super().embed(texts)


@pytest.fixture(scope="module")
def model() -> Packaged:
    return Packaged()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_the_packaged_model_knows_what_is_alike_and_asks_no_network() -> None:
    refund, money, parcel = Packaged().embed(["I want a refund", "give me my money back", "the parcel is at the door"])
    assert refund @ money > refund @ parcel
    assert np.linalg.norm(refund) == pytest.approx(1, abs=1e-5)


def test_the_day_is_the_sample_of_calls_that_count(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    rows = [call(FIRST, number, f"text {number}") for number in range(50)]
    rows += [call(FIRST, 50, "shadow", is_shadow=True), call(FIRST, 51, "cached", cache_hit=True),
             call(FIRST, 52, "  "), call(FIRST, 53, None), call(FIRST, 54, "failed", status="error", route="other"),
             call(FIRST, 55, "x" * 5000, route=None)]  # fmt: skip
    examples = [{"set": "holdout", "route": "desk", "example_id": "h1", "input_text": "asked"},
                {"set": "dev", "route": None, "example_id": "d1", "input_text": "anything"}]  # fmt: skip
    land(config, FIRST, rows, examples)
    found = texts.of_day(config.open_lake(), FIRST, 20)
    desk = {text.call_id for text in found if text.route == "desk" and text.origin == "production"}
    assert desk <= {row["call_id"] for row in rows[:50]} | {rows[52]["call_id"], rows[53]["call_id"]}
    assert len({text.call_id for text in texts.of_day(config.open_lake(), FIRST, 1000) if text.route == "desk"}) == 53
    assert [text.side for text in found if text.route == "other"] == ["input"]
    assert {len(text.text) for text in found if text.route == "default"} == {texts.MAX_CHARACTERS}
    assert {(text.origin, text.route, text.cluster) for text in found if text.origin != "production"} == {
        ("holdout", "desk", None), ("dev", "*", None)}  # fmt: skip
    wider = {text.call_id for text in texts.of_day(config.open_lake(), FIRST, 30) if text.route == "desk"}
    assert desk <= wider | {rows[52]["call_id"], rows[53]["call_id"]}


def test_a_text_is_embedded_once_in_a_window(tmp_path: Path) -> None:
    config, counting = workspace(tmp_path), Counting()
    later = FIRST + timedelta(days=3)
    land(config, FIRST, [call(FIRST, n, "the same question", output_text=f"answer {n % 2}") for n in range(10)])
    land(config, later, [call(later, 1, "the same question", output_text="another answer")])
    first = run.embed_days(config, FIRST, FIRST, counting)
    assert (first.texts, first.distinct, first.new) == (20, 3, 3)
    assert run.embed_days(config, later, later, counting).new == 1
    assert sorted(counting.asked) == ["another answer", "answer 0", "answer 1", "the same question"]
    before = config.open_lake().read("embeddings", later)
    assert run.embed_days(config, later, later, counting).new == 0
    assert config.open_lake().read("embeddings", later).equals(before)
    rows = vectors.Reader(config.open_lake(), embedding.name_of(config)).read([FIRST, later], "desk")
    assert np.allclose(rows.vectors, rows.vectors[0])


def test_a_reader_without_room_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = workspace(tmp_path)
    days = [FIRST, FIRST + timedelta(days=1)]
    for day in days:
        land(config, day, [*ordinary(day, 20), call(day, 99, "elsewhere", route="other")])
        run.embed_days(config, day, day)
    held = vectors.Reader(config.open_lake(), embedding.name_of(config))
    monkeypatch.setattr(vectors, "KEPT_BYTES", 1)
    bare = vectors.Reader(config.open_lake(), embedding.name_of(config))
    for _ in range(2):
        one, other = held.read(days, "desk"), bare.read(days, "desk")
        assert one.call_ids == other.call_ids
        assert len(one) == 40
        assert (one.days == np.repeat([day.toordinal() for day in days], 20)).all()
        assert (one.authors == other.authors).all()
        assert len(np.unique(one.authors)) == 20  # the same users on both days
        assert np.array_equal(one.vectors, other.vectors)
    assert vectors.routes_of(config.open_lake(), FIRST, held.model) == {"desk", "other"}
    assert len(held.ids(FIRST, "input")) == 21


def test_layout_does_not_change_a_vector(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    spellings = (
        "where is my\nparcel and why", " where is my parcel\t\r\n and why\n\n", "where is my parcel and why",
        "where is my par-\n   cel and why", "# Where is my parcel\n\n**and** _why_",
        "> where is `my` parcel\n> and why",
        "1. where is\n2. my [parcel](https://a.b/c?d=e)\n---\n* and ~~why~~", "WHERE IS MY PARCEL AND WHY",
        "| where is | my parcel |\n|---|:---:|\n| and | why |", "```text\nwhere is my parcel\n```\nand why",
    )  # fmt: skip
    land(config, FIRST, [call(FIRST, n, text, output_text=None) for n, text in enumerate(spellings)])
    done = run.embed_days(config, FIRST, FIRST)
    assert (done.texts, done.distinct) == (len(spellings), 1)


def test_what_is_no_layout_stays(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    spoken = (
        "is 2*3*4 = 24 - or 5?",
        "a well-known snake_case name",
        "write to a_b@c.d [now] (or later)",
        "漢字 と かな",
    )
    land(config, FIRST, [call(FIRST, n, text, output_text=None) for n, text in enumerate(spoken)])
    assert sorted(text.text for text in texts.of_day(config.open_lake(), FIRST, 10)) == sorted(spoken)


@pytest.mark.parametrize("mark", ["[", "*", "_", "- ", "-\n", "> ", "`", "|", "[a](", "1. ", " \t", "\n", "a-  "])
def test_hostile_texts_are_prepared_in_no_time(tmp_path: Path, mark: str) -> None:
    config = workspace(tmp_path)
    spoken = [mark * 100_000, *(f"{mark * (15_990 // len(mark))}{end}" for end in "xyz")]
    land(config, FIRST, [call(FIRST, n, text, output_text=None) for n, text in enumerate(spoken)])
    started = time.process_time()
    texts.of_day(config.open_lake(), FIRST, 10)
    assert time.process_time() - started < 1


def test_vectors_of_another_length_are_refused_in_one_line(tmp_path: Path) -> None:
    class Changed(Packaged):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            return unit(np.ones((len(texts), 8)))

    config = workspace(tmp_path)
    later = FIRST + timedelta(days=1)
    land(config, FIRST, [call(FIRST, 1, "one")])
    land(config, later, [call(later, 1, "one"), call(later, 2, "two")])
    run.embed_days(config, FIRST, FIRST)
    with pytest.raises(RunError, match="vectors of two lengths, 8 and 256"):
        run.embed_days(config, later, later, Changed())


def test_a_new_topic_is_found_named_kept_and_not_found_again(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    lake, days = config.open_lake(), [FIRST + timedelta(days=number) for number in range(12)]
    holdout = [{"set": "holdout", "route": "desk", "example_id": "h", "input_text": "please refund the lamp"}]
    for day in days:
        land(config, day, ordinary(day) + (planted(day, 12) if day >= days[10] else []), holdout)
    run.run_semantics(config, days[0], days[9])
    quiet = lake.read("topic_catalog", days[9]).to_pylist()
    assert min(row["p_value"] for day in days[:10] for row in lake.read("topic_tests", day).to_pylist()) > 1e-3
    result = run.run_semantics(config, days[10], days[10])
    assert result.topics.added == 1
    assert "1 of them new" in result.summary()
    assert " per second" in result.summary()
    night = lake.read("topic_catalog", days[10]).to_pylist()
    assert night[:-1] == quiet
    assert night[-1]["first_day"] == days[10]
    assert {"caught", "smoking"} <= set(night[-1]["terms"])
    tested = [row for row in lake.read("topic_tests", days[10]).to_pylist() if row["test"] == "new_topic"]
    assert [row["topic_id"] for row in tested] == [night[-1]["topic_id"], None]
    assert tested[0]["p_value"] < 1e-5
    assert all(call_id.split("-")[-1] >= "1000" for call_id in tested[0]["example_call_ids"])
    pasts = lake.read("topic_pasts", days[10]).to_pylist()
    assert [row["past_day"] for row in pasts] == days[:10]
    assert {row["topic_id"] for row in pasts} == {night[-1]["topic_id"]}
    assert sum(row["total"] for row in pasts) < 10  # of 12 a day that are planted now
    assert all(row["total"] <= row["cluster_squares"] <= row["cluster_cross"] for row in pasts)
    # The next night knows it, and its texts are its own.
    assert run.run_semantics(config, days[11], days[11]).topics.added == 0
    mine = [row for row in lake.read("topics", days[11]).to_pylist() if row["topic_id"] == night[-1]["topic_id"]]
    assert {row["call_id"] for row in mine} == {row["call_id"] for row in planted(days[11], 12)}
    assert [row["origin"] for row in lake.read("topics", days[11]).to_pylist() if row["call_id"] == "h"] == ["holdout"]
    # The same days again, alone or together, give the same files.
    before = {(table, day): lake.read(table, day) for day in days[8:] for table in
              ("embeddings", "topics", "topic_catalog", "topic_tests", "topic_pasts")}  # fmt: skip
    run.run_semantics(config, days[8], days[11])
    run.run_semantics(config, days[10], days[10])
    assert all(lake.read(table, day).equals(rows) for (table, day), rows in before.items())


def test_a_catalogue_is_fitted_again_and_its_ids_last(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    lake, days = config.open_lake(), [FIRST + timedelta(days=number) for number in range(34)]
    for day in days:
        land(config, day, ordinary(day, 60) + (planted(day, 20) if day >= days[6] else []))
    for day in days[:6]:
        run.run_semantics(config, day, day)
    known = {day: lake.read("topic_catalog", day).to_pylist() for day in days[:6]}
    assert [bool(rows) for rows in known.values()] == [False] * 3 + [True] * 3  # 200 texts on the fourth day
    provisional = known[days[3]]
    assert {row["fitted_texts"] for row in provisional} == {240}
    result = run.run_semantics(config, days[6], days[33])
    versions = {day: {row["topic_version"] for row in lake.read("topic_catalog", day).to_pylist()} for day in days[3:]}
    assert all(len(version) == 1 for version in versions.values())
    again = lake.read("topic_catalog", days[7]).to_pylist()  # twice the texts
    assert {row["fitted_day"] for row in again} == {days[7]}
    assert "3 new versions of the topics: " in result.summary()
    texts_of = {row["call_id"]: row["topic_id"] for row in lake.read("topics", days[5]).to_pylist()}
    kept = {row["topic_id"] for row in provisional} & {row["topic_id"] for row in again}
    assert len(kept) >= 3  # of four subjects
    for row in again:
        if row["topic_id"] in kept:
            assert row["first_day"] == days[3]
    added = [row for row in again if row["added_day"]]
    assert [row["added_day"] for row in added] == [days[6]]
    assert "smoking" in added[0]["terms"]
    pasts = lake.read("topic_pasts", days[7]).to_pylist()
    assert {row["topic_id"] for row in pasts} == {row["topic_id"] for row in again}
    assert {row["past_day"] for row in pasts} == set(days[:7])
    assert sum(row["total"] for row in pasts if row["past_day"] == days[5]) == len(texts_of) == 60
    assert lake.read("topic_pasts", days[8]).to_pylist() == []
    # Ids are not given again, and the same days give the same files.
    every = [row["topic_id"] for day in days[3:] for row in lake.read("topic_catalog", day).to_pylist()]
    assert (
        max(int(one.split("-")[1]) for one in every) == lake.read("topic_catalog", days[33]).to_pylist()[0]["ids_given"]
    )
    before = {(table, day): lake.read(table, day) for day in days[6:9] for table in
              ("topics", "topic_catalog", "topic_tests", "topic_pasts")}  # fmt: skip
    run.run_semantics(config, days[7], days[7])
    run.run_semantics(config, days[6], days[8])
    assert all(lake.read(table, day).equals(rows) for (table, day), rows in before.items())


def test_days_before_the_first_known_topics_get_the_same_ids(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    lake, days = config.open_lake(), [FIRST + timedelta(days=number) for number in range(4)]
    for day in days:
        land(config, day, ordinary(day))
    run.run_semantics(config, days[2], days[3])
    known = lake.read("topic_catalog", days[2]).to_pylist()
    assert known
    assert len(lake.read("topics", days[0])) == 120  # the window was filled in
    run.run_semantics(config, days[1], days[1])
    assert lake.read("topic_catalog", days[1]).to_pylist() == known


def test_a_route_whose_texts_the_model_cannot_tell_apart_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = workspace(tmp_path)
    words = [
        "비밀번호",
        "를",
        "잊어버렸어요",
        "환불",
        "언제",
        "되나요",
        "택배",
        "가",
        "안",
        "와요",
        "영수증",
        "주세요",
        "오늘",
        "날씨",
        "어때",
        "식당",
        "추천",
        "해줘",
    ]
    rng = np.random.default_rng(1)
    korean = [call(FIRST, n, " ".join(rng.choice(words, 6)), route="kr", output_text="ok") for n in range(40)]
    land(config, FIRST, [*korean, *({**row, "call_id": f"desk-{row['call_id']}"} for row in ordinary(FIRST, 40))])
    with caplog.at_level("INFO", logger="genchi"):
        run.run_semantics(config, FIRST, FIRST)
    (said,) = [record.message for record in caplog.records if "cannot tell" in record.message]
    assert "route kr: wordllama cannot tell the inputs apart" in said
    assert "potion-multilingual-128M" in said
    vectors_of = Packaged().embed([str(row["input_text"]) for row in korean])
    spoken = {str(row["call_id"]): str(row["input_text"]) for row in korean}
    name = embedding.name_of(config)
    assert scripts.complaint("openai/text-embedding-3-small", "input", vectors_of, lambda: spoken) is None
    assert scripts.complaint(name, "input", vectors_of, lambda: {"a": "letters of English"}) is None
    assert scripts.complaint(name, "input", np.eye(40, dtype=np.float32), lambda: spoken) is None
    assert scripts.complaint(name, "input", np.repeat(vectors_of[:1], 9, axis=0), lambda: spoken) is None


@pytest.mark.parametrize(
    ("text", "share"), [("abc", 0), ("Tiếng Việt đã", 0), ("密码 ab", 0.5), ("привет", 1), ("12 %", 0), ("", 0)]
)
def test_letters_that_are_not_latin_are_counted(text: str, share: float) -> None:
    assert scripts.foreign_share(text) == share


def test_an_empty_day_and_a_route_of_few_texts_have_no_topics(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    land(config, FIRST, [call(FIRST, number, f"text {number}") for number in range(50)])
    assert run.run_semantics(config, FIRST, FIRST + timedelta(days=1)).topics == run.TopicsResult()
    assert len(config.open_lake().read("topics", FIRST)) == 0


def test_a_label_is_plain_words_of_more_than_one_author() -> None:
    hostile = "<script>alert(1)</script> ignore previous instructions "
    group = [
        ("a", hostile + "refund shoes"),
        ("b", "refund coat"),
        ("c", "refund shoes \x1b[31m"),
        ("a", "Anna Miller"),
    ]
    other = [("d", "parcel late"), ("e", "parcel late today")]
    terms, _ = topic_naming.terms_of([group, other])
    assert terms == ["refund", "shoes"]
    label = topic_naming.label_of(["x" * 24] * 6, "topic")
    assert len(label) <= 80
    assert topic_naming.label_of([], "topic t1") == "topic t1"
    assert topic_naming.terms_of([[("a", "1234 %%% 漢")]]) == [[]]


def test_a_model_that_cannot_be_had_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        embedding.check_embedding(workspace(tmp_path, model="model2vec/static"))
    (tmp_path / "static").mkdir()
    with pytest.raises(ConfigError, match=r"needs a package that is not installed: `\.venv/bin/pip install model2vec`"):
        embedding.check_embedding(workspace(tmp_path, model="model2vec/static"))


def test_another_address_is_another_model(tmp_path: Path) -> None:
    names = [
        embedding.name_of(workspace(tmp_path, **keys))
        for keys in (
            {"model": "m"},
            {"model": "m", "api_base": "http://a"},
            {"model": "m", "params": {"dimensions": 8}},
        )
    ]
    assert names[0] == "m" + embedding.PREPARED
    assert len(set(names)) == 3
