"""Criteria: definitions, the file they are read from, scorers, JSON schemas, repair of formats, the judge prompt."""

from flows.evaluate.criteria.criteria_file import (
    NOT_DECISIVE,
    Criterion,
    criteria_by_route,
    criterion_of,
    load_criteria,
)
from flows.evaluate.criteria.definitions import OUTPUT_SCHEMA, Cost, Judge, Latency, Python
from flows.evaluate.criteria.folding import is_blank
from flows.evaluate.criteria.json_schema import Schema, hash_of, load_or_report
from flows.evaluate.criteria.judge_prompt import read_verdict
from flows.evaluate.criteria.judge_scores import (
    AGAINST_ITSELF,
    SINGLE,
    Case,
    JudgeRequest,
    Reply,
    judge_requests,
    score_from_replies,
)
from flows.evaluate.criteria.judge_template import Mode
from flows.evaluate.criteria.scorers import (
    NO_TEXT,
    Response,
    Score,
    failed,
    score,
    score_repaired,
    score_schema,
    unscored,
)

__all__ = [
    "AGAINST_ITSELF",
    "NOT_DECISIVE",
    "NO_TEXT",
    "OUTPUT_SCHEMA",
    "SINGLE",
    "Case",
    "Cost",
    "Criterion",
    "Judge",
    "JudgeRequest",
    "Latency",
    "Mode",
    "Python",
    "Reply",
    "Response",
    "Schema",
    "Score",
    "criteria_by_route",
    "criterion_of",
    "failed",
    "hash_of",
    "is_blank",
    "judge_requests",
    "load_criteria",
    "load_or_report",
    "read_verdict",
    "score",
    "score_from_replies",
    "score_repaired",
    "score_schema",
    "unscored",
]
