"""The simulated judge and the simulated reviewer of the demo, and how well the one was measured by the other.

Neither is a person or a language model. Both know what the desk should have answered; the judge errs at known rates,
so that one can see whether genchi measures them rightly.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flows.config import Config
from flows.demo import customer_texts, desk
from flows.marts import open_marts

JUDGE = "desk-judge-1"
FINDS, PASSES = 0.9, 0.95
"""The share of wrong answers that the judge fails, and of right ones that it passes."""
ANNOTATOR = "simulated-reviewer"
_COPIED = (
    *("subject", "subject_id", "route", "criterion", "criterion_version", "draw", "inclusion_probability"),
    *("stratum", "stratum_size", "sample_size", "judge", "judge_verdict"),
)
_SECONDS = 12.0
_MEASURED = """
    select n_labels, n_failures, tpr, tpr_low, tpr_high, tnr, tnr_low, tnr_high
    from marts.fct_judge_alignment
    where day = ? and tpr is not null and tnr is not null
"""


def verdict_reply(prompt: str) -> str:
    """The judge's reply to genchi's request to judge an answer: a JSON object of reason and verdict."""
    line = next((one for one in prompt.splitlines() if one.startswith("{")), "{}")
    data = json.loads(line)
    asked = [message.get("content") for message in data.get("conversation", ()) if message.get("role") == "user"]
    text, answer = str(asked[-1] if asked else ""), str(data.get("answer", ""))
    problem = problem_of(text, answer)
    errs = _unit(JUDGE, text, answer) >= (FINDS if problem else PASSES)
    passes = bool(problem) == errs
    reason = "The category is that of the message." if passes else "The category is not that of the message."
    return json.dumps({"reason": reason, "verdict": "yes" if passes else "no"})


def problem_of(text: str, answer: str) -> str:
    """What is wrong with an answer to a customer's text, in two or three words; empty where nothing is."""
    try:
        found = json.loads(answer)
    except ValueError:
        return "refused" if answer.startswith("I'm sorry") else "not JSON"
    if not isinstance(found, dict):
        return "wrapped in a list"
    _, intent = customer_texts.classify(text)
    return "" if found.get("category") == desk.category_of(intent) else "wrong category"


def labels(queue: Iterable[Mapping[str, Any]], day: date) -> Iterator[dict[str, Any]]:
    """The rows of `annotations` with which the simulated reviewer answers the queue of `day`, on the next morning."""
    start = datetime.combine(day + timedelta(days=1), time(9), UTC)
    for number, row in enumerate(one for one in queue if not one["is_second"]):
        item = json.loads(row["item_json"])
        said = [part["text"] for message in item["messages"] if message["role"] == "user" for part in message["parts"]]
        problem = problem_of(said[-1] if said else "", "".join(part["text"] for part in item["answer"]["parts"]))
        yield {name: row[name] for name in _COPIED} | {
            "label_id": f"{ANNOTATOR}-{day}-{number:03d}",
            "annotator": ANNOTATOR,
            "annotator_kind": "simulated",
            "at": start + timedelta(seconds=_SECONDS * number),
            "passed": not problem,
            "failure_mode": problem or None,
            "note": f"simulated: the answer is {problem}" if problem else None,
            "queue_day": day,
            "blind": True,
            "seconds": _SECONDS,
        }


@dataclass(frozen=True)
class Measured:
    """What the labels say of the judge, with 95 % intervals."""

    row: Mapping[str, Any]

    @property
    def text(self) -> str:
        """One line, with the planted rates beside the measured ones."""
        row = self.row
        return (
            f"The simulated judge, measured by {row['n_labels']} labels of the {ANNOTATOR}: it fails"
            f" {_share(row, 'tpr')} of wrong answers (planted: {FINDS:.0%}) and passes {_share(row, 'tnr')} of right"
            f" ones (planted: {PASSES:.0%})"
        )


def measured(config: Config, day: date) -> Measured | None:
    """How the judge did by the labels up to `day`; None where it could not be measured."""
    rows = open_marts(config).query(_MEASURED, [day])
    return Measured(rows[0]) if rows else None


def _share(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%})"


def _unit(*parts: str) -> float:
    """A number from 0 to 1 that depends only on the parts."""
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
