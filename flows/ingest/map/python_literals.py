"""Objects that a log has as Python prints them, as JSON: litellm's callback writes what is no simple value so."""

import ast
import json

# Longer literals take long to parse, and are no metadata.
_LONGEST = 20_000


def literal_as_json(text: str | None) -> str | None:
    """The JSON of a dict or list in Python's notation, or in JSON's; None for all else."""
    if text is None or text[:1] not in ("{", "[") or len(text) > _LONGEST:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return json.dumps(read(text), ensure_ascii=True, allow_nan=False)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return None
