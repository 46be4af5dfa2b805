"""litellm's table of models: prices, and the dates on which providers shut a model down.

It is read as a file, because importing litellm takes seconds. Ingest computes the cost of calls from it.
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
    """Every entry of the installed litellm's table, by its key."""
    package = importlib.util.find_spec("litellm")  # does not import it
    path = Path(package.origin or "").parent / "model_prices_and_context_window_backup.json" if package else Path()
    table: dict[str, Entry] = json.loads(path.read_text(encoding="utf-8"))
    return table


def ends_on(model: str) -> date | None:
    """The date on which the provider will shut down a model (a litellm string); None if none is announced.

    If the table has no entry for the whole string, the entry of the name without the provider counts, provided that
    it names the same provider.
    """
    provider, _, bare = model.partition("/")
    entry = price_table_entries().get(model)
    if entry is None and (other := price_table_entries().get(bare)) and other.get("litellm_provider") == provider:
        entry = other
    try:
        return date.fromisoformat(str((entry or {}).get("deprecation_date")))
    except ValueError:
        return None
