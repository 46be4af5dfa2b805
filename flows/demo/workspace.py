"""The demo's workspace on disk: its configuration, test sets and thirty days of logs."""

import json
import shutil
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from flows.demo import customer_texts, desk, gateway_log, simulator
from flows.demo.incidents import DAYS
from flows.errors import ConfigError

MARKER = ".genchi-demo"
_MARKER_TEXT = "`genchi demo` wrote this folder, and replaces what it wrote when it is run again.\n"
# The files that a demo and its nights write: only these are replaced.
_OURS = ("genchi.yaml", "logs", "datasets", "holdouts", "expectations", "schemas", "lake", "reports")
_DEV_EXAMPLES, _HOLDOUT_EXAMPLES = 350, 300
_TEMPLATE = Path(__file__).parent / "template"

Choice = TypeVar("Choice")


def write_workspace(folder: Path, last_day: date, days: int = DAYS) -> Path:
    """Write a demo whose logs are the `days` days up to `last_day`, about 400 calls each. Returns its genchi.yaml.

    An existing demo is replaced. Raises ConfigError if `folder` has other contents.
    """
    _clear(folder)
    _write(folder / MARKER, _MARKER_TEXT)
    _write(folder / "genchi.yaml", (_TEMPLATE / "genchi.yaml").read_text(encoding="utf-8"))
    _write(folder / "expectations/criteria/triage.yaml", (_TEMPLATE / "criteria.yaml").read_text(encoding="utf-8"))
    _write(folder / "schemas/triage.json", json.dumps(_schema(), indent=2) + "\n")
    _write(folder / "datasets/dev.jsonl", _jsonl(_dev_set()))
    _write(folder / "holdouts/triage.jsonl", _jsonl(_holdout()))
    for days_before in range(days):
        place = folder / "logs" / (last_day - timedelta(days=days_before)).isoformat() / "gateway.jsonl.gz"
        place.parent.mkdir(parents=True)
        place.write_bytes(gateway_log.packed(gateway_log.lines(simulator.calls(last_day, days_before), days_before)))
    return folder / "genchi.yaml"


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder instead")
    if not any(folder.iterdir()):
        return
    if not (folder / MARKER).is_file():
        raise ConfigError(f"{folder}: not empty, and not a demo; name another folder: `genchi demo FOLDER`")
    for name in _OURS:
        place = folder / name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def _write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _jsonl(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "triage",
        "description": "What the support desk answers to a customer's message.",
        "type": "object",
        "required": ["category", "urgency", "reply"],
        "additionalProperties": False,
        "properties": {
            "category": {"enum": list(customer_texts.CATEGORIES)},
            "urgency": {"enum": ["low", "normal", "high"]},
            "language": {"enum": list(customer_texts.LANGUAGES)},
            "reply": {"type": "string", "minLength": 1},
        },
    }


def _dev_set() -> list[dict[str, Any]]:
    """The dev set of the desk's developers: messages from before the demo's month, and full answers."""
    # A seed whose sample looks like production: with 350 examples not every sample does.
    rng = Random("dev 11")  # noqa: S311 - a simulation, no secret hangs on it
    return [
        {
            "example_id": f"dev-{number:03d}",
            "input": text,
            "expected": desk.answer(rng, language, intent),
            "route": "triage",
        }
        for number, (language, intent, text) in enumerate(_drawn(rng, _DEV_EXAMPLES), 1)
    ]


def _holdout() -> list[dict[str, Any]]:
    """The holdout, not used for tuning: the messages as the application sends them, and the right category."""
    rng = Random("holdout")  # noqa: S311 - a simulation, no secret hangs on it
    return [
        {
            "example_id": f"triage-{number:03d}",
            "messages": desk.messages(text),
            "expected": {"category": desk.category_of(intent)},
            "tags": {"language": language, "category": desk.category_of(intent)},
        }
        for number, (language, intent, text) in enumerate(_drawn(rng, _HOLDOUT_EXAMPLES), 1)
    ]


def _drawn(rng: Random, count: int) -> list[tuple[str, str, str]]:
    """(language, intent, text) of ordinary messages, with languages, intents and styles in production's shares."""
    languages = _in_proportion(rng, count, ("en", "de"), (6, 1))
    intents = _in_proportion(rng, count, tuple(customer_texts.CATEGORIES), tuple(customer_texts.CATEGORIES.values()))
    manners = _in_proportion(rng, count, (False, True), (9, 1))
    kinds = zip(languages, intents, manners, strict=True)
    return [
        (language, intent, customer_texts.written(rng, language, intent, casual)) for language, intent, casual in kinds
    ]


def _in_proportion(rng: Random, count: int, choices: Sequence[Choice], weights: Sequence[float]) -> list[Choice]:
    """`count` of the choices, as closely as possible in proportion to their weights, shuffled."""
    drawn: list[Choice] = []
    total, summed = sum(weights), 0.0
    for choice, weight in zip(choices, weights, strict=True):
        summed += weight
        drawn += [choice] * (round(count * summed / total) - len(drawn))
    rng.shuffle(drawn)
    return drawn
