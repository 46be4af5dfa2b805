"""What an evaluation needs before the first request: tasks, model variants, prompts, few-shot examples."""

from flows.evaluate.setup.criteria_log import (
    IDENTITY,
    Version,
    current_versions,
    definition_json,
    is_known,
    note_versions,
    read_versions,
)
from flows.evaluate.setup.eval_setup import EvalSetup, load_setup, read_setup
from flows.evaluate.setup.model_pair import ModelPair
from flows.evaluate.setup.production_sample import PRODUCTION, CallSample, draw_calls
from flows.evaluate.setup.task import EvalTask, read_task, read_tasks, task_variants
from flows.evaluate.setup.tfidf_classifier import TfidfClassifier
from flows.evaluate.setup.variants import Variant

__all__ = [
    "IDENTITY",
    "PRODUCTION",
    "CallSample",
    "EvalSetup",
    "EvalTask",
    "ModelPair",
    "TfidfClassifier",
    "Variant",
    "Version",
    "current_versions",
    "definition_json",
    "draw_calls",
    "is_known",
    "load_setup",
    "note_versions",
    "read_setup",
    "read_task",
    "read_tasks",
    "read_versions",
    "task_variants",
]
