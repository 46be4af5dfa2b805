"""A log in which everything is wrong that can be: all of it is kept, its neighbours are unharmed, memory is bounded."""

import gzip
import json
import resource
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import zstandard

from flows.config import load
from flows.lake.lake import Lake

pytestmark = pytest.mark.long
DAY = date(2026, 3, 2)
RUN = """
import resource, sys
from datetime import date
from flows.config import load_config
from flows.ingest import landing
landed = landing.land(load_config(sys.argv[1]), date(2026, 3, 2))
print(landed.records, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def call(number: int, text: str = "hi") -> bytes:
    at = "2026-03-02T10:00:00Z"
    return json.dumps({"call_id": f"c{number}", "started_at": at, "input_text": text}).encode() + b"\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_everything_is_kept_in_bounded_memory(tmp_path: Path, pack: type[bytes]) -> None:
    bad = [
        b'{"call_id": "cut',
        b'{"call_id": "nul", "started_at": "2026-03-02", "input_text": "a\x00b"}',
        b'{"call_id": "latin", "input_text": "caf\xe9"}',
        b"[" * 10_000 + b"]" * 10_000,
        b"x" * 100_000_000,
        b'{"call_id": "types", "started_at": {"a": 1}, "input_text": "x"}',
        b'{"call_id": "never", "started_at": "9999-99-99", "input_text": "x"}',
    ]
    deep = b'{"call_id": "deep", "started_at": "2026-03-02", "messages": ' + b"[" * 10_000 + b"]" * 10_000 + b"}\n"
    half = b'{"call_id": "half", "started_at": "2026-03-02", "input_text": "\\ud83d"}\n'
    content = deep + half + call(1000, "y" * 100_000_000) + b"".join(
        call(number) + line + b"\n" for number, line in enumerate(bad)
    )  # fmt: skip
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / f"{DAY}.jsonl").write_bytes(pack(content))
    source = "{name: s, format: genchi, path: 'logs/{day}.jsonl'}"
    settings = "app: a\nlake: lake\nredact: [email, phone, card, secret]\n"
    (tmp_path / "genchi.yaml").write_text(f"{settings}sources: [{source}]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "genchi.yaml")], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records, peak = map(int, done.stdout.splitlines()[-1].split())
    assert records == 2 * len(bad) + 3
    assert peak < 3 << 10
    store = Lake(load.load_config(tmp_path / "genchi.yaml").lake)
    texts = {row["call_id"]: row["input_text"] for row in store.read("interactions", DAY).to_pylist()}
    assert set(texts) == {"deep", "half", "c1000", *(f"c{n}" for n in range(len(bad)))}
    assert texts["half"] == "\ufffd"
    refused = store.read("quarantine", DAY).to_pylist()
    assert len(refused) == len(bad)
    assert sorted(len(row["raw"]) for row in refused)[-1] == 100_000_000
