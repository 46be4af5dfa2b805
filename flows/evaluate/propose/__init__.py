"""A holdout that stays current: what production asks and it lacks is proposed, and accepted examples are frozen."""

from flows.evaluate.propose.accepting import Who, accept_proposal, check_proposal, reject_proposal
from flows.evaluate.propose.frozen_versions import Frozen, freeze
from flows.evaluate.propose.proposals import LIMIT, Proposed, proposal_id, propose
from flows.evaluate.propose.version_joins import join_versions, parent_tasks

__all__ = [
    "LIMIT",
    "Frozen",
    "Proposed",
    "Who",
    "accept_proposal",
    "check_proposal",
    "freeze",
    "join_versions",
    "parent_tasks",
    "proposal_id",
    "propose",
    "reject_proposal",
]
