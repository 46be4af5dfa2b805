"""Jobs of a night that are killed, or whose disk refuses to write, in forked children of one process with all imports.

`python -m tests.dying` reads one JSON object a line, {"job", "workspace", "kill_s" or "fault"}, runs the job in a
child, and prints what became of it: {"seconds", "killed", "error", "state"}. `state` is a hash of every table's rows.
"""

import asyncio
import errno
import hashlib
import io
import json
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from flows.config import Config, load_config
from flows.errors import in_one_line
from flows.ingest import landing
from flows.lake.lake import Lake, from_rows, nightly_run_id
from flows.llm.client import Answer
from flows.report import page
from flows.transform.build import build
from tests.evaluating import evaluate_night

DAY = date(2026, 3, 2)
ANSWER_S = 0.002


class SteadyClient:
    """A model that takes its time, and answers the same each time."""

    async def ask(self, messages: Any, params: Any) -> Answer:
        await asyncio.sleep(ANSWER_S)
        return Answer("ok", text="yes" if len(messages[-1]["content"]) % 3 else "no", output_json="{}", latency_ms=1.0)

    def estimate_usd(self, messages: Any, params: Any) -> float | None:
        return None


def write_workspace(folder: Path) -> None:
    """Logs of three days, a frozen holdout, two models, and a page to write."""
    (folder / "logs").mkdir(parents=True)
    for day in range(1, 4):
        lines = [
            json.dumps({
                "call_id": f"{day}-{n}", "started_at": f"2026-03-0{day}T{n % 24:02}:00:00Z", "input_text": f"Q {n}?",
                "output_text": "yes", "model_served": "m", "route": "r", "latency_ms": 100.0 + n,
            })
            for n in range(400)
        ]  # fmt: skip
        (folder / "logs" / f"2026-03-0{day}.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n")
    (folder / "h.jsonl").write_text('{"example_id": "0", "input": "q", "expected": "yes"}\n')
    (folder / "c.yaml").write_text("- {name: right, kind: exact, severity: critical}\n")
    (folder / "genchi.yaml").write_text(
        "app: a\nlake: lake\nsources: [{name: s, format: genchi, path: 'logs/{day}.jsonl'}]\n"
        "routes: {r: {holdout: h.jsonl, criteria: c.yaml, repeats: 2}}\n"
        "models: {pinned: {model: openai/old}, candidates: [{model: openai/new}], canary: {prompts: 0}}\n"
        "budget: {concurrency: 4}\n"
    )
    config = load_config(folder / "genchi.yaml")
    examples = [
        {"set": "holdout", "route": "r", "example_id": str(n), "version": "v1", "input_text": f"q{n}", "tags": "{}",
         "messages_json": json.dumps([{"role": "user", "content": "q" * (1 + n % 7)}]), "expected_json": '"yes"',
         "expected_text": "yes"}
        for n in range(60)
    ]  # fmt: skip
    config.open_lake().write("examples", DAY, from_rows(examples, "examples"))


def ingest(config: Config) -> None:
    landing.land_days(config, date(2026, 3, 1), date(2026, 3, 3))


def evaluate(config: Config) -> None:
    with config.open_lake().lock("evaluate"):
        evaluate_night(config, DAY, nightly_run_id(DAY), lambda model: SteadyClient())


def transform(config: Config) -> None:
    with config.open_lake().lock("transform"):
        build(config, DAY, DAY, select="+fct_usage_daily")


def publish(config: Config) -> None:
    page.write_report(config, DAY)


JOBS: dict[str, Callable[[Config], None]] = {
    "ingest": ingest, "evaluate": evaluate, "transform": transform, "publish": publish,
}  # fmt: skip


