"""Real servers on loopback for the tests: recorded answers of real models, and a webhook that keeps what it gets."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flows.lake.object_store import filesystem
from flows.lake.store_addresses import Storage
from tests.serving import Quiet, serving


@contextmanager
def replayed(shared: Path, answers: str, *options: str) -> Iterator[str]:
    """The base address of an OpenAI-compatible server that answers with recordings from `llmdrift`."""
    command = [sys.executable, str(shared / "tools" / "replay_server.py"), "--port", "0"]
    command += ["--answers", str(shared / "data" / "llmdrift" / answers), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        announced = process.stdout.readline()
        found = re.search(r"http://\S+", announced)
        assert found, f"the replay server said {announced!r}"
        yield found[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # it was asked for above


@dataclass
class Hook:
    """A webhook's address, and what was posted to it."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Hook]:
    """A webhook that takes everything."""
    hook = Hook("")

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield hook


def prefect_api(path: str, **asked: Any) -> Any:
    """What the API of the Prefect server that runs says."""
    from prefect import get_client

    with get_client(sync_client=True) as client:
        answer = client._client.post(path, json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def object_store(folder: Path) -> Iterator[Storage]:
    """How a real S3-compatible store (SeaweedFS), which keeps its objects in `folder`, is reached as its owner."""
    master, volume, filer, s3 = free_ports(4)
    known = {"name": "owner", "credentials": [{"accessKey": "owner", "secretKey": "hush-hush"}]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    (folder / "identities.json").write_text(json.dumps({"identities": [{**known, "actions": actions}]}))
    command = [
        str(Path(sys.executable).with_name("weed")), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}",
        f"-master.port={master}", "-master.volumeSizeLimitMB=512", "-master.telemetry=false", f"-volume.port={volume}",
        "-volume.max=20", "-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={folder / 'identities.json'}",
    ]  # fmt: skip
    storage = Storage(key="owner", secret="hush-hush", endpoint_url=f"http://127.0.0.1:{s3}")
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for_buckets(storage)
            yield storage
        finally:
            process.terminate()
            process.wait(30)


def wait_for_buckets(storage: Storage) -> None:
    """Until the store can make one."""
    problem: Exception | None = None
    for _ in range(120):
        try:
            make_bucket(storage, "first")
            filesystem(storage).pipe_file("first/object", b"there")
            return
        except Exception as error:  # whatever it is, it may pass while the server starts
            problem = error
            time.sleep(0.5)
    raise AssertionError(f"the object store does not start: {problem}")


def make_bucket(storage: Storage, name: str) -> None:
    """A bucket, new or not."""
    if not filesystem(storage).exists(name):
        filesystem(storage).call_s3("create_bucket", Bucket=name)


def free_ports(count: int) -> list[int]:
    """Ports that are free, and those 10,000 above them, which SeaweedFS uses too."""
    found: list[int] = []
    for port in range(21000, 50000, 7):
        if port not in found and all(is_free(one) for one in (port, port + 10000)):
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
