"""Do topics hold? The catalogues of eight months of arXiv abstracts, beside arXiv's own categories.

    python -m tests.bench.catalog [folder]

Writes the log of ../shared/data/arxiv_digest (or of GENCHI_SHARED) as a workspace in the folder (default: a temporary
one), lands and embeds it, and finds topics night by night. A folder that has topics already is only read. It prints for
each version of each route's catalogue: the texts that it was fitted on, its topics, and how many of them have an id of
the version before. Then, for every route, over all nights: the adjusted mutual information (Vinh et al. 2010) of topics
with arXiv's categories (1: the same partition; 0: no more in common than by chance), the same where each topic counts
as the category that most of its texts have, the topics of the first whole window's version that are there on the last
night, and the labels of the last night.
"""

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from flows.config import Config, load_config
from flows.ingest import landing
from flows.semantics import run
from tests.bench.real_log import FIRST, LAST, write_workspace
from tests.conftest import SHARED

Catalogs = dict[date, list[dict[str, Any]]]


def categories() -> dict[str, str]:
    """arXiv's category of each call."""
    rows = duckdb.connect().execute(
        "select route || '-' || day || '-' || n, category from read_parquet(?)",
        [str(SHARED / "data" / "arxiv_digest" / "calls.parquet")],
    )
    return dict(rows.fetchall())


def catalogs(config: Config) -> dict[str, Catalogs]:
    """Each night's topics of each route."""
    lake, found = config.open_lake(), defaultdict[str, Catalogs](dict)
    columns = ["route", "topic_id", "topic_version", "label", "first_day", "added_day", "fitted_texts"]
    for day in lake.days("topic_catalog"):
        for row in lake.read("topic_catalog", day, columns=columns).to_pylist():
            found[row["route"]].setdefault(day, []).append(row)
    return dict(found)


def versions(nights: Catalogs) -> Iterator[tuple[date, list[dict[str, Any]], set[str]]]:
    """The first night of each version, with its topics and the ids of the night before."""
    last, ids = "", set[str]()
    for day, topics in sorted(nights.items()):
        if topics[0]["topic_version"] != last:
            yield day, topics, ids
        last, ids = topics[0]["topic_version"], {topic["topic_id"] for topic in topics}


def agreement(config: Config, route: str, known: dict[str, str]) -> tuple[float, float]:
    """The adjusted mutual information with the categories, of topics and of the most frequent category of each."""
    lake, pairs = config.open_lake(), []
    for day in lake.days("topics"):
        rows = lake.read("topics", day, columns=["call_id", "origin", "route", "topic_id"]).to_pylist()
        pairs += [(known[row["call_id"]], row["topic_id"]) for row in rows
                  if row["route"] == route and row["origin"] == "production"]  # fmt: skip
    truth, found = (list(column) for column in zip(*pairs, strict=True))
    seen = defaultdict[str, Counter[str]](Counter)
    for category, topic in pairs:
        seen[topic][category] += 1
    largest = [seen[topic].most_common(1)[0][0] for topic in found]
    return adjusted_mutual_info_score(truth, found), adjusted_mutual_info_score(truth, largest)


def report(config: Config) -> None:
    """Print the versions, the agreement and the labels of every route."""
    known = categories()
    for route, nights in sorted(catalogs(config).items()):
        print(f"{route}\n  {'since':<12} {'texts':>6} {'topics':>7} {'kept':>5} {'new':>5} {'ended':>6}")
        made = list(versions(nights))
        for day, topics, before in made:
            ids = {topic["topic_id"] for topic in topics}
            counts = f"{len(ids & before):>5} {len(ids - before):>5} {len(before - ids):>6}"
            print(f"  {day!s:<12} {topics[0]['fitted_texts']:>6} {len(topics):>7} {counts}")
        topics_of, majority = agreement(config, route, known)
        whole = next(topics for day, topics, _ in made if day >= min(nights) + timedelta(days=28))
        last = nights[max(nights)]
        lasting = {topic["topic_id"] for topic in whole} & {topic["topic_id"] for topic in last}
        found = {topic["topic_id"] for topics in nights.values() for topic in topics if topic["added_day"]}
        print(
            f"  mutual information with arXiv's categories: {topics_of:.2f}; by most frequent category: {majority:.2f}"
        )
        print(f"  of {len(whole)} topics after four weeks, {len(lasting)} are there on the last night")
        mean = np.mean([len(topics) for topics in nights.values()])
        print(f"  found as new between versions: {len(found)}; topics on a night: {mean:.0f}")
        for topic in last:
            print(f"    {topic['topic_id']}  since {topic['first_day']}  {topic['label']}")


def build(folder: Path) -> None:
    """Build what is missing, and report."""
    path = folder / "genchi.yaml"
    config = load_config(path if path.is_file() else write_workspace(folder))
    if not config.open_lake().days("topics"):
        landing.land_days(config, FIRST, LAST)
        run.run_semantics(config, FIRST, LAST)
    report(config)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            build(Path(name))
