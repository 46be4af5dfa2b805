"""The review page as a browser without script sees it, and as its script does."""

import html
import re
from pathlib import Path
from typing import Any

import pytest

from flows.errors import RunError
from flows.review.labels import collect
from flows.review.page import Guard, Password, create_app
from tests.unit.review import queued
from tests.unit.review.browsing import HOST, SCRIPT, TOKEN, TestClient, client_of, labels, opened, sent, unwelcome
from tests.unit.review.labelled import DAY, config

TEN = [queued.row(number) for number in range(1, 11)]


def test_a_label_takes_the_draw_from_the_queue_and_not_from_what_is_sent(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)
    forged = {"draw": "forged", "inclusion_probability": "1", "stratum": "forged", "queue_day": "1999-01-01"}
    data = sent(TEN[2], "fail", "label-00003", failure_mode=" wrong  order ", note="see line 2", seconds="7.26")
    assert client.post("/labels", data=data | forged, headers=SCRIPT).status_code == 200
    (label,) = labels(workspace)
    given = {
        name: TEN[2][name] for name in ("draw", "stratum", "stratum_size", "sample_size", "judge", "judge_verdict")
    }
    assert given.items() <= label.items()
    assert (label["queue_day"], label["annotator"], label["annotator_kind"]) == (DAY, "ada", "person")
    assert (label["passed"], label["failure_mode"], label["note"]) == (False, "wrong order", "see line 2")
    assert (label["blind"], label["seconds"], label["inclusion_probability"]) == (True, 7.3, 0.1)


def test_what_the_judge_said_and_the_model_are_not_in_the_page_before_one_has_judged(tmp_path: Path) -> None:
    client = opened(config(tmp_path), [TEN[2]])
    hidden = ("judge-model", "because of the tone", "gpt-hidden", "the judge failed it", "judge:fail")
    before = client.get("/").text
    assert not [word for word in hidden if word in before]
    answer = client.post("/labels", data=sent(TEN[2], "pass", "label-00003"), headers=SCRIPT).json()
    assert answer["reveal"] == [
        ["You", "pass"],
        ["Judge judge-model", "fail: because of the tone"],
        ["Model", "gpt-hidden"],
        ["Why this one", "the judge failed it"],
    ]
    assert answer["line"] == "Saved: you say pass, the judge said fail."
    assert all(word in client.get("/").text for word in hidden[:4])


def test_a_label_that_is_sent_again_is_one_label(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)
    for _ in range(3):
        assert client.post("/labels", data=sent(TEN[0], "pass", "label-00001"), headers=SCRIPT).status_code == 200
    again = opened(workspace)  # after a restart
    assert again.post("/labels", data=sent(TEN[0], "pass", "label-00001"), headers=SCRIPT).status_code == 200
    with workspace.open_lake().lock("test"):
        collect(workspace)
    after = opened(workspace)  # and after the labels went into the lake
    assert after.post("/labels", data=sent(TEN[0], "pass", "label-00001"), headers=SCRIPT).status_code == 200
    assert labels(workspace) == []


def test_another_verdict_takes_back_the_first_and_is_not_blind(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)
    client.post("/labels", data=sent(TEN[0], "pass", "label-00001"))
    client.post("/labels", data=sent(TEN[0], "unsure", "label-00002"))
    first, back, second = labels(workspace)
    assert (first["blind"], back["retracts"], back["passed"]) == (True, "label-00001", None)
    assert (second["passed"], second["blind"], second["retracts"]) == (None, False, None)
    client.post("/labels", data=sent(TEN[0], "retract", "label-00003"))
    client.post("/labels", data=sent(TEN[0], "retract", "label-00004"))
    assert [row["retracts"] for row in labels(workspace)[3:]] == ["label-00002"]
    assert "0</span> of <span" in client.get("/").text


def test_without_script_every_form_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)
    for number in range(1, 11):
        page = client.get("/").text
        (article,) = [one for one in page.split("<article")[1:] if not one.split(">")[0].endswith(" hidden")]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', article))
        answer = client.post("/labels", data=fields | {"verdict": "pass"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert fields["subject_id"] == f"call-{number}"
    assert len(labels(workspace)) == 10
    assert "All judged" in client.get("/").text


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"subject_id": "call-99"}, 404, "no such answer"),
        ({"criterion_version": "v0"}, 409, "another version"),
        ({"verdict": "maybe"}, 409, "verdict must be"),
        ({"verdict": "typed"}, 409, "verdict must be"),
        ({"label_id": "../../x"}, 409, "label_id"),
    ],
)
def test_what_cannot_be_a_label_is_refused_with_a_reason(
    tmp_path: Path, change: dict[str, str], status: int, told: str
) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)
    answer = client.post("/labels", data=sent(TEN[0], "pass", "label-00001") | change, headers=SCRIPT)
    assert (answer.status_code, told in answer.json()["line"]) == (status, True)
    assert labels(workspace) == []


