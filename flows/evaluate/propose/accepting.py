"""A person accepts or rejects a proposal by its id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.config import Config
from flows.errors import ConfigError
from flows.evaluate.propose.frozen_versions import exact_leak, read_proposals
from flows.evaluate.propose.holdout_file import read_file
from flows.evaluate.propose.new_examples import as_expected, example_of, lacks_expected
from flows.evaluate.propose.proposal_decisions import decide


@dataclass(frozen=True)
class Who:
    """Who decides, and when."""

    annotator: str
    at: datetime


def accept_proposal(config: Config, proposal_id: str, who: Who, expected: str | None = None) -> str:
    """Add the decision, with the corrected expected answer if one is given; returns a line about it.

    The caller holds the lake's lock. Raises ConfigError for an unknown id, for an exact leak, and where no answer is
    expected although every other example has one.
    """
    proposal, file, corrected = _checked(config, proposal_id, expected)
    decide(config.open_lake(), proposal_id, who.annotator, who.at, is_accepted=True, expected=corrected)
    return f"accepted {proposal_id}; `genchi holdout freeze --route {proposal['route']}` writes it to {file.path}"


def check_proposal(config: Config, proposal_id: str, expected: str | None = None) -> str:
    """Check that it can be accepted, and return a line about what comes next. Raises as `accept_proposal` does."""
    proposal, file, _ = _checked(config, proposal_id, expected)
    return f"accepted; `genchi holdout freeze --route {proposal['route']}` writes it to {file.path}"


def _checked(config: Config, proposal_id: str, expected: str | None) -> tuple[dict[str, Any], Any, Any]:
    """The proposal, the file of its route, and the expected answer as the file has them."""
    proposal = _proposal(config, proposal_id)
    if leak := exact_leak(config, proposal):
        raise ConfigError(
            f"{proposal_id}: cannot be accepted: its text {leak}, so that a model developed with it would be tested on"
            " what it knows; reject it"
        )
    file = read_file(config, proposal["route"])
    corrected: Any = None if expected is None else as_expected(expected, file.rows)
    example = example_of(proposal, corrected, file.rows, is_shared=file.is_shared)
    if lacks_expected(example, file.rows):
        raise ConfigError(
            f"{proposal_id}: every example of {file.path} has an expected answer; give this one, too (--expected)"
        )
    return proposal, file, corrected


def reject_proposal(config: Config, proposal_id: str, who: Who) -> str:
    """Add the decision; returns a line about it. The caller holds the lake's lock.

    Raises ConfigError for an unknown id.
    """
    _proposal(config, proposal_id)
    decide(config.open_lake(), proposal_id, who.annotator, who.at, is_accepted=False, expected=None)
    return f"rejected {proposal_id}; it is not proposed again"


def _proposal(config: Config, proposal_id: str) -> dict[str, Any]:
    known = read_proposals(config.open_lake())
    if proposal_id not in known:
        raise ConfigError(f"no proposal {proposal_id!r}; `genchi holdout propose` prints those that there are")
    return known[proposal_id]
