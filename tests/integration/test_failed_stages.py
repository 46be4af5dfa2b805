"""A stage that failed is told by the digest and the page, whichever it was, and where nothing can be written."""

import json
import os
import resource
import subprocess
import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import nightly
from flows.alerts import notifiers
from flows.alerts.digest import of_night
from flows.config import load_config
from flows.errors import ConfigError, RunError
from flows.evaluate import load_setup
from flows.lake import from_rows
from flows.night import NightFailedError
from tests.integration.servers import webhook

DAY = date(2026, 3, 2)
pytestmark = [pytest.mark.long]
STAGES = (
    *("labels", "ingest", "semantics", "score_night", "transform", "evaluated", "review", "export", "check", "report"),
    *("retention", "alert", "announce_night"),
)
NAMES = {"score_night": "production", "evaluated": "evaluate", "announce_night": "event"}


def workspace(folder: Path, hook: str, **more: Any) -> Path:
    (folder / "logs").mkdir()
    line = {"call_id": "a", "started_at": f"{DAY}T10:00:00Z", "input_text": "hi", "output_text": "ho"}
    (folder / "logs" / f"{DAY}.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    path = folder / "genchi.yaml"
    settings = {
        "app": "a", "lake": "lake", "alerts": [{"kind": "webhook", "url": hook}], "retention": {"manifest": "900d"},
        "sources": [{"name": "app", "format": "genchi", "path": "logs/{day}.jsonl"}], **more,
    }  # fmt: skip
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages before the checks do nothing."""
    done = SimpleNamespace(summary=lambda: "done", days=(), first=DAY, answers=0)
    for name in ("labels", "ingest", "semantics", "score_night", "transform", "review"):
        monkeypatch.setattr(nightly, name, lambda *_, **__: done)
    monkeypatch.setattr(nightly, "export", lambda *_, **__: "done")


def fail(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device", "/somewhere")


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_that_fails_is_in_the_digest_and_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    quick(monkeypatch)
    if stage == "retention":
        monkeypatch.setattr(nightly.retention, "apply", fail)
    else:
        monkeypatch.setattr(nightly, stage, fail)
    name = NAMES.get(stage, stage)
    with webhook() as hook:
        path = workspace(tmp_path, hook.url)
        with pytest.raises(NightFailedError, match=f"{name}: OSError: .*No space left on device") as caught:
            nightly.run_nightly(load_setup(load_config(path)), DAY)
        digests = hook.received
    assert any(failure.startswith(f"{name}: ") for failure in caught.value.night.failures)
    if stage == "announce_night":
        return  # it comes after the digest, and is told by the exit code
    assert len(digests) == 1
    told = [item for item in digests[0]["items"] if (item["suite"], item["subject"]) == ("stages", name)]
    assert len(told) == 1
    assert "No space left on device" in told[0]["observed"]
    page = caught.value.night.page
    assert page is not None
    if stage != "alert":
        assert name in page.read_text(encoding="utf-8")
        assert "No space left on device" in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("prefect_server")
def test_a_configuration_that_a_stage_finds_wrong_is_told_and_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)

    def wrong(*_: Any, **__: Any) -> None:
        raise ConfigError("criteria.yaml: wrong")

    monkeypatch.setattr(nightly, "evaluated", wrong)
    with webhook() as hook:
        with pytest.raises(ConfigError, match=r"criteria\.yaml: wrong"):
            nightly.run_nightly(load_setup(load_config(workspace(tmp_path, hook.url))), DAY)
        assert [item["subject"] for item in hook.received[0]["items"] if item["suite"] == "stages"] == ["evaluate"]


@pytest.mark.usefixtures("prefect_server")
def test_a_lake_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with webhook() as hook:
        path = workspace(tmp_path, hook.url)
        (tmp_path / "lake").write_text("a file")
        with pytest.raises(NightFailedError, match=r"night: .*_run: "):
            nightly.run_nightly(load_setup(load_config(path)), DAY)
        (digest,) = hook.received
    assert [(item["subject"], item["severity"]) for item in digest["items"]] == [("night", "critical")]


@pytest.mark.usefixtures("prefect_server")
def test_a_file_of_the_lake_that_is_gone_is_told_by_the_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    with webhook() as hook:
        path = workspace(tmp_path, hook.url)
        lake = load_config(path).open_lake()
        with lake.lock("test"):
            lake.write("scores", date(2026, 2, 1), from_rows([{"subject_id": "s"}], "scores"), "nightly-2026-02-01")
        Path(lake.partition("scores", date(2026, 2, 1), "nightly-2026-02-01")).unlink()
        with pytest.raises(NightFailedError, match=r"lake: .*the file is gone; it had 1 rows"):
            nightly.run_nightly(load_setup(load_config(path)), DAY)
        assert [item["subject"] for item in hook.received[0]["items"] if item["suite"] == "stages"] == ["lake"]


def test_a_record_of_digests_that_cannot_be_written_keeps_no_target_from_its_digest(tmp_path: Path) -> None:
    with webhook() as one, webhook() as other:
        path = workspace(tmp_path, one.url, alerts=[{"kind": "webhook", "url": hook.url} for hook in (one, other)])
        config = load_config(path)
        digest = of_night(config, DAY, ["ingest: RunError: full"])
        record = SimpleNamespace(read=lambda: None, write=fail, updating=nullcontext)
        with pytest.raises(RunError, match="the record of sent digests could not be written"):
            notifiers.deliver(digest, config.alerts, record)  # type: ignore[arg-type]  # a record that cannot be written
        assert (len(one.received), len(other.received)) == (1, 1)


def test_where_nothing_at_all_can_be_written_the_digest_is_sent_and_the_exit_code_is_3(tmp_path: Path) -> None:
    """Not a byte goes to any file."""
    with webhook() as hook:
        path = workspace(tmp_path, hook.url)
        done = subprocess.run(
            [sys.executable, "-B", "-m", "flows.cli", "nightly", "--config", str(path), "--day", str(DAY)],
            capture_output=True, text=True, timeout=500, check=False,
            env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )  # fmt: skip
        assert done.returncode == 3, done.stderr
        assert len(hook.received) >= 1
        digest = hook.received[0]
    assert digest["severity"] == "critical"
    assert {item["suite"] for item in digest["items"]} == {"stages"}
