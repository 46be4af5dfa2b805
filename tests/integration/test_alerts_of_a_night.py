"""A whole night tells mail, services and a monitor on loopback once, and the watchdog knows that it ran."""

import email
import email.policy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import nightly
from flows.cli import main
from flows.config import load_config
from flows.evaluate import load_setup
from tests.integration.test_failed_stages import DAY, quick
from tests.unit.alerts.receivers import MailServer, WebServer, serving

pytestmark = [pytest.mark.long]


def workspace(folder: Path, web: str, mail: str) -> Path:
    settings: dict[str, Any] = {
        "app": "desk",
        "lake": "lake",
        "sources": [{"name": "gateway", "format": "genchi", "path": "logs/{day}.jsonl"}],
        "owners": {"gateway": "ana"},
        "alerts": [
            {"kind": "apprise", "url": f"mailto://{mail}?from=genchi@desk.example&to=ana@desk.example", "owner": "ana"},
            {"kind": "apprise", "url": f"json://{web}/service/SECRETPATH", "severity": "critical"},
            {"kind": "webhook", "url": f"http://{web}/warnings", "severity": ["warning"]},
            {"kind": "slack", "url": f"http://{web}/slack"},
        ],
        "ping": {"url": f"http://{web}/ping/SECRETPATH", "failed": True},
    }
    path = folder / "genchi.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


@pytest.mark.usefixtures("prefect_server")
def test_a_night_tells_everyone_once_and_gives_a_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick(monkeypatch)
    with serving(WebServer()) as web, serving(MailServer()) as mail:
        path = workspace(tmp_path, web.address, f"127.0.0.1:{mail.server_address[1]}")
        for _ in range(2):
            night: Any = nightly.run_nightly(load_setup(load_config(path)), DAY)
        assert night.critical == 1
        assert main(["watchdog", "--config", str(path)]) == 0
        assert f"the last good night is that of {DAY}" in capsys.readouterr().out
        paths = [path for _, path, _ in web.requests]
        assert sorted(paths) == ["/ping/SECRETPATH", "/ping/SECRETPATH", "/service/SECRETPATH", "/slack"]
        (sign, _) = [body for _, path, body in web.requests if path == "/ping/SECRETPATH"]
        assert sign.startswith(f"desk, {DAY}: 1 critical")

        monkeypatch.setattr(nightly, "ingest", fail)
        with pytest.raises(Exception, match="no disk"):
            nightly.run_nightly(load_setup(load_config(path)), DAY)
        assert web.requests[-1][1] == "/ping/SECRETPATH/fail"
    first = email.message_from_string(mail.mails[0], policy=email.policy.default)
    assert first["Subject"] == f"desk, {DAY}: critical check failed: gateway: 0 calls in 0 files"
    assert "owner: ana" in first.get_content()
    assert f"look: genchi doctor --day {DAY}" in first.get_content()
    everything = (tmp_path / "lake" / "_alerts" / f"{DAY}.json").read_text(encoding="utf-8")
    assert "SECRETPATH" not in everything
    assert len(json.loads(everything)) == 3
    assert datetime.now(UTC).date().isoformat() in (tmp_path / "lake" / "_alerts" / "last_good_night.json").read_text()


def fail(*_: Any, **__: Any) -> None:
    raise OSError(28, "no disk")
