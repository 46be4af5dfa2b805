"""A secret that stands in the wrong place of genchi.yaml is not in the error about it."""

from pathlib import Path

import pytest

from flows.config import load_config
from flows.errors import ConfigError
from flows.outgoing import plain

SECRET = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"
PASSWORD = "Tr0ub4dor@3"
LINES = [
    f"timezone: {SECRET}",
    f"risk: {SECRET}",
    f"{SECRET}: x",
    f"window_days: {SECRET}",
    f"redact: [{SECRET}]",
    f"redact_paths: ['{SECRET}[']",
    f"retention: {{{SECRET}: 3d}}",
    f"retention: {{interactions: {SECRET}}}",
    f"sources: [{{name: a, format: '{SECRET}', path: x}}]",
    f"sources: [{{name: a, format: otel, path: 'postgres://u:{PASSWORD}@h/x'}}]",
    f"sources: [{{name: a, format: otel, dsn: 'postgres://u:{PASSWORD}@h/x'}}]",
    f"sources: [{{name: a, format: otel, url: 'postgres://u:{PASSWORD}@h/x'}}]",
    f"models: {SECRET}",
    f"models: {{pinned: {SECRET}}}",
    f"models: {{pinned: {{model: openai/a, {SECRET}: b}}}}",
    f"models: {{pinned: {{model: openai/a, params: {SECRET}}}}}",
    f"models: {{pinned: {{model: openai/a, price: {{input: {SECRET}}}}}}}",
    f"budget: {{usd: {SECRET}}}",
    f"alerts: [{{kind: {SECRET}, url: x}}]",
    f"alerts: [{{kind: slack, url: [{SECRET}]}}]",
    f"alerts: ['https://hooks.example.org/{SECRET}']",
    f"alerts: [{{kind: apprise, block: {SECRET}}}]",
    f"alerts: [{{kind: prefect, block: 'https://hooks.example.org/{SECRET}'}}]",
    f"alerts: [{{kind: slack, url: x, severity: {SECRET}}}]",
    f"ping: 'https://hc.example.org/{SECRET}'",
    f"ping: {{url: ['https://hc.example.org/{SECRET}']}}",
    f"ping: {{url: x, method: {SECRET}}}",
    f"storage: {{key: {SECRET}}}",
    f"storage: {{endpoint_url: 'https://u:{PASSWORD}@h'}}",
    f"lake: 'gs://u:{PASSWORD}@bucket/x'",
    f"lake: 's3://u:{PASSWORD}@bucket/x'",
    f"user_key_secret: [{SECRET}]",
    f"embedding: {{model: openai/e, max_texts_per_day: {SECRET}}}",
    f"app: *{SECRET.replace('-', '')}",
    f"app: !{SECRET} x",
    f'app: "{SECRET}\\q"',
    f"routes: {{a: {SECRET}}}",
    f"routes: {{a: {{repeats: {SECRET}}}}}",
]


@pytest.mark.parametrize("line", LINES)
def test_a_misplaced_secret_is_not_repeated(tmp_path: Path, line: str) -> None:
    given = "" if line.startswith("lake") else "lake: lake\n"
    app = "" if line.startswith("app") else "app: a\n"
    (tmp_path / "genchi.yaml").write_text(f"{app}{given}{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path / "genchi.yaml")
    told = str(error.value).replace(str(tmp_path), "")
    for part in (SECRET, SECRET.replace("-", ""), SECRET[8:], PASSWORD, PASSWORD[:8]):
        assert part not in told
    assert len(told) > 20


@pytest.mark.parametrize(
    ("line", "shown"),
    [("risk: sandard", "'sandard'"), ("window_days: many", "'many'"), ("timezone: Mars/City", "'Mars/City'")],
)
def test_what_is_no_secret_is_still_shown(tmp_path: Path, line: str, shown: str) -> None:
    (tmp_path / "genchi.yaml").write_text(f"app: a\nlake: lake\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=shown):
        load_config(tmp_path / "genchi.yaml")


def test_no_part_of_the_address_of_an_alert_or_a_ping_is_shown(tmp_path: Path) -> None:
    addresses = {
        "pagerduty://Integration1Key@Api2KeyOfUs/": ["Integration1Key", "Api2KeyOfUs"],
        "mailtos://ana:pass3word@mail.example.org?to=max@desk.example": ["pass3word"],
        "msteamsx://Token4Token/Token5Token/Token6Token": ["Token4Token", "Token5Token", "Token6Token"],
    }
    alerts = "".join(f"- {{kind: apprise, url: '{url}'}}\n" for url in addresses)
    text = f"app: a\nlake: lake\nping: {{url: 'https://hc.example.org/Uuid7Uuid'}}\nalerts:\n{alerts}"
    (tmp_path / "genchi.yaml").write_text(text, encoding="utf-8")
    load_config(tmp_path / "genchi.yaml")
    parts = [part for found in addresses.values() for part in found] + ["Uuid7Uuid"]
    assert [part for part in parts if part in plain(f"went wrong at {' and '.join(parts)}")] == []
