"""Google's store and Azure's hold a lake and logs as S3 does: the same globs, the same lock, one line for an error.

Google's is a server in this process that follows its documentation. Azure's is Azurite, Microsoft's own emulator, where
`azurite-blob` is installed (npm); it was never the service itself.
"""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import httpx
import pytest

from flows.config import load_config
from flows.errors import ConfigError, RunError, UnreadableError
from flows.ingest import landing
from flows.lake import Storage, find_files, lock, open_binary
from flows.lake import cloud_objects as objects
from flows.lake.lake import Lake
from tests.google_store import TOKEN, google_store
from tests.integration.servers import free_ports

DAY = date(2026, 3, 10)
ACCOUNT = "devstoreaccount1"
# The public key of every Azurite.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def _make_container(address: str) -> None:
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    named = f"x-ms-date:{now}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/genchi\nrestype:container"
    signed = hmac.new(base64.b64decode(KEY), f"PUT{chr(10) * 12}{named}".encode(), hashlib.sha256).digest()
    sign = f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}"
    headers = {"x-ms-date": now, "x-ms-version": "2021-08-06", "Authorization": sign}
    assert httpx.put(f"{address}/genchi?restype=container", headers=headers).status_code == 201


@contextmanager
def azurite() -> Iterator[Storage]:
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite-blob is not installed")
    (port,) = free_ports(1)
    options = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--blobPort", str(port)]
    process = subprocess.Popen([program, *options])
    address = f"http://127.0.0.1:{port}/{ACCOUNT}"
    try:
        for _ in range(120):
            try:
                _make_container(address)
                break
            except httpx.TransportError:
                time.sleep(0.25)
        yield Storage(key=ACCOUNT, secret=KEY, endpoint_url=address)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def google() -> Iterator[Storage]:
    with google_store() as store:
        yield store.storage


@pytest.fixture(scope="module", params=["gs", pytest.param("az", marks=pytest.mark.long)])
def reached(request: pytest.FixtureRequest) -> Iterator[tuple[str, Storage]]:
    """The address of a bucket, and how it is reached."""
    with (google if request.param == "gs" else azurite)() as storage:
        yield f"{request.param}://genchi", storage


@pytest.fixture
def place(reached: tuple[str, Storage], request: pytest.FixtureRequest) -> str:
    """A prefix of the bucket for one test."""
    return f"{reached[0]}/{request.node.originalname}"


@pytest.fixture
def storage(reached: tuple[str, Storage]) -> Storage:
    return reached[1]


def test_a_glob_finds_objects_by_the_rules_of_files(place: str, storage: Storage) -> None:
    for name in ("2026-03-10/a.jsonl", "2026-03-10/part 1/é=1.jsonl", "2026-03-10-x/b.jsonl", "c.jsonl"):
        objects.put(f"{place}/{name}", b"x\n", storage)
    found = {
        pattern: [one.name.removeprefix(f"{place}/") for one in find_files(f"{place}/{pattern}", storage)]
        for pattern in ("2026-03-10/*.jsonl", "2026-03-1*/*", "**/*.jsonl", "c.jsonl", "nowhere/*")
    }
    assert found == {
        "2026-03-10/*.jsonl": ["2026-03-10/a.jsonl"],
        "2026-03-1*/*": ["2026-03-10/a.jsonl", "2026-03-10-x/b.jsonl"],
        "**/*.jsonl": ["2026-03-10/a.jsonl", "2026-03-10/part 1/é=1.jsonl", "2026-03-10-x/b.jsonl", "c.jsonl"],
        "c.jsonl": ["c.jsonl"],
        "nowhere/*": [],
    }


def test_an_object_is_read_block_by_block_as_long_as_it_stays_the_same(place: str, storage: Storage) -> None:
    name, content = f"{place}/a.jsonl", bytes(range(256)) * 10
    objects.put(name, content, storage)
    with open_binary(name, storage) as file:
        assert file.read() == content
        file.seek(-5, 2)
        assert file.read(100) == content[-5:]
    with open_binary(name, storage) as file:
        objects.put(name, b"another", storage)
        with pytest.raises(UnreadableError, match="changed while it was read"):
            file.read()
    with pytest.raises(UnreadableError, match="no such object"):
        open_binary(f"{place}/nothing", storage)


