"""The dictionary for counting typos, as Parquet for dbt."""

import gzip
import importlib.metadata
import importlib.resources
import json
from pathlib import Path

import pyarrow as pa

from flows.lake import Lake, replace_parquet


def write_words(lake: Lake) -> Path:
    """Write pyspellchecker's English words in lower case, one row (column `word`) each, and return the file's path.

    The file has the package's version in its name and is written once. Its words come from OpenSubtitles, so they
    include common names and informal words.
    """
    place = lake.words(f"en-{importlib.metadata.version('pyspellchecker')}")
    if not place.exists():
        replace_parquet(place, pa.table({"word": pa.array(english_words(), pa.string())}))
    return place


def english_words() -> list[str]:
    """The distinct English words of pyspellchecker's resources, in lower case and in order."""
    resource = importlib.resources.files("spellchecker") / "resources" / "en.json.gz"
    counts = json.loads(gzip.decompress(resource.read_bytes()))
    return sorted({word.lower() for word in counts})
