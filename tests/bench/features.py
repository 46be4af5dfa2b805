"""Six descriptors of texts, genchi's SQL against Evidently's, interleaved, in fresh processes.

    python -m tests.bench.features [texts] [runs]

prints, after both were found to say the same of every text: the medians of the seconds from texts in memory to
descriptors in memory (imports apart), of peak memory, and of the ratio of seconds. The texts are ASCII: sentences with
abbreviations, numbers and lines, one in five JSON, one in twenty with a code fence; about 300 characters each.
"""

import json
import random
import tempfile
import time
import warnings
from pathlib import Path

from tests.bench.side_by_side import Run, argument, child, line, serve

NAMES = ["characters", "words", "sentences", "non_letter_share", "json_valid", "code_fence"]


def texts(count: int) -> list[str]:
    """ASCII texts like those of an application."""
    rng = random.Random(1)
    words = ["".join(rng.choices("aeiourstlnmdcpgbhfvwyk", k=rng.randint(2, 11))) for _ in range(4000)]
    extras = ["e.g.", "Mr. Smith", "12", "3.5 %", "(see below)", "U.S.", "don't", "order #4711", "\n-", "x@example.com"]

    def sentence() -> str:
        some = [rng.choice(extras) if rng.random() < 0.08 else rng.choice(words) for _ in range(rng.randint(5, 14))]
        return " ".join(some).capitalize() + rng.choice(".?!")

    def text(n: int) -> str:
        prose = " ".join(sentence() for _ in range(rng.randint(1, 7)))
        if n % 5 == 0:
            return json.dumps({"category": rng.choice(words), "score": rng.random(), "reply": prose})
        return f"{prose}\n```json\n{{}}\n```" if n % 20 == 1 else prose

    return [text(n) for n in range(count)]


def run_genchi(folder: Path) -> float:
    """The model int_text_features, of which the six columns are asked for."""
    import duckdb

    from tests.rendering import text_features

    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        connection.execute(f"create table texts as from '{folder / 'texts.parquet'}'")
        started = time.perf_counter()
        connection.execute(f"create table found as select {', '.join(NAMES)} from ({text_features('texts')})")
        seconds = time.perf_counter() - started
        connection.execute(f"copy found to '{folder / 'genchi.parquet'}'")
    return seconds


def run_evidently(folder: Path) -> float:
    """Evidently's descriptors of the same texts."""
    import pandas as pd

    warnings.simplefilter("ignore")
    from evidently import DataDefinition, Dataset, descriptors

    frame = pd.read_parquet(folder / "texts.parquet")
    six = [
        descriptors.TextLength("text_value", alias="characters"),
        descriptors.WordCount("text_value", alias="words"),
        descriptors.SentenceCount("text_value", alias="sentences"),
        descriptors.NonLetterCharacterPercentage("text_value", alias="non_letter_share"),
        descriptors.IsValidJSON("text_value", alias="json_valid"),
        descriptors.Contains("text_value", ["```"], alias="code_fence"),
    ]
    started = time.perf_counter()
    dataset = Dataset.from_pandas(frame, DataDefinition(text_columns=["text_value"]), descriptors=six)
    found = dataset.as_dataframe()[NAMES]
    seconds = time.perf_counter() - started
    found.to_parquet(folder / "evidently.parquet")
    return seconds


def check(folder: Path) -> None:
    """Raise if the two differ in any text."""
    import pandas as pd

    genchi, evidently = (pd.read_parquet(folder / f"{name}.parquet") for name in RUNS)
    evidently["non_letter_share"] /= 100
    for name in NAMES:
        difference = (genchi[name].astype(float) - evidently[name].astype(float)).abs().max()
        assert len(genchi) == len(evidently)
        assert difference < 1e-12, f"{name} differs by {difference}"


RUNS = {"genchi": run_genchi, "evidently": run_evidently}


def main() -> None:
    """Print the table."""
    if serve(RUNS):
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, runs = argument(1, 100_000), argument(2, 5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = texts(count)
        pq.write_table(pa.table({"text_value": made}), folder / "texts.parquet")
        print(
            f"{count:,} texts of {sum(map(len, made)) / count:.0f} characters, six descriptors; medians of {runs} runs"
        )
        found: dict[str, list[Run]] = {what: [] for what in RUNS}
        for _ in range(runs):
            for what, results in found.items():
                results.append(child("tests.bench.features", what, folder))
            check(folder)
        line("genchi", found["genchi"], found["genchi"])
        line("Evidently", found["evidently"], found["genchi"])


if __name__ == "__main__":
    main()
