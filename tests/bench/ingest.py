"""Ingest against a bare DuckDB `COPY` of the same records to the same columns, interleaved, in fresh processes.

    python -m tests.bench.ingest [records] [runs]

prints, after all were found to have written every record: the medians of seconds, CPU seconds, peak memory and ratios
of the whole ingest without and with redaction; of four times the records; and of the same records over 30 days.
"""

import functools
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from tests.bench.side_by_side import Run, argument, child, line, serve

DAY = date(2026, 3, 2)
MONTH = 30
REDACT = "email, phone, card, iban, ip, secret"
BARE = """
copy (
    select id as call_id, trace_id, end_user as user_key, metadata.requester_metadata.route as route,
        metadata.requester_metadata.release as release, metadata.requester_metadata.prompt_version as prompt_version,
        custom_llm_provider as provider, model_group as model_requested, response.model as model_served,
        response.system_fingerprint as system_fingerprint, model_parameters::json::varchar as params_json,
        messages::json::varchar as messages_json, messages[-1].content as input_text,
        response.choices[1].message.content as output_text,
        response.choices[1].message::json::varchar as output_json,
        response.choices[1].finish_reason as finish_reason, to_timestamp("startTime") as started_at,
        ("endTime" - "startTime") * 1000 as latency_ms, prompt_tokens as input_tokens,
        completion_tokens as output_tokens,
        metadata.usage_object.prompt_tokens_details.cached_tokens as cached_tokens,
        metadata.usage_object.completion_tokens_details.reasoning_tokens as reasoning_tokens,
        response_cost as cost_usd, "status", cache_hit, request_tags::json::varchar as tags
    from read_json('{logs}', format = 'newline_delimited')
) to '{out}' (format parquet, compression zstd)
"""


