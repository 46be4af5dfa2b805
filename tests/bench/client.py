"""Throughput of a holdout's requests compared with a plain litellm loop, promptfoo and Inspect AI, on a local endpoint.

    python -m tests.bench.client [requests] [runs]

Each run is a new process with a new endpoint in a separate process; runs are interleaved. All keep 64 requests in
flight, and the endpoint counts its answers: if a run does not send exactly the requests, the benchmark stops. Prints
the medians of answers a second, on the endpoint's clock from the first request to the last answer (start-up is left
out), and of the ratios to the bare loop, at 50 ms an answer; then the share of the physical limit (in flight / latency)
at 1 s an answer. For genchi the whole step is run: requests from the frozen holdout, budget, journal, landing in the
lake.

The peers are installed in separate environments, Inspect by pip and promptfoo by npm. A peer that cannot be installed
is skipped, with the reason.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.bench import peers
from tests.bench.endpoint import Seen, endpoint, seen

IN_FLIGHT, FAST_S, SLOW_S = 64, 0.05, 1.0
DAY = date(2026, 5, 4)
MODEL = "gpt-4o-mini"  # a model whose price all of them know
QUIET = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "DO_NOT_TRACK": "1",
    "OPENAI_API_KEY": "none",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


def question(n: int) -> str:
    """The n-th question; all are different."""
    return f"Question {n}: is the sum of {n} and one more than {n}? Answer with yes or no, and with nothing else."


def run_bare(url: str, count: int, folder: Path) -> None:
    """64 workers over litellm.acompletion, and nothing else."""
    from flows.llm.litellm_setup import load_litellm

    litellm, numbers = load_litellm(), iter(range(count))

    async def work() -> None:
        for n in numbers:
            messages = [{"role": "user", "content": question(n)}]
            answer = await litellm.acompletion(
                model=f"openai/{MODEL}", messages=messages, api_base=f"{url}/v1", api_key="none"
            )
            assert answer.choices[0].message.content == "yes"

    async def everybody() -> None:
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

    asyncio.run(everybody())


def run_genchi(url: str, count: int, folder: Path) -> None:
    """A night's asking of one model."""
    from flows.config import load as configuration
    from flows.lake.lake import Lake, from_rows
    from tests.evaluating import generate_night

    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text("- {name: right, kind: exact}")
    (folder / "genchi.yaml").write_text(
        f"app: bench\nlake: lake\nbudget: {{concurrency: {IN_FLIGHT}, usd: 100}}\n"
        "routes:\n  yes_no: {holdout: h.jsonl, criteria: c.yaml}\n"
        f"models:\n  pinned: {{model: openai/{MODEL}, api_base: '{url}/v1'}}\n"
        "  canary: {prompts: 0}\n"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    rows = [
        {
            "set": "holdout",
            "route": "yes_no",
            "example_id": f"{n:06d}",
            "version": "v1",
            "messages_json": json.dumps([{"role": "user", "content": question(n)}]),
            "expected_json": '"yes"',
        }
        for n in range(count)
    ]
    Lake(config.lake).write("examples", DAY, from_rows(rows, "examples"))
    asked = generate_night(config, DAY, "nightly-2026-05-04")
    landed = Lake(config.lake).read("completions", DAY)
    assert (asked.asked, len(landed), set(landed["output_text"].to_pylist())) == (count, count, {"yes"}), asked


def run_promptfoo(url: str, count: int, folder: Path) -> None:
    """`promptfoo eval` with an assertion on each answer, no cache and no table."""
    tests = [{"vars": {"question": question(n)}, "assert": [{"type": "equals", "value": "yes"}]} for n in range(count)]
    (folder / "tests.json").write_text(json.dumps(tests))
    provider = {"id": f"openai:chat:{MODEL}", "config": {"apiBaseUrl": f"{url}/v1", "apiKey": "none"}}
    settings = {"prompts": ["{{question}}"], "providers": [provider], "tests": "file://tests.json"}
    (folder / "promptfooconfig.json").write_text(json.dumps(settings))
    command = [os.environ["PROMPTFOO"], "eval", "-c", "promptfooconfig.json", "-j", str(IN_FLIGHT), "--no-cache"]
    command += ["--no-write", "--no-table", "--no-progress-bar", "-o", "out.json"]
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, env={**os.environ, "PROMPTFOO_CONFIG_DIR": str(folder)}
    )
    stats = json.loads((folder / "out.json").read_text())["results"]["stats"]
    assert stats["successes"] == count, stats


