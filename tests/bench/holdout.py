"""The evaluation of a large holdout with models that answer at once: memory, and the time to the first scores.

    python -m tests.bench.holdout [examples]

prints, for examples x 2 models x 3 repeats of texts of about 500 characters: seconds of asking and of scoring with
their rates, seconds from the start of scoring to the first scored rows in the file, and the peak memory of the process.
"""

import json
import random
import resource
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyarrow as pa

from flows.config import load as configuration
from flows.lake.lake import SCHEMAS, Lake
from flows.llm.client import Answer
from tests.evaluating import generate_night, score_night

DAY, RUN, REPEATS = date(2026, 5, 4), "nightly-2026-05-04", 3
CRITERIA = "- {name: right, kind: exact, severity: critical}\n- {name: short, kind: length, max_chars: 900}\n"


class Instant:
    """Answers yes to four questions in five, with a text around it that is never the same."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._asked = 0

    async def ask(self, messages, params):
        self._asked += 1
        text = "yes" if self._chance.random() < 0.8 else f"no, for {self._chance.random():.12f} reasons " * 12
        return Answer(
            "ok",
            text=text,
            output_json=json.dumps({"role": "assistant", "content": text}),
            response_id=f"r{id(self)}-{self._asked}",
            model_served="instant-1",
            finish_reason="stop",
            latency_ms=1.0,
            input_tokens=120,
            output_tokens=60,
            cost_usd=1e-6,
        )

    def estimate_usd(self, messages, params):
        return 1e-6


def prepare(folder: Path, count: int) -> configuration.Config:
    """A workspace with a frozen holdout."""
    (folder / "h.jsonl").write_text("{}")
    (folder / "c.yaml").write_text(CRITERIA)
    (folder / "genchi.yaml").write_text(
        "app: bench\nlake: lake\nbudget: {concurrency: 64, usd: 100}\n"
        f"routes:\n  yes_no: {{holdout: h.jsonl, criteria: c.yaml, repeats: {REPEATS}}}\n"
        "models:\n  pinned: {model: openai/old}\n  candidates:\n    - {model: openai/new}\n  canary: {prompts: 0}\n"
    )
    config = configuration.load_config(folder / "genchi.yaml")
    chance = random.Random(0)
    with Lake(config.lake).writing("examples", DAY) as land:
        for first in range(0, count, 10_000):
            texts = [f"Question {first + n}: {chance.random()} " * 12 for n in range(min(10_000, count - first))]
            rows = [
                {
                    "set": "holdout",
                    "route": "yes_no",
                    "example_id": f"{first + n:07d}",
                    "version": "v1",
                    "messages_json": json.dumps([{"role": "user", "content": text}]),
                    "input_text": text,
                    "expected_json": '"yes"',
                    "tags": json.dumps({"language": ("de", "en")[n % 2]}),
                }
                for n, text in enumerate(texts)
            ]
            land(pa.Table.from_pylist(rows, schema=SCHEMAS["examples"]))
    return config


@contextmanager
def first_write(seconds: list[float]):
    """Note when scoring first writes rows."""
    plain, started = Lake.writing, time.monotonic()

    @contextmanager
    def noting(self, *arguments):
        with plain(self, *arguments) as land:

            def noted(rows: pa.Table) -> None:
                land(rows)
                seconds.append(time.monotonic() - started)

            yield noted

    Lake.writing = noting
    try:
        yield
    finally:
        Lake.writing = plain


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        config = prepare(Path(name), count)
        answers = count * 2 * REPEATS
        started = time.monotonic()
        asked = generate_night(config, DAY, RUN, lambda model: Instant())
        assert asked.asked == answers, asked
        asking, started = time.monotonic() - started, time.monotonic()
        first: list[float] = []
        with first_write(first):
            scored = score_night(config, DAY, RUN, asked)
        scoring = time.monotonic() - started
        assert (scored.answers, scored.scores, scored.unscored) == (answers, 2 * answers, 0), scored
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count:,} examples x 2 models x {REPEATS} repeats: {answers:,} answers")
    print(f"asked and landed   {asking:7.1f} s  {answers / asking:9,.0f} a second")
    print(f"scored, 2 criteria {scoring:7.1f} s  {answers / scoring:9,.0f} a second; first rows after {first[0]:.1f} s")
    print(f"peak memory        {peak:7.0f} MiB")


if __name__ == "__main__":
    main()
