"""What an evaluation needs before the first request: tasks, model variants, prompts, worked examples."""

from flows.evaluate.setup.model_pair import ModelPair
from flows.evaluate.setup.production_sample import PRODUCTION, CallSample, draw_calls
from flows.evaluate.setup.task import EvalTask, check_setup, read_tasks, task_variants
from flows.evaluate.setup.tfidf_classifier import TfidfClassifier
from flows.evaluate.setup.variants import Variant

__all__ = [
    "PRODUCTION",
    "CallSample",
    "EvalTask",
    "ModelPair",
    "TfidfClassifier",
    "Variant",
    "check_setup",
    "draw_calls",
    "read_tasks",
    "task_variants",
]
