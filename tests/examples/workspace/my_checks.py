"""Criteria of one's own. A function gets the example (the holdout's row, or the call) and the answer's text."""


def is_short(example, answer, words=50):
    """A bool, or a number from 0 to 1. `words` comes from the criterion's `args`."""
    del example
    return len(answer.split()) <= words
