"""An object store that refuses, fails or breaks off in a write: one line says so, and nothing half-written counts."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from flows.errors import RunError
from flows.lake import lock
from flows.lake.lake import Lake
from flows.lake.store_addresses import Storage
from tests.integration import in_process
from tests.integration.servers import make_bucket, object_store
from tests.integration.test_object_store import LAST_DAY, environment, run, workspace
from tests.publishing import generation_of, publish
from tests.serving import Quiet, serving

pytestmark = pytest.mark.long
_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>m</Message></Error>"
FAULTS = {
    "denied": "access denied (AccessDenied)",
    "failing": "the object store failed",
    "broken": "",
    "unanswered": "",
}


@dataclass
class Faulty:
    """A store behind a proxy. From the `after`-th write on whose path contains `part`, each write has the `fault`."""

    storage: Storage
    fault: str = ""
    after: int = 0
    part: str = ""
    writes: int = 0

    def next_fault(self, method: str, path: str) -> str:
        if method in ("GET", "HEAD") or self.part not in path:
            return ""
        self.writes += 1
        return self.fault if self.writes > self.after else ""

    @contextmanager
    def failing(self, fault: str, after: int = 0, part: str = "") -> Iterator[None]:
        self.fault, self.after, self.part, self.writes = fault, after, part, 0
        try:
            yield
        finally:
            self.fault = ""


@contextmanager
def faulty(storage: Storage) -> Iterator[Faulty]:
    """The same store, reached through a proxy on loopback."""
    target = urlsplit(str(storage.endpoint_url)).netloc

    class Proxy(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            fault = behind.next_fault(self.command, self.path)
            length = int(self.headers.get("Content-Length") or 0)
            if fault == "broken":  # in the middle of what is written
                self.rfile.read(length // 2)
                return self.hang_up()
            body = self.rfile.read(length)
            if fault in ("denied", "failing"):
                code, name = (403, "AccessDenied") if fault == "denied" else (500, "InternalError")
                return self.reply(code, {"Content-Type": "application/xml"}, _ERROR.format(name).encode())
            connection = http.client.HTTPConnection(target, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if fault == "unanswered":  # it is written, and nobody is told
                return self.hang_up()
            return self.reply(answer.status, dict(answer.getheaders()), content)

        def hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content)

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Proxy, f"do_{method}", Proxy.forward)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Proxy)) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        behind = Faulty(storage.model_copy(update={"endpoint_url": address}))
        yield behind


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with object_store(tmp_path_factory.mktemp("weed")) as reached:
        make_bucket(reached, "genchi")
        with faulty(reached) as behind:
            yield behind


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """s3fs and botocore try as often as they do in a night, but do not pause between the attempts."""
    import botocore.retries.standard
    import s3fs.core

    def no_delay(*_: object) -> float:
        return 0.0

    class Quick:
        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        async def sleep(self, _: float) -> None:
            await asyncio.sleep(0)

    monkeypatch.setattr(s3fs.core, "asyncio", Quick())
    monkeypatch.setattr(botocore.retries.standard.ExponentialBackoff, "delay_amount", no_delay)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("short_pauses")
def test_writes_that_fail_leave_all_of_the_old_or_all_of_the_new_and_the_next_run_goes_on(
    store: Faulty, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "EXPIRED", 0.0)  # the lock that could not be released is not waited for
    lake = Lake(f"s3://genchi/faults-{fault}", store.storage, tmp_path)
    publish_in_a_run(lake, 0)
    stands, told = 0, list[str]()
    for after in range(1, 40, 1 if fault == "denied" else 4):
        try:
            with store.failing(fault, after):
                publish_in_a_run(lake, stands + 1)
        except RunError as error:
            told.append(str(error))
        with lake.lock("test"):
            found = generation_of(lake)
            assert lake.backend.children("_staging") == []
        assert found in (stands, stands + 1)
        assert lake.faults(is_deep=True) == []
        stands = found
        if store.writes <= after:  # it went through without a fault
            break
    assert len(told) > 3
    for line in told:
        assert "s3://genchi/" in line
        assert FAULTS[fault] in line
        assert "\n" not in line
        assert "hush" not in line
    publish_in_a_run(lake, stands + 1)
    assert generation_of(lake) == stands + 1


def publish_in_a_run(lake: Lake, generation: int) -> None:
    with lake.lock("test"):
        publish(lake, generation)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", ["denied", "broken"])
@pytest.mark.usefixtures("prefect_server")
def test_a_refused_write_ends_the_command_in_one_line_and_the_next_run_reads_all(
    store: Faulty, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace(tmp_path, store.storage, f"command-{fault}")
    with store.failing(fault, part="/lake/interactions/"):
        done = run(tmp_path, store.storage, "ingest", "--day", str(LAST_DAY), code=(3,))
    told = [line for line in done.stderr.splitlines() if line.startswith("genchi: ")]
    assert len(told) == 1
    assert f"s3://genchi/command-{fault}/lake/interactions/" in told[0]
    assert "Traceback" not in done.stderr
    lake = Lake(f"s3://genchi/command-{fault}/lake", store.storage, tmp_path / ".genchi")
    assert lake.days("interactions") == []
    for name, value in environment(store.storage).items():
        monkeypatch.setenv(name, value)
    next_run = in_process.genchi("ingest", "--config", str(path), "--day", str(LAST_DAY))
    assert next_run.returncode == 0, next_run.stderr
    assert lake.read("interactions", LAST_DAY).num_rows > 100
    assert lake.faults(is_deep=True) == []