def records(count: int, first: int, day: date) -> Iterator[str]:
    """Lines of about 2 KB in litellm's format: different texts of made-up words, one in twenty with an address."""
    rng = random.Random(first)
    words = ["".join(rng.choices("aeiourstlnmdcpgbhfvwyk", k=rng.randint(2, 11))) for _ in range(4000)]
    phrases = [json.dumps(" ".join(rng.choices(words, k=18)))[1:-1] for _ in range(20_000)]
    midnight = (day - date(1970, 1, 1)).days * 86_400
    for n in range(first, first + count):
        some = rng.choices(phrases, k=6)
        contact = (f" Write to {some[0][:5].strip()}.{n}@example.com.", f" Call +49 30 {n % 10**6:06d}.")[n // 20 % 2]
        at = midnight + (n - first) * 86_000 / count
        yield (
            f'{{"id": "chatcmpl-{n}", "trace_id": "tr-{n // 3}", "litellm_call_id": "call-{n}", "call_type":'
            f' "acompletion", "stream": false, "status": "success", "custom_llm_provider": "openai", "total_tokens":'
            f' 440, "prompt_tokens": 400, "completion_tokens": 40, "startTime": {at:.3f}, "endTime": {at + 0.8:.3f},'
            f' "completionStartTime": {at + 0.8:.3f}, "response_time": 0.8, "model": "gpt-4o-2024-08-06", "model_id":'
            f' "m1", "model_group": "gpt-4o", "api_base": "https://api.openai.com", "metadata": {{'
            f'"user_api_key_alias": null, "user_api_key_team_id": null, "spend_logs_metadata": null,'
            f' "requester_metadata": {{"route": "{("triage", "answer", "summary")[n % 3]}", "release": "r12",'
            f' "prompt_version": "v3"}}, "usage_object": {{"prompt_tokens": 400, "completion_tokens": 40,'
            f' "prompt_tokens_details": {{"cached_tokens": 128}}, "completion_tokens_details":'
            f' {{"reasoning_tokens": 0}}}}}}, "cache_hit": false, "request_tags": ["app:desk", "tier:{n % 4}"],'
            f' "end_user": "u{n * 7919 % 99_991}", "messages": [{{"role": "system", "content": "{phrases[n % 20]}"}},'
            f' {{"role": "user", "content": "Order {n}: {some[1]} {some[2]}{contact if n % 20 == 0 else ""}"}}],'
            f' "response": {{"id": "chatcmpl-{n}", "created": {int(at)}, "model": "gpt-4o-2024-08-06", "object":'
            f' "chat.completion", "system_fingerprint": "fp_1", "choices": [{{"finish_reason": "stop", "index": 0,'
            f' "message": {{"role": "assistant", "content": "{some[3]} {some[4]}", "tool_calls": null}}}}], "usage":'
            f' {{"completion_tokens": 40, "prompt_tokens": 400, "total_tokens": 440}}}}, "model_parameters":'
            f' {{"temperature": 0.2, "max_tokens": 256}}, "response_cost": {0.0011 + n % 7 / 1e4:.6f}}}\n'
        )


def write_logs(folder: Path, count: int, days: int = 1) -> None:
    """The records of each day in a separate file."""
    folder.mkdir(parents=True)
    for number in range(days):
        day = DAY + timedelta(days=number)
        with (folder / f"{day}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(records(count // days, number * (count // days), day))
    (folder.parent / "records.json").write_text(json.dumps(count), encoding="utf-8")


def run_bare(workspace: Path) -> int:
    """The records that a bare COPY writes."""
    import duckdb

    out = workspace / "bare.parquet"
    duckdb.execute(BARE.format(logs=workspace / "logs" / "*.jsonl", out=out))
    (count,) = duckdb.execute(f"select count(*) from '{out}'").fetchone() or (0,)
    return int(count)


def run_ingest(workspace: Path, *, redact: bool) -> int:
    """The calls that ingest lands, manifest and all."""
    from flows.config import load
    from flows.ingest import landing

    source = "{name: g, format: litellm, path: 'logs/{day}.jsonl'}"
    settings = f"app: bench\nlake: lake\nredact: [{REDACT if redact else ''}]\nsources: [{source}]\n"
    (workspace / "genchi.yaml").write_text(settings, encoding="utf-8")
    days = len(list((workspace / "logs").iterdir()))
    landed = landing.land_days(load.load_config(workspace / "genchi.yaml"), DAY, DAY + timedelta(days=days - 1))
    assert bool(landed.redacted) == redact
    return landed.interactions


RUNS = {"bare": run_bare, "ingest": lambda folder: run_ingest(folder, redact=False),
        "redacted": lambda folder: run_ingest(folder, redact=True)}  # fmt: skip


def run(what: str, workspace: Path) -> float:
    """The seconds of one run on a new lake, after it was found to have written every record."""
    shutil.rmtree(workspace / "lake", ignore_errors=True)
    expected = json.loads((workspace / "records.json").read_text(encoding="utf-8"))
    started = time.perf_counter()
    written = WRITERS[what](workspace)
    assert written == expected, f"{what} wrote {written} of {expected} records"
    return time.perf_counter() - started


WRITERS: dict[str, Callable[[Path], int]] = {
    "bare": run_bare,
    "ingest": lambda folder: run_ingest(folder, redact=False),
    "redacted": lambda folder: run_ingest(folder, redact=True),
}
RUNS: dict[str, Callable[[Path], float]] = {what: functools.partial(run, what) for what in WRITERS}


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    count, runs = argument(1, 1_000_000), argument(2, 3)
    count -= count % MONTH
    with tempfile.TemporaryDirectory() as name:
        day, four, month = (Path(name) / part for part in ("day", "four", "month"))
        write_logs(day / "logs", count)
        write_logs(month / "logs", count, MONTH)
        size = (day / "logs" / f"{DAY}.jsonl").stat().st_size
        print(f"{count:,} records of {size / count:,.0f} bytes; medians of {runs} interleaved runs", flush=True)
        found: dict[str, list[Run]] = {what: [] for what in (*RUNS, "month")}
        for _ in range(runs):
            for what, folder in (*((what, day) for what in RUNS), ("month", month)):
                measured = child("tests.bench.ingest", "ingest" if what == "month" else what, folder)
                found[what].append(replace(measured, seconds=measured.whole))
        for what, title in (("bare", "bare COPY"), ("ingest", "ingest"), ("redacted", "ingest, redacted")):
            line(title, found[what], found["bare"])
        line(f"ingest of {MONTH} days (to one day)", found["month"], found["ingest"])
        shutil.rmtree(day)
        shutil.rmtree(month)
        write_logs(four / "logs", 4 * count)
        much = child("tests.bench.ingest", "ingest", four)
        line("ingest of four times the records", [replace(much, seconds=much.whole)], found["ingest"][:1])


if __name__ == "__main__":
    main()
