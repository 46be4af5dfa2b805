"""Ingest against a bare DuckDB `COPY` of the same records to the same columns, interleaved, in fresh processes.

python -m tests.bench.ingest [records] [runs]
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

DAY = date(2026, 3, 2)
BARE = """
copy (
    select id as call_id, startTime as started_at, model as model_requested, messages::varchar as messages_json,
        response.choices[1].message.content as output_text, prompt_tokens as input_tokens,
        completion_tokens as output_tokens, response_cost as cost_usd, "status", end_user as user_key
    from read_json('{logs}', format = 'newline_delimited')
) to '{out}' (format parquet, compression zstd)
"""


def write_logs(place: Path, records: int) -> None:
    """Records of about 2 KB in litellm's format."""
    filler = "The quick brown fox jumps over the lazy dog. " * 36
    with place.open("w", encoding="utf-8") as file:
        for n in range(records):
            file.write(json.dumps({
                "id": f"chatcmpl-{n}", "call_type": "acompletion", "status": "success", "model": "gpt-4o",
                "startTime": 1772409600.0 + n * 86000 / records, "endTime": 1772409601.0 + n * 86000 / records,
                "prompt_tokens": 400, "completion_tokens": 40, "response_cost": 0.001, "end_user": f"u{n % 997}",
                "messages": [{"role": "user", "content": f"{n} {filler}"}],
                "response": {"model": "gpt-4o", "choices": [{"finish_reason": "stop", "message": {
                    "role": "assistant", "content": f'{{"answer": {n}}}'}}]},
                "metadata": {},
            }) + "\n")  # fmt: skip


def run_bare(workspace: Path) -> int:
    """The records that a bare COPY writes."""
    import duckdb

    out = workspace / "bare.parquet"
    duckdb.execute(BARE.format(logs=workspace / "logs" / f"{DAY}.jsonl", out=out))
    (count,) = duckdb.execute(f"select count(*) from '{out}'").fetchone() or (0,)
    return int(count)


def run_ingest(workspace: Path) -> int:
    """The calls that ingest lands, manifest and all."""
    from flows import config
    from flows.ingest import landing

    return landing.land(config.load(workspace / "genchi.yaml"), DAY).interactions


def measure(what: str, workspace: Path) -> tuple[float, float, int]:
    """Seconds, peak MiB and records of one run in a process of its own."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.ingest", "--run", what, str(workspace)],
        capture_output=True, text=True, check=True, env={**os.environ},
    )  # fmt: skip
    records, peak = done.stdout.split()
    return time.monotonic() - started, float(peak), int(records)


def main() -> None:
    """Print medians and their ratio."""
    if sys.argv[1:2] == ["--run"]:
        count = {"bare": run_bare, "ingest": run_ingest}[sys.argv[2]](Path(sys.argv[3]))
        print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    records, runs = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 100_000), (2, 3)))
    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name)
        (workspace / "logs").mkdir()
        write_logs(workspace / "logs" / f"{DAY}.jsonl", records)
        source = "{name: g, format: litellm, path: 'logs/{day}.jsonl'}"
        (workspace / "genchi.yaml").write_text(f"app: bench\nlake: lake\nsources: [{source}]\n", encoding="utf-8")
        found: dict[str, list[tuple[float, float, int]]] = {"bare": [], "ingest": []}
        for _ in range(runs):
            for what, results in found.items():
                subprocess.run(["rm", "-rf", str(workspace / "lake")], check=True)
                results.append(measure(what, workspace))
                assert results[-1][2] == records, f"{what} wrote {results[-1][2]} of {records} records"
        for what, results in found.items():
            seconds, peak = (statistics.median(result[n] for result in results) for n in (0, 1))
            print(f"{what:<7} {seconds:6.2f} s  {peak:6.0f} MiB  {records / seconds:9,.0f} records/s")
        ratios = [after[0] / before[0] for before, after in zip(found["bare"], found["ingest"], strict=True)]
        print(f"ingest / bare COPY: {statistics.median(ratios):.1f} (from {min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
