"""Answers of two small real models to the same prompts, several each, for `tests.bench.silence`.

    python -m tests.bench.small_models answers.json [prompts]

serves each model with `serve_llm.py` of GENCHI_SHARED (its head says what to install; Gemma's wheel with what it
depends on), asks, and writes {arm: [[answer, ...], ...]}. The prompts are requests of CLINC150. It takes 20 minutes on
an idle core.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow.parquet as pq

SHARED = Path(os.environ.get("GENCHI_SHARED", "../shared"))
PORT, SLOTS, MAX_TOKENS = 18191, 4, 40
# arm: model, temperature, answers to each prompt
ARMS = {
    "smollm2 at 0.7": ("smollm2", 0.7, 9),
    "smollm2 at 1.0": ("smollm2", 1.0, 3),
    "gemma at 0.7": ("gemma", 0.7, 3),
}


def main(target: Path, n_prompts: int = 100) -> None:
    """Ask all arms, model by model, and write their answers."""
    texts = pq.read_table(SHARED / "data" / "clinc150" / "clinc150_full.parquet").column("text").to_pylist()
    prompts = texts[:: len(texts) // n_prompts][:n_prompts]
    found = {}
    for name in ("smollm2", "gemma"):
        with served(name) as url, ThreadPoolExecutor(SLOTS) as pool, httpx.Client(base_url=url, timeout=300) as client:
            for arm, (model, temperature, n_answers) in ARMS.items():
                if model != name:
                    continue
                jobs = [(client, prompt, temperature) for prompt in prompts for _ in range(n_answers)]
                answers = list(pool.map(lambda job: ask(*job), jobs))
                found[arm] = [answers[start : start + n_answers] for start in range(0, len(answers), n_answers)]
                target.write_text(json.dumps(found), encoding="utf-8")
                print(arm, len(answers), flush=True)


@contextmanager
def served(model: str) -> Iterator[str]:
    """The address of the model, while it is served."""
    command = [sys.executable, str(SHARED / "tools" / "serve_llm.py"), model, str(PORT), str(SLOTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            while not (line := server.stdout.readline()).startswith("READY"):
                if not line:
                    raise RuntimeError(f"{' '.join(command)} ended")
            yield f"http://127.0.0.1:{PORT}/v1"
        finally:
            server.terminate()


def ask(client: httpx.Client, prompt: str, temperature: float) -> str:
    """One answer."""
    request = {
        "model": "any",
        "messages": [{"role": "user", "content": prompt}],
        "temperature": temperature,
        "max_tokens": MAX_TOKENS,
        "cache_prompt": False,
    }
    response = client.post("/chat/completions", json=request).raise_for_status()
    return str(response.json()["choices"][0]["message"]["content"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
