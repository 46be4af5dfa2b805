"""Near-duplicates and leaks that were planted among the texts of CLINC150: how many are found, and how fast.

    python -m tests.bench.near_duplicates [--planted 4000] [--sizes 20000 100000]

prints the share of planted near-duplicates that is found by kind of edit, exactly and by MinHash; the share of pairs of
other texts that is called near-duplicate, of the same intent and of any; the leaks of exact and of edited texts that
pass; and CPU seconds and peak memory of a search among 20,000 and 100,000 texts, each in a process of its own.
"""

import argparse
import random
import resource
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from flows.stats.character_grams import fold
from flows.stats.containment import contained
from flows.stats.near_duplicates import EXACT_UP_TO, nearest, repeats
from tests.conftest import SHARED

PLACE = SHARED / "data" / "clinc150" / "clinc150_full.parquet"
PATHS = {"exact": 10**9, "minhash": 0}


def typo(text: str, chance: random.Random) -> str:
    """Two neighbouring letters swapped, one left out, doubled or replaced."""
    places = [n for n in range(len(text) - 1) if text[n].isalpha()] or [0]
    n = chance.choice(places)
    kind = chance.randrange(4)
    if kind == 0:
        return text[:n] + text[n + 1 : n + 2] + text[n : n + 1] + text[n + 2 :]
    return text[:n] + ("", text[n : n + 1] * 2, chance.choice("abcdefghijklmnopqrstuvwxyz"))[kind - 1] + text[n + 1 :]


def dropped(text: str, chance: random.Random) -> str:
    """Without one word."""
    words = text.split()
    del words[chance.randrange(len(words))]
    return " ".join(words)


def swapped(text: str, chance: random.Random) -> str:
    """Two neighbouring words in the other order."""
    words = text.split()
    n = chance.randrange(len(words) - 1)
    words[n : n + 2] = words[n + 1], words[n]
    return " ".join(words)


EDITS = {
    "case": lambda text, chance: chance.choice((str.upper, str.title, str.capitalize))(text),
    "typo": typo,
    "dropped word": dropped,
    "politeness": lambda text, chance: chance.choice((f"please {text}", f"{text} please", f"hi, {text}")),
    "word swap": swapped,
}


def planted(texts: list[str], kind: str) -> list[str]:
    """An edit of every text, the same at every run."""
    chance = random.Random(f"{kind} 1")
    return [EDITS[kind](text, chance) for text in texts]


def recall(texts: list[str]) -> None:
    """Shares found, by edit and path."""
    print(f"{len(texts):,} planted edits of each kind, found (exact, MinHash):")
    for kind in EDITS:
        edited = planted(texts, kind)
        shares = []
        for limit in PATHS.values():
            found = nearest(edited, texts, exact_up_to=limit)
            shares.append(sum(one is not None for one in found) / len(found))
        print(f"  {kind:<14}" + "".join(f"{share:8.1%}" for share in shares))


def false_pairs(rows: list[tuple[str, str]]) -> None:
    """Shares of different texts that are called near-duplicate of one other, drawn at random."""
    chance = random.Random(3)
    by_intent = defaultdict(list)
    for text, intent in rows:
        by_intent[intent].append(text)
    for name, groups in (("one intent", list(by_intent.values())), ("any two", [[text for text, _ in rows]])):
        pairs = [chance.sample(chance.choice(groups), 2) for _ in range(20_000)]
        pairs = [pair for pair in pairs if fold(pair[0]) != fold(pair[1])]
        near, leak = (sum(find([one], [other])[0] is not None for one, other in pairs) for find in (nearest, contained))
        print(
            f"false, {name}: {near / len(pairs):.2%} of {len(pairs):,} pairs of different texts are near-duplicates,"
            f" of {leak / len(pairs):.2%} one is contained in the other"
        )


def leaks(texts: list[str], others: list[str]) -> None:
    """Of texts that stand in a source as they are, how many pass; and of edited ones and of other texts."""
    sources = [f"Answer in one word. Example: {a} And: {b}" for a, b in zip(texts[::2], texts[1::2], strict=True)]
    long = [" ".join(sources[n : n + 25]) for n in range(0, len(sources), 25)]
    for name, where in (("short prompts", sources), ("long prompts", long)):
        found = contained(texts, where)
        print(f"leaks in {name}: {sum(one is None for one in found)} of {len(texts):,} exact ones pass")
        for kind in EDITS:
            share = sum(one is not None for one in contained(planted(texts, kind), where)) / len(texts)
            print(f"  {kind:<14}{share:8.1%} found")
        found = contained(others, where)
        shares = [sum(map(bool, one)) / len(others) for one in (found, nearest(others, texts))]
        print("  other texts   {:8.2%} found; {:.2%} of them have a near-duplicate among the texts".format(*shares))


def timed(path: str, size: int) -> None:
    """One search in this process: its seconds and the peak memory."""
    chance = random.Random(4)
    known = [text for text, _ in read()]
    texts = known[:size]
    while len(texts) < size:  # no longer near-duplicates of what they are made of
        texts.append(f"{typo(chance.choice(known), chance)} {chance.choice(known)}")
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time()
    found = repeats(texts, exact_up_to=PATHS[path])
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    removed = sum(one is not None for one in found)
    print(
        f"{path:<8}{size:8,} texts {seconds:7.1f} s of CPU {peak:6,.0f} MiB ({before:,.0f} before) {removed:,} removed"
    )


def read(place: Path = PLACE) -> list[tuple[str, str]]:
    """The texts with their intents, each once, in an order that is no intent's."""
    table = pq.read_table(place, columns=["text", "intent"])
    rows = dict(zip(table["text"].to_pylist(), table["intent"].to_pylist(), strict=True))
    found = [(text, intent) for text, intent in rows.items() if intent != "oos" and len(text.split()) > 1]
    random.Random(2).shuffle(found)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--planted", type=int, default=4000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[EXACT_UP_TO, 5 * EXACT_UP_TO])
    parser.add_argument("--timed", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.timed:
        timed(options.timed[0], int(options.timed[1]))
        return
    rows = read()
    texts = [text for text, _ in rows]
    recall(texts[: options.planted])
    false_pairs(rows)
    leaks(texts[: options.planted], texts[options.planted : 2 * options.planted])
    for size in options.sizes:
        for path in PATHS:
            command = [sys.executable, "-m", "tests.bench.near_duplicates", "--timed", path, str(size)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
