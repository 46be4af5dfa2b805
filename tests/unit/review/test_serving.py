"""Where the review page is served, and to whom."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from flows.config import load_config
from flows.errors import ConfigError, RunError
from flows.review.page import Place, serve, serving
from tests.unit.review import queued
from tests.unit.review.labelled import config


def ignore(_: str) -> None:
    """Print nothing."""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org", ""])
def test_another_address_than_loopback_needs_a_password(tmp_path: Path, host: str) -> None:
    workspace = config(tmp_path)
    with pytest.raises(ConfigError, match=r"others could reach the page; set `review: \{password"):
        serve(workspace, Place(host=host), ignore)
    password = workspace.review.model_copy(update={"password": "correct horse battery"})
    assert serving.required_password(workspace.model_copy(update={"review": password}), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_none(tmp_path: Path, host: str) -> None:
    assert serving.required_password(config(tmp_path), host) is None


def test_without_a_queue_one_line_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no review queue yet; `genchi nightly` draws one"):
        serve(config(tmp_path), Place(), ignore)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    queued.write_queue(workspace, [queued.row(1)])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RunError, match=rf"127\.0\.0\.1:{port}: Address already in use; name another port"):
            serve(workspace, Place(port=port), ignore)


def test_only_names_of_this_machine_are_answered() -> None:
    assert serving.allowed_hosts("127.0.0.1", 8760) == {"127.0.0.1:8760", "localhost:8760", "[::1]:8760"}
    wide = serving.allowed_hosts("0.0.0.0", 8760, ("Review.Example.org",))
    assert {"review.example.org", "review.example.org:8760", f"{socket.gethostname().lower()}:8760"} <= wide
    assert not {"evil.example:8760", "evil.example"} & wide


@pytest.mark.parametrize(
    ("host", "port", "named"),
    [
        ("127.0.0.2", 8760, "127.0.0.2:8760"),
        ("127.0.0.1", 80, "127.0.0.1"),
        ("localhost", 80, "localhost:80"),
        ("::1", 80, "[::1]"),
        ("0:0:0:0:0:0:0:1", 8760, "[::1]:8760"),
    ],
)
def test_the_page_answers_under_the_address_that_it_was_given(host: str, port: int, named: str) -> None:
    assert named in serving.allowed_hosts(host, port)


def test_a_password_is_long_and_may_wait_for_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "genchi.yaml"
    path.write_text("app: a\nlake: lake\nreview: {password: short}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="at least 12 characters"):
        load_config(path)
    path.write_text('app: a\nlake: lake\nreview: {password: "${REVIEW_PASSWORD}"}\n', encoding="utf-8")
    monkeypatch.delenv("REVIEW_PASSWORD", raising=False)
    assert load_config(path).app == "a"  # a night does not need it
    assert main(["review", "--config", str(path)]) == 2
    assert "REVIEW_PASSWORD is not set; the review page needs it" in capsys.readouterr().err
    monkeypatch.setenv("REVIEW_PASSWORD", "correct horse battery")
    assert main(["review", "--config", str(path), "--as", ""]) == 2
    assert "--as: a name has 1 to 60 characters" in capsys.readouterr().err


def test_the_page_goes_on_moving_labels_after_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[int] = []

    def collect() -> None:
        tried.append(1)
        if len(tried) < 3:
            raise ValueError("a broken file")

    async def some_rounds() -> None:
        moving = asyncio.create_task(serving.move_now_and_then(collect, 0.01))
        while len(tried) < 4:
            await asyncio.sleep(0.01)
        moving.cancel()

    asyncio.run(asyncio.wait_for(some_rounds(), 10))
    assert [record.getMessage() for record in caplog.records] == ["labels stay in the journal: a broken file"] * 2


def test_what_a_night_needs_of_the_room_imports_no_web_server() -> None:
    code = "import sys, flows.review.flow; print(sorted({'fastapi', 'uvicorn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
