"""A whole night on hostile texts: in logs, names of files, test sets, answers, names of models and routes.

Nothing of them is run, nothing is requested, and nothing reaches a terminal, a page or a message as it came.
"""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.config import load_config
from flows.outgoing import plain
from tests.chromium import chromium
from tests.hostile_texts import HOSTILE, MARK, URL
from tests.serving import Quiet, serving

pytestmark = pytest.mark.long
DAY = date(2026, 3, 2)
ROOT = Path(__file__).resolve().parents[2]
# What genchi and rich draw on a terminal: colours, erased lines, a cursor that is hidden or moved up.
DRAWN = re.compile(r"\x1b\[(?:2K|\?25[lh]|1?A|(?:[0-9]{1,3})?(?:;[0-9]{1,3})*m)|\r")
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass
class Peers:
    """One server for the models, the webhooks and the address that nobody may reach."""

    url: str = ""
    texts: list[str] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    strayed: list[str] = field(default_factory=list)


@contextmanager
def peers() -> Iterator[Peers]:
    seen = Peers()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply: dict[str, Any] = {}
            if self.path.startswith("/hook"):
                seen.posted.append(body)
            elif self.path == "/v1/chat/completions":
                seen.asked += 1
                text = seen.texts[seen.asked % len(seen.texts)]
                message = {"role": "assistant", "content": text}
                choice = {"index": 0, "finish_reason": "stop", "message": message}
                usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
                reply = {"id": text[:200], "object": "chat.completion", "created": 1, "model": text[:200],
                         "system_fingerprint": text[:200], "choices": [choice], "usage": usage}  # fmt: skip
            else:
                seen.strayed.append(self.path)
            content = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            if self.path != "/v1/models":  # which doctor asks for
                seen.strayed.append(self.path)
            self.send_response(404)
            self.end_headers()

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        seen.url = f"http://127.0.0.1:{server.server_port}"
        yield seen


def texts_for(folder: Path, url: str) -> list[str]:
    return [text.replace(MARK, str(folder / "written" / "mark")).replace(URL, f"{url}/stray") for text in HOSTILE]