def state_of(folder: Path) -> str:
    """A hash of the rows of all tables, marts and pages, without the times of reading; and nothing is half-written."""
    config = load_config(folder / "genchi.yaml")
    lake: Lake = config.open_lake()
    content = hashlib.sha256()
    for file in sorted(Path(lake.root).glob("[a-z]*/day=*/*.parquet")):
        rows = pq.ParquetFile(file).read()
        rows = rows.drop_columns([name for name in ("read_at", "modified_at") if name in rows.column_names])
        content.update(f"{file.relative_to(folder)} {sorted(map(repr, rows.to_pylist()))}".encode())
    if config.warehouse.exists():
        with duckdb.connect(str(config.warehouse), read_only=True) as connection:
            tables = "select table_name from information_schema.tables where table_schema = 'marts'"
            if ("fct_usage_daily",) in connection.execute(tables).fetchall():  # a first build may not have come so far
                content.update(
                    repr(connection.execute("select * from marts.fct_usage_daily order by all").fetchall()).encode()
                )
    if (pages := config.reports / DAY.isoformat() / "index.html").exists():
        assert pages.read_text().rstrip().endswith("</html>")
        content.update(pages.read_bytes())
    return content.hexdigest()


def refusing(number: int, left: int, allowed: Callable[..., Any], is_ours: Callable[..., bool]) -> Callable[..., Any]:
    """`allowed`, which raises the error `number` at its call after `left` others that are ours."""
    state = {"left": left}

    def call(*arguments: Any, **more: Any) -> Any:
        if is_ours(*arguments):
            state["left"] -= 1
            if state["left"] < 0:
                named = arguments[0] if isinstance(arguments[0], Path | str) else None
                raise OSError(number, os.strerror(number), *([str(named)] if named else []))
        return allowed(*arguments, **more)

    return call


def bring(fault: dict[str, Any], folder: Path) -> None:
    """Let the disk refuse, in this process."""
    kind, number, left = fault["kind"], getattr(errno, fault.get("errno", "EIO")), fault.get("after", 0)
    lake = str(folder / "lake")

    def in_lake(place: Any, *_: Any) -> bool:
        return str(place).startswith(lake) and "_lock" not in str(place)

    if kind == "fsync":
        os.fsync = refusing(number, left, os.fsync, lambda *_: True)
    elif kind == "rename":
        Path.replace = refusing(number, left, Path.replace, in_lake)  # type: ignore[method-assign]  # the fault
    elif kind == "open":
        open_path, open_descriptor = Path.open, os.open
        count = refusing(number, left, lambda *_: None, in_lake)  # both ways of opening are counted together

        def path_opened(place: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
            if mode[0] in "wa":
                count(place)
            return open_path(place, mode, *more, **named)

        def descriptor_opened(place: Any, flags: int, *more: Any, **named: Any) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR):
                count(place)
            return open_descriptor(place, flags, *more, **named)

        Path.open = path_opened  # type: ignore[assignment]  # the fault
        os.open = descriptor_opened  # type: ignore[assignment]  # the fault
    elif kind == "size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["bytes"], fault["bytes"]))
    elif kind == "short":
        from flows.evaluate.generate import journal

        class Short(io.FileIO):
            written = 0

            def write(self, content: Any) -> int:
                Short.written += 1
                return super().write(content if Short.written <= left else bytes(content)[: len(content) // 2])

        def open_short(path: Path) -> Any:
            path.parent.mkdir(parents=True, exist_ok=True)
            return Short(str(path), "ab+")

        journal.open_for_append = open_short  # type: ignore[assignment]  # the fault
    else:
        raise ValueError(kind)


def in_child(work: Callable[[], Any], kill_s: float | None = None) -> dict[str, Any]:
    """The result of `work` in a forked child, which is killed after `kill_s`."""
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            result = {"state": work(), "error": None}
        except BaseException as error:
            result = {"state": None, "error": in_one_line(error)}
        os.write(writer, pickle.dumps(result))
        os._exit(0)
    os.close(writer)
    if kill_s is not None:
        time.sleep(kill_s)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as file:
        written = file.read()
    os.waitpid(child, 0)
    seconds = time.monotonic() - started
    return {"killed": not written, "seconds": seconds, **(pickle.loads(written) if written else {})}


def run(order: dict[str, Any]) -> dict[str, Any]:
    folder = Path(order["workspace"])

    def work() -> str | None:
        if order["job"] == "workspace":
            write_workspace(folder)
            return None
        if order["job"] == "state":
            return state_of(folder)
        config = load_config(folder / "genchi.yaml")
        if "fault" in order:
            bring(order["fault"], folder)
        JOBS[order["job"]](config)
        return None

    return in_child(work, order.get("kill_s"))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
