"""What is evaluated: the frozen examples of a holdout, and production calls as examples."""

from flows.evaluate.examples.frozen_holdout import (
    Example,
    Holdout,
    as_text,
    labelled_in_file,
    read_holdout,
    read_labelled_dev_set,
    topics_of,
)
from flows.evaluate.examples.production_call import as_example, input_as_messages, messages_of

__all__ = [
    "Example",
    "Holdout",
    "as_example",
    "as_text",
    "input_as_messages",
    "labelled_in_file",
    "messages_of",
    "read_holdout",
    "read_labelled_dev_set",
    "topics_of",
]
