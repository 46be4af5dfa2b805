"""The table of models that litellm ships with: prices, and the days on which providers end a model.

It is read as a file, for importing litellm takes seconds. What a call cost by it is for ingest to say.
"""

import importlib.util
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]


@cache
def price_table_entries() -> dict[str, Entry]:
    """Every entry of the installed litellm's table, by key."""
    found = importlib.util.find_spec("litellm")  # finds the package without running it
    place = Path(found.origin or "").parent / "model_prices_and_context_window_backup.json" if found else Path()
    table: dict[str, Entry] = json.loads(place.read_text(encoding="utf-8"))
    return table


def ends_on(model: str) -> date | None:
    """The day on which the provider has announced to end a model (a litellm string); None where none is known.

    Without its provider's name a model counts only where the table's entry is of that very provider.
    """
    provider, _, bare = model.partition("/")
    entry = price_table_entries().get(model)
    if entry is None and (found := price_table_entries().get(bare)) and found.get("litellm_provider") == provider:
        entry = found
    try:
        return date.fromisoformat(str((entry or {}).get("deprecation_date")))
    except ValueError:
        return None