def test_a_full_disk_is_told_and_the_label_can_be_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)

    def full(*_: Any) -> None:
        raise RunError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("flows.review.labels.label_journal.Journal.append", full)
        answer = client.post("/labels", data=sent(TEN[0], "pass", "label-00001"), headers=SCRIPT)
        assert (answer.status_code, answer.json()["line"]) == (503, "no space left")
    assert client.post("/labels", data=sent(TEN[0], "pass", "label-00001"), headers=SCRIPT).status_code == 200
    assert len(labels(workspace)) == 1


def test_an_answer_is_shown_to_one_person_and_one_for_a_second_annotator_to_another_too(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    rows = [TEN[0], queued.row(2, is_second=True)]
    anna, bo, cy = opened(workspace, rows, "anna"), opened(workspace, name="bo"), opened(workspace, name="cy")
    for row, label_id in zip(rows, ("anna-00001", "anna-00002"), strict=True):
        anna.post("/labels", data=sent(row, "pass", label_id))
    page = bo.get("/").text
    assert "call-2" in page
    assert "call-1" not in page
    assert "anna" not in page  # a name that no random hexadecimal id contains
    answer = bo.post("/labels", data=sent(rows[1], "fail", "bo-000001"), headers=SCRIPT).json()
    assert ["anna", "pass"] in answer["reveal"]
    assert "call-2" not in cy.get("/").text
    assert "Nothing to judge" in cy.get("/").text
    assert "anna and bo agree on 0 of 1 answer" in anna.get("/").text


def test_who_comes_second_begins_at_the_bottom_and_is_told_what_the_first_has_done(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    queued.write_queue(workspace, TEN)
    guard = Guard(hosts=frozenset({HOST}), token=TOKEN, annotator="ada")
    app = create_app(workspace, DAY, guard)
    ada = client_of(app)
    guard.annotator, guard.token = "bo", TOKEN
    bo = client_of(app)

    def first(client: TestClient) -> Any:
        return re.findall(r'id="item-(\d+)"', client.get("/").text)[0]

    assert (first(ada), first(bo)) == ("1", "10")
    ada.post("/labels", data=sent(TEN[0], "pass", "ada-00001"))
    assert bo.post("/labels", data=sent(TEN[9], "pass", "bo-000001"), headers=SCRIPT).json()["taken"] == [1]
    assert first(opened(workspace, name="bo")) == "10"  # in a page of its own too


def test_disagreements_are_a_list_of_their_own_that_a_third_judgement_settles(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    rows = [queued.row(1, is_second=True)]
    ada, bo = opened(workspace, rows, "ada"), opened(workspace, name="bo")
    ada.post("/labels", data=sent(rows[0], "pass", "ada-00001"))
    bo.post("/labels", data=sent(rows[0], "fail", "bo-000001"))
    assert 'href="/disagreements">Disagreements <span class="count">1' in ada.get("/").text
    ada.post("/labels", data=sent(rows[0], "fail", "ada-00002", resolution="1", note="talked it over"))
    third = labels(workspace)[-1]
    assert (third["draw"], third["blind"], third["inclusion_probability"], third["stratum"]) == (
        "disagreement", False, None, None,
    )  # fmt: skip
    assert [row["retracts"] for row in labels(workspace)] == [None, None, None]
    page = bo.get("/disagreements").text
    assert "settled by ada" in page
    assert "talked it over" in page


def test_the_most_frequent_failure_modes_of_the_route_are_the_first_nine(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    rows = [queued.row(number) for number in range(1, 16)]
    client = opened(workspace, rows)
    for number in range(12):
        mode = "Wrong order" if number % 3 == 0 else "wrong order" if number % 3 == 1 else f"mode {number}"
        client.post("/labels", data=sent(rows[number], "fail", f"label-{number:05}", failure_mode=mode))
    page = client.get("/").text
    assert '<button name="mode" value="Wrong order" data-key="1">' in page
    client.post("/labels", data=sent(rows[12], "", "label-00012", mode="mode 2"))
    assert (labels(workspace)[-1]["passed"], labels(workspace)[-1]["failure_mode"]) == (False, "mode 2")
    assert "No new failure mode in the last 1 failed label of 13" in client.get("/").text


def test_only_a_browser_with_the_token_of_this_start_gets_in(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    queued.write_queue(workspace, TEN)
    guard = Guard(hosts=frozenset({HOST}), token=TOKEN, annotator="ada")
    client = unwelcome(create_app(workspace, DAY, guard))
    assert client.get("/").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    opening = client.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (opening.status_code, opening.headers["location"]) == (303, "/")
    assert "HttpOnly" in opening.headers["set-cookie"]
    assert "SameSite=strict" in opening.headers["set-cookie"]
    page = client.get("/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page.text
    assert not re.search(r"<script(?! src=\"/static/review.js\" defer>)", page.text)
    assert not re.search(r" (?:style|on\w+)=", page.text)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:9999"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"content-length": "1000001"}, 413),
        ({"cookie": "genchi=wrong"}, 403),
    ],
)
def test_requests_of_other_sites_and_too_large_ones_are_refused(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, TEN)
    data = sent(TEN[0], "pass", "label-00001")
    if "cookie" in headers:
        client.cookies.clear()
    assert client.post("/labels", data=data, headers=headers).status_code == status
    assert labels(workspace) == []


def test_a_body_without_a_length_is_cut_off_at_one_megabyte(tmp_path: Path) -> None:
    client = opened(config(tmp_path), TEN)
    chunks = (b"note=" + b"x" * 100_000 for _ in range(20))
    headers = {"content-type": "application/x-www-form-urlencoded"} | SCRIPT
    assert client.post("/labels", content=chunks, headers=headers).status_code == 413


def test_a_password_lets_others_in_under_their_own_names_and_cannot_be_guessed_fast(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    queued.write_queue(workspace, TEN)
    password = Password("correct horse battery")
    guard = Guard(hosts=frozenset({HOST}), token=TOKEN, annotator="ada", password=password)
    client = unwelcome(create_app(workspace, DAY, guard))
    assert client.get("/").url.path == "/login"
    for _ in range(3):
        wrong = client.post("/login", data={"name": "bo", "password": "wrong"})
        assert (wrong.status_code, "The password is wrong" in wrong.text) == (403, True)
    assert client.post("/login", data={"name": " ", "password": "correct horse battery"}).status_code == 403
    assert client.post("/login", data={"name": "bo", "password": "correct horse battery"}).status_code == 200
    client.post("/labels", data=sent(TEN[0], "pass", "label-00001"))
    assert labels(workspace)[0]["annotator"] == "bo"
    assert client.post("/login", data={"name": "bo", "password": "correct horse battery"}).status_code == 429


def test_posts_are_limited(tmp_path: Path) -> None:
    client = opened(config(tmp_path), TEN)
    statuses = [client.post("/labels", data={}, headers=SCRIPT).status_code for _ in range(200)]
    assert set(statuses) == {404, 429}
    assert statuses.index(429) >= 100


def test_names_with_signs_that_no_page_shows_still_name_their_answer(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    rows = [queued.row(1, subject_id='<b>\u202e"\n\x1b[2J&amp;', route="r\u200b\"'<>")]
    client = opened(workspace, rows)
    page = client.get("/").text
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "<b>\\u202e" not in page
    (shown,) = re.findall(r'name="subject_id" value="([^"]*)"', page)
    data = sent(rows[0], "pass", "label-00001", subject_id=html.unescape(shown))
    assert client.post("/labels", data=data).status_code == 200
    assert labels(workspace)[0]["subject_id"] == rows[0]["subject_id"]


def test_two_answers_stand_beside_each_other_with_their_differences_marked(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    other = {"parts": [queued.text("It arrives on Friday at noon.")]}
    item = queued.shown("When?", "It arrives on Monday at noon.", other_answer=other)
    rows = [queued.row(number, item_json=item) for number in range(1, 9)]
    page = opened(workspace, rows).get("/").text
    assert page.count("<mark>Monday</mark>") == page.count("<mark>Friday</mark>") == 8
    firsts = re.findall(r'<h3>A</h3>\s*<div class="text">It arrives on <mark>(\w+)', page)
    assert set(firsts) == {"Monday", "Friday"}
    better = re.findall(r'<button name="verdict" value="(\w+)" data-key="p">A is better', page)
    assert better == ["pass" if first == "Monday" else "fail" for first in firsts]