def write_workspace(folder: Path, url: str, texts: list[str]) -> None:
    """Each text as input, output, route, model, names and tags of a call, as an example, and in a file's name."""
    for name in ("written", "temporary"):
        (folder / name).mkdir()
    (folder / "logs" / str(DAY)).mkdir(parents=True)
    short = [text[:200] for text in texts]
    calls = [
        json.dumps({
            "call_id": f"c{n}", "started_at": f"{DAY}T{n % 24:02}:00:00Z", "input_text": text, "output_text": text,
            "model_served": short[n], "model_requested": short[n], "provider": short[n], "release": short[n],
            "route": short[n] if n % 3 else "a\x1b[2Jb\u202e", "prompt_name": short[n], "prompt_version": short[n],
            "session_id": short[n], "error_message": text, "tags": [short[n]], "user_id": short[n], "status": "ok",
            "input_tokens": 1, "output_tokens": 1, "latency_ms": 1.0,
        })
        for n, text in enumerate(texts)
    ]  # fmt: skip
    names = ["a\x1b[2J", "b\u202egpj", "$(touch x)", "<img src=x>", "'; drop table x; --", "{{ 7*7 }}", "-rf", "c\nd"]
    for place, name in enumerate(names):
        lines = [*calls[place :: len(names)], texts[place].replace("\n", " "), "{broken \x1b[2J"]
        content = "\n".join(lines).encode("utf-8", "replace")
        (folder / "logs" / str(DAY) / f"{name}.jsonl").write_bytes(content + b"\n")
    examples = [
        json.dumps({"example_id": f"{n} {short[n]}", "input": text, "expected": text, "tags": {"kind": short[n]}})
        for n, text in enumerate(texts)
        if text.strip() and not re.search("[\ud800-\udfff]", text)  # half a character in a test set is an error
    ]
    (folder / "holdout.jsonl").write_text("\n".join(examples) + "\n", encoding="utf-8")
    criteria = [
        {"name": "same", "kind": "exact", "severity": "critical", "min_pass_rate": 0.9},
        {"name": "json <b>\u202e", "kind": "json_valid", "severity": "critical", "min_pass_rate": 0.9},
    ]
    (folder / "criteria.yaml").write_text(yaml.safe_dump(criteria), encoding="utf-8")
    route = "a\x1b[2Jb\u202e"
    model = {"api_base": f"{url}/v1", "api_key": "sk-hidden-0123456789"}
    settings = {
        "app": "shop <b>\x1b[2J\u202e", "lake": "lake",
        "sources": [{"name": "own", "format": "genchi", "path": "logs/{day}/*.jsonl"}],
        "routes": {route: {"holdout": "holdout.jsonl", "criteria": "criteria.yaml"}},
        "models": {
            "pinned": {"model": "openai/m", "name": "pinned <i>\x1b[2J", **model},
            "candidates": [{"model": "openai/n", "name": "{{ 7 * 7 }}\u202e<script>alert(1)</script>", **model}],
        },
        "alerts": [
            *({"kind": kind, "url": f"{url}/hook/{kind}"} for kind in ("webhook", "slack")),
            {"kind": "apprise", "url": f"{url.replace('http', 'json', 1)}/hook/apprise?format=markdown"},
        ],
    }  # fmt: skip
    (folder / "genchi.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def on_a_terminal(*arguments: str, cwd: Path) -> tuple[int, str]:
    """The exit code of a verb, and all that it wrote to a terminal."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "flows.cli", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    environment |= {"PREFECT_HOME": str(cwd / "prefect"), "TMPDIR": str(cwd / "temporary")}
    process = subprocess.Popen(
        command, cwd=cwd, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    )
    os.close(follower)
    parts = []
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the last writer has closed it
            break
        if not part:
            break
        parts.append(part)
    os.close(leader)
    return process.wait(timeout=60), b"".join(parts).decode("utf-8", "surrogateescape")


@dataclass
class Night:
    """What is left of the night."""

    folder: Path
    peers: Peers
    texts: list[str]
    code: int
    shown: str

    @property
    def pages(self) -> list[Path]:
        return sorted((self.folder / "reports" / str(DAY)).rglob("*.html"))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("hostile")
    with peers() as seen:
        texts = seen.texts = texts_for(folder, seen.url)
        write_workspace(folder, seen.url, texts)
        code, shown = on_a_terminal("nightly", "--day", str(DAY), cwd=folder)
        yield Night(folder, seen, texts, code, shown)


def test_the_night_runs_to_its_end_and_loses_no_record(night: Night) -> None:
    assert len(night.texts) >= 200
    assert night.code == 1, night.shown[-3000:]
    lake = load_config(night.folder / "genchi.yaml").open_lake()
    calls = lake.read("interactions", DAY, columns=["call_id"]).num_rows
    rows = lake.read("manifest", DAY).to_pylist()
    written = sum(path.read_bytes().count(b"\n") for path in (night.folder / "logs" / str(DAY)).iterdir())
    assert sum(row["records"] for row in rows) == written
    assert calls >= len(night.texts) - 5
    answers = lake.read("completions", DAY).to_pylist()
    assert {row["status"] for row in answers} == {"ok"}
    assert len(answers) >= 2 * 190


def test_nothing_is_run_and_nobody_is_asked(night: Night) -> None:
    assert list((night.folder / "written").iterdir()) == []
    assert not [path for path in night.folder.iterdir() if path.name in ("x", "x.db", "mark")]
    assert night.peers.strayed == []
    assert night.peers.asked > 0


def test_the_terminal_gets_plain_text(night: Night) -> None:
    assert UNSAFE.findall(DRAWN.sub("", night.shown)) == []
    assert "critical" in night.shown.lower() or "broken" in night.shown.lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ["doctor", "--day", str(DAY)],
        ["holdout"],
        ["dbt", "show", "--inline", "select route, tags, input_text from {{ ref('stg_interactions') }}", "--limit",
         "300"],
    ],
)  # fmt: skip
def test_other_verbs_show_plain_text_too(night: Night, arguments: list[str]) -> None:
    _, shown = on_a_terminal(*arguments, cwd=night.folder)
    assert UNSAFE.findall(DRAWN.sub("", shown)) == []
    assert len(shown) > 50


def test_no_page_holds_a_text_that_steers_as_it_came(night: Night) -> None:
    assert len(night.pages) >= 2
    steering = [text for text in night.texts if len(text) > 1 and plain(text, keep="\n\t") != text]
    for page in night.pages:
        content = page.read_bytes().decode("utf-8", "replace")
        assert [text for text in steering if text in content] == [], page
    index = (night.folder / "reports" / str(DAY) / "index.html").read_text(encoding="utf-8")
    assert UNSAFE.findall(index) == []
    assert "sk-hidden" not in index


def test_no_file_but_the_configuration_has_the_key(night: Night) -> None:
    """Journals, logs and pages; the tables of the lake are compressed, and read."""
    files = [path for path in night.folder.rglob("*") if path.is_file() and path.name != "genchi.yaml"]
    assert any(path.name == "dbt.log" for path in files)
    assert [path for path in files if b"sk-hidden" in path.read_bytes()] == []
    lake = load_config(night.folder / "genchi.yaml").open_lake()
    for table in ("completions", "expectation_results", "manifest", "quarantine", "model_variants"):
        assert "sk-hidden" not in str(lake.read(table, DAY).to_pylist())


def test_messages_are_plain_and_call_nobody(night: Night) -> None:
    assert len(night.peers.posted) == 3
    for message in night.peers.posted:
        told = json.dumps(message, ensure_ascii=False)
        assert UNSAFE.findall(re.sub("(?<=[@<\\]])\u2060", "", told)) == []
        if "headline" not in message:
            assert not re.search(r"<!?(?:channel|here|everyone|@)", told)


def test_the_pages_run_nothing_and_fetch_nothing_in_a_browser(night: Night) -> None:
    with chromium() as browser:
        for path in night.pages:
            page = browser.new_context().new_page()
            requests: list[str] = []
            noise: list[str] = []
            page.on("request", lambda request, kept=requests: kept.append(request.url))
            page.on("dialog", lambda dialog, kept=noise: (kept.append(dialog.message), dialog.dismiss()))
            page.on("pageerror", lambda error, kept=noise: kept.append(str(error)))
            page.goto(path.as_uri(), wait_until="load")
            page.wait_for_timeout(300)
            assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == [], path
            assert noise == [], path
            page.close()
    assert night.peers.strayed == []
