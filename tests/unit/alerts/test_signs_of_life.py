"""A night that did not run is told: the watchdog, and the ping after each good night, against real servers."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.alerts import night_ended, watch
from flows.alerts.good_nights import GoodNight, last, note
from flows.alerts.ping import send
from flows.cli import main
from flows.config import Ping
from flows.config.load import Config
from flows.errors import RunError
from flows.lake import from_rows
from flows.llm.litellm_setup import load_litellm
from tests.unit.alerts.receivers import WebServer, serving
from tests.unit.alerts.test_alerts import DAY, configured, row

ENDED = datetime(2026, 3, 3, 3, 10, tzinfo=UTC)
AGE = timedelta(hours=26)


def pinging(folder: Path, url: str, **more: Any) -> Config:
    return configured(folder).model_copy(update={"ping": Ping(url=url, **more)})


def told(config: Config, now: datetime) -> tuple[bool, int]:
    found = watch(config, now, AGE, pause=lambda _: None)
    return found.is_overdue, found.delivered.sent


def test_a_gap_is_told_once_to_each_target_and_the_next_gap_again(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        url = f"http://{server.address}"
        config = configured(
            tmp_path, {"kind": "webhook", "url": f"{url}/hook"}, {"kind": "slack", "url": f"{url}/slack"}
        )
        note(config.open_lake(), GoodNight(DAY, ENDED))
        assert told(config, ENDED + timedelta(hours=26)) == (False, 0)
        assert told(config, ENDED + timedelta(hours=27)) == (True, 2)
        assert told(config, ENDED + timedelta(days=9)) == (True, 0)
        note(config.open_lake(), GoodNight(DAY + timedelta(days=9), ENDED + timedelta(days=9)))
        assert told(config, ENDED + timedelta(days=9, hours=1)) == (False, 0)
        assert told(config, ENDED + timedelta(days=11)) == (True, 2)
    message = json.loads(server.requests[0][2])
    (item,) = message["items"]
    assert message["severity"] == "critical"
    assert item["observed"] == "no good night since that of 2026-03-02, which ended on 2026-03-03 at 03:10 UTC"
    assert item["expected"] == "a night without failed stages every 26 h"
    assert item["commands"][1] == "genchi doctor"


def test_a_target_that_was_down_is_told_by_the_next_run(tmp_path: Path) -> None:
    with serving(WebServer(500)) as server:
        config = configured(tmp_path, {"kind": "webhook", "url": f"http://{server.address}/"})
        with pytest.raises(RunError, match="answered 500"):
            told(config, ENDED)
        server.status = 200
        assert told(config, ENDED + timedelta(days=1)) == (True, 1)
        assert told(config, ENDED + timedelta(days=2)) == (True, 0)


def test_without_any_night_that_is_told(tmp_path: Path) -> None:
    found = watch(configured(tmp_path), ENDED, AGE)
    assert (found.is_overdue, found.line) == (True, "no good night is known")


def test_a_lake_without_a_note_counts_from_the_end_of_its_last_day_with_results(tmp_path: Path) -> None:
    config = configured(tmp_path).model_copy(update={"timezone": "Europe/Berlin"})
    with config.open_lake().lock("test"):
        config.open_lake().write("expectation_results", DAY, from_rows([row()], "expectation_results"))
    found = last(config)
    assert found is not None
    assert (found.day, found.ended.astimezone(UTC)) == (DAY, datetime(2026, 3, 2, 23, tzinfo=UTC))


@pytest.mark.parametrize("broken", ["{half", "[]", '{"day": "x", "ended": "y"}', '{"day": 3}'])
def test_a_note_that_cannot_be_read_is_none(broken: str, tmp_path: Path) -> None:
    config = configured(tmp_path)
    config.open_lake().alerts_sent("last_good_night").write(broken)
    assert last(config) is None
    assert note(config.open_lake(), GoodNight(DAY, ENDED))
    assert last(config) == GoodNight(DAY, ENDED)


def test_a_good_night_is_noted_and_pings_with_its_counts(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        config = pinging(tmp_path, f"http://{server.address}/ping/SECRET")
        night_ended(config, DAY, 0, "1 critical, 2 warnings", ENDED)
    assert server.requests == [("POST", "/ping/SECRET", "desk, 2026-03-02: 1 critical, 2 warnings")]
    assert last(config) == GoodNight(DAY, ENDED)


def test_an_old_day_that_is_run_again_is_no_sign_of_life(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        config = pinging(tmp_path, f"http://{server.address}/", method="get")
        night_ended(config, DAY, 0, "", ENDED)
        night_ended(config, DAY - timedelta(days=30), 0, "", ENDED + timedelta(days=5))
        night_ended(config, DAY, 0, "", ENDED + timedelta(hours=1))
    assert [method for method, _, _ in server.requests] == ["GET", "GET"]
    assert last(config) == GoodNight(DAY, ENDED + timedelta(hours=1))


@pytest.mark.parametrize(("failed", "paths"), [(True, ["/ping/id/fail?a=b"]), (False, [])])
def test_a_failed_night_is_no_good_one_and_is_told_where_that_is_wanted(
    failed: bool, paths: list[str], tmp_path: Path
) -> None:
    with serving(WebServer()) as server:
        config = pinging(tmp_path, f"http://{server.address}/ping/id?a=b", failed=failed)
        night_ended(config, DAY, 2, "", ENDED)
    assert [path for _, path, _ in server.requests] == paths
    assert last(config) is None


def test_a_ping_follows_no_redirect_and_its_failure_fails_no_night(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_litellm()  # as in a night that has asked models: no client follows a redirect to another host
    with serving(WebServer()) as elsewhere, serving(WebServer(302, f"http://{elsewhere.address}/")) as server:
        config = pinging(tmp_path, f"http://{server.address}/SECRETPATH")
        with caplog.at_level(logging.WARNING, logger="genchi"):
            night_ended(config, DAY, 0, "", ENDED)
        assert elsewhere.requests == []
    assert "the ping after the night could not be sent: answered 302 at 127.0.0.1" in caplog.text
    assert "SECRETPATH" not in caplog.text
    assert last(config) == GoodNight(DAY, ENDED)


def test_a_monitor_that_is_busy_is_asked_thrice(tmp_path: Path) -> None:
    with serving(WebServer(503)) as server:
        with pytest.raises(Exception, match="answered 503"):
            send(Ping(url=f"http://{server.address}/"), "text", pause=lambda _: None)
        assert len(server.requests) == 3


def test_a_lake_that_cannot_be_written_is_told_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = configured(tmp_path)
    Path(str(config.lake)).write_text("no folder")
    with caplog.at_level(logging.WARNING, logger="genchi"):
        night_ended(config, DAY, 0, "", ENDED)
    assert "the end of the night could not be noted" in caplog.text


def test_the_verb_exits_with_one_where_no_night_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "genchi.yaml"
    path.write_text("app: desk\nlake: lake\n", encoding="utf-8")
    assert main(["watchdog", "--config", str(path)]) == 1
    assert capsys.readouterr().out == "no good night is known; told to 0, 0 knew it\n"
    now = datetime.now(UTC)
    note(configured(tmp_path).open_lake(), GoodNight(date(2026, 3, 2), now - timedelta(hours=3)))
    assert main(["watchdog", "--config", str(path)]) == 0
    assert main(["watchdog", "--max-age", "2h", "--config", str(path)]) == 1


@pytest.mark.parametrize("age", ["", "26", "0h", "-1h", "1w"])
def test_an_age_that_is_none_is_one_line(age: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["watchdog", f"--max-age={age}"])
    assert "is not an age; write it as 26h, 90m or 2d" in capsys.readouterr().err
