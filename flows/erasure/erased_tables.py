"""How each table of the lake is erased. Every table of the lake has a row here; a test holds it."""

from dataclasses import dataclass, field
from typing import Literal

IdKind = Literal["call", "user", "shared", "example", "subject", "request"]


@dataclass(frozen=True)
class How:
    """How one table is erased.

    `ids` are the columns by which a row is known as the person's, each with what its ids are: a `call`, a `user`'s key,
    an id `shared` by records of one call, a `request` to a judge, an `example` of a test set (or the proposal of one)
    that was made of a call, or a `subject`, which is a call or such an example. Those rows go. Of any other row that
    holds an id or a text of the person in another column, the `row` goes too, or that `text` alone; of a table with
    `nothing` no row does, and `why` says so.
    """

    ids: dict[str, IdKind] = field(default_factory=dict)
    found: Literal["row", "text", "nothing"] = "text"
    why: str = ""


_NUMBERS = "counts, rates and names of models"

HOW: dict[str, How] = {
    "interactions": How({"call_id": "call", "user_key": "user"}, "row"),
    "feedback": How({"call_id": "call"}, "row"),
    "call_records": How({"call_id": "call", "one_call": "shared"}, "row"),
    "quarantine": How({}, "row", "the record's own texts and words are compared with the ids, too"),
    "manifest": How({}, "nothing", "names and counts of files; records that went count as `other`"),
    "examples": How({"example_id": "example"}, "row"),
    "completions": How({"example_id": "subject"}, "row"),
    "scores": How({"subject_id": "subject", "example_id": "subject"}, "row"),
    "judgements": How({"request_hash": "request"}, "row"),
    "model_variants": How({}, "nothing", _NUMBERS),
    "shadow_samples": How({"call_id": "call"}, "row"),
    "estimates": How({}, "text"),
    "comparisons": How({}, "text"),
    "canaries": How({}, "nothing", _NUMBERS),
    "embeddings": How({"call_id": "subject"}, "row"),
    "topics": How({"call_id": "subject"}, "row"),
    "topic_catalog": How({}, "text", "a topic's words are those of many texts, and stay"),
    "topic_tests": How({}, "text"),
    "topic_pasts": How({}, "nothing", _NUMBERS),
    "expectation_results": How({}, "text"),
    "night_runs": How({}, "nothing", "seconds, rows and bytes of stages"),
    "acknowledgements": How({}, "text"),
    "review_queue": How({"subject_id": "subject"}, "row"),
    "annotations": How({"subject_id": "subject"}, "text"),
    "criteria": How({}, "text"),
    "anchors": How({"subject_id": "subject"}, "row"),
    "anchor_grades": How({"subject_id": "subject"}, "row"),
    "anchor_tests": How({}, "nothing", _NUMBERS),
    "review_strata": How({}, "nothing", _NUMBERS),
    "criterion_suggestions": How({}, "text"),
    "holdout_proposals": How({"call_id": "call", "proposal_id": "example"}, "row"),
    "holdout_versions": How({}, "text"),
    "holdout_joins": How({}, "nothing", _NUMBERS),
    "review_decisions": How({"subject_id": "example"}, "text"),
    "tombstones": How({}, "nothing", "keyed hashes, which keep what was forgotten from coming back"),
}

ORDER = (*(table for table in HOW if table != "interactions"), "interactions")
"""The order of erasing: the calls, by which all else is found, go last."""