def test_only_one_run_has_the_lock_and_an_expired_one_is_taken(
    place: str, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(place, storage, tmp_path)
    me, other = lock._ObjectLock(lake.backend, lock.RUN), lock._ObjectLock(lake.backend, lock.RUN)  # type: ignore[arg-type]  # it is no folder
    assert me.acquire(lock.Holder("nightly", 1, "here", "now", "a")) is None
    held = other.acquire(lock.Holder("ingest", 2, "there", "now", "b"))
    assert held is not None
    assert held.id == "a"
    monkeypatch.setattr(lock, "EXPIRED", -1.0)
    assert other.acquire(lock.Holder("ingest", 2, "there", "now", "b")) is None
    assert not me._put(), "who lost it cannot renew it"
    monkeypatch.undo()
    other.release()
    me._stop.set()
    assert lake.backend.read_text("_run") == "{}"


def test_logs_and_lake_in_a_store_come_to_what_they_are_on_a_disk(place: str, storage: Storage, tmp_path: Path) -> None:
    lines = [{"call_id": f"c{n}", "started_at": f"{DAY}T10:00:00Z", "input_text": f"q{n}"} for n in range(3)]
    objects.put(f"{place}/logs/{DAY}/a.jsonl", "".join(json.dumps(one) + "\n" for one in lines).encode(), storage)
    keys = {name: value for name, value in storage.model_dump().items() if value}
    (tmp_path / "genchi.yaml").write_text(
        f"app: a\nlake: {place}/lake\nstorage: {json.dumps(keys)}\n"
        f"sources: [{{name: s, format: genchi, path: '{place}/logs/{{day}}/*.jsonl'}}]\n",
        encoding="utf-8",
    )
    config = load_config(tmp_path / "genchi.yaml")
    first, again = landing.land(config, DAY), landing.land(config, DAY)
    assert (first.interactions, first.unread, again.interactions) == (3, 0, 3)
    lake = config.open_lake()
    assert lake.read("interactions", DAY).num_rows == 3
    with duckdb.connect() as connection:
        lake.backend.open_to(connection)
        sql = f"select list(call_id order by call_id) from read_parquet('{place}/lake/interactions/*/*.parquet')"
        assert connection.sql(sql).fetchall() == [(["c0", "c1", "c2"],)]
    assert not [one for one in find_files(f"{place}/lake/**", storage) if "_staging" in one.name or "_runs" in one.name]


def test_what_is_wrong_with_a_store_is_one_line_without_a_secret(reached: tuple[str, Storage]) -> None:
    address, storage = reached
    scheme = address.partition("://")[0]
    secret = "c2VjcmV0" * 8
    wrong = storage.model_copy(update={"token": secret} if scheme == "gs" else {"secret": secret})
    for pattern, how, said in (
        (f"{scheme}://nobucket/*", storage, "no such bucket"),
        (f"{address}/*", wrong, "access denied (403)"),
        (f"{address}/*", storage.model_copy(update={"endpoint_url": "http://127.0.0.1:1/x"}), "does not respond"),
    ):
        with pytest.raises(RunError) as raised:
            find_files(pattern, how)
        assert said in str(raised.value)
        assert not any(word in str(raised.value) for word in (secret, TOKEN, KEY, "\n"))


def test_a_list_of_several_pages_is_read_to_its_end() -> None:
    with google_store() as store:
        store.page_size = 2
        for n in range(5):
            store.put(f"logs/{n}.jsonl", b"x")
        assert len(find_files("gs://genchi/logs/*", store.storage)) == 5


@pytest.mark.parametrize(("address", "extra"), [("gs://bucket/lake", "gcs"), ("az://container/lake", "azure")])
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, extra: str) -> None:
    monkeypatch.setattr("flows.lake.store_addresses.find_spec", lambda name: None)
    (tmp_path / "genchi.yaml").write_text(f"app: a\nlake: {address}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / "genchi.yaml")
    assert f"needs an extra: run `pip install 'genchi[{extra}]'`" in str(raised.value)