def run_inspect(url: str, count: int, folder: Path) -> None:
    """A task of Inspect's with an exact scorer, its log in the folder. Runs on the peer's own Python."""
    script = f"""
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import exact
from tests.bench.client import question

task = Task(dataset=MemoryDataset([Sample(input=question(n), target="yes") for n in range({count})]), scorer=exact())
(log,) = eval(task, model="openai/{MODEL}", model_base_url="{url}/v1", model_args={{"responses_api": False}},
              max_connections={IN_FLIGHT}, max_samples={IN_FLIGHT}, log_dir="logs", display="none")
assert log.status == "success" and log.results.completed_samples == {count}, log.status
"""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [os.environ["INSPECT_PYTHON"], "-c", script], cwd=folder, check=False, capture_output=True, env=environment
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-2000:]


RUNS: dict[str, Callable[[str, int, Path], None]] = {
    "bare litellm loop": run_bare,
    "genchi": run_genchi,
    "promptfoo": run_promptfoo,
    "Inspect": run_inspect,
}


def measure(what: str, delay_s: float, count: int) -> Seen:
    """One run against a fresh endpoint, which must have answered exactly the requests."""
    with endpoint(delay_s) as url, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench.client", "--run", what, url, str(count), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **QUIET})
        if done.returncode:
            raise RuntimeError(f"{what}: {done.stderr[-2000:]}")
        found = seen(url)
    assert found.answers == count, f"{what}: the endpoint answered {found.answers} of {count}"
    assert found.most_in_flight <= IN_FLIGHT, f"{what} had {found.most_in_flight} in flight"
    return found


def build_peers(folder: Path) -> list[str]:
    """Install the peers, and return which of them are available."""
    found = []
    for name, variable, build in (
        ("promptfoo", "PROMPTFOO", lambda: peers.node_package("promptfoo", folder)),
        ("Inspect", "INSPECT_PYTHON", lambda: peers.environment("inspect_ai", folder)),
    ):
        try:
            os.environ[variable] = os.environ.get(variable) or str(build())
            found.append(name)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} is skipped: it cannot be installed here ({error})", flush=True)
    return found


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--run"]:
        what, url, count, folder = sys.argv[2:]
        RUNS[what](url, int(count), Path(folder))
        return
    count, runs = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 2000), (2, 3)))
    place = Path(tempfile.mkdtemp())
    try:
        names = ["bare litellm loop", "genchi", *build_peers(place)]
        rates: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(runs):
            for name in names:
                rates[name].append(measure(name, FAST_S, count).rate)
        print(f"{count:,} requests, {IN_FLIGHT} in flight, {FAST_S * 1000:.0f} ms an answer; medians of {runs} runs")
        for name in names:
            ratios = [ours / theirs for ours, theirs in zip(rates["genchi"], rates[name], strict=True)]
            print(
                f"{name:<18} {statistics.median(rates[name]):7.0f} a second   genchi / it"
                f" {statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                flush=True,
            )
        limit = IN_FLIGHT / SLOW_S
        shares = [measure("genchi", SLOW_S, count).steady_rate / limit for _ in range(runs)]
        print(
            f"at {SLOW_S:.0f} s an answer: {statistics.median(shares):.1%} of the physical {limit:.0f} a second"
            f" ({min(shares):.1%} to {max(shares):.1%})"
        )
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
