"""The queue of a day: which answers people are asked to judge, drawn with known probabilities."""

from flows.review.queue.day_queue import QueueResult, draw_queue
from flows.review.queue.handed_in import add_items
from flows.review.queue.questions import Question

__all__ = ["Question", "QueueResult", "add_items", "draw_queue"]
