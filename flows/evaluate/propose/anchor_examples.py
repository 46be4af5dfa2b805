"""The anchor of a new version: examples of the old one that stay, so that the two versions can be joined.

It has at least 100 examples or a fifth of the new version, and all that are the same in both where these are fewer. It
is drawn by topic and by whether the pinned model passed last, in proportion: strata that were only easy or only hard
would join the series of these (an anchor is to be a small version of the test: Kolen and Brennan 2014, "Test equating,
scaling, and linking").
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from flows.config import Config
from flows.evaluate.examples import topics_of
from flows.lake import Lake, nightly_run_id
from flows.stats.sample import rank

FEWEST = 100
SHARE = 0.2


def anchor_of(unchanged: Sequence[str], n_new: int, strata: Mapping[str, str], before: Sequence[str]) -> list[str]:
    """The ids of the anchor, in order, of the examples that are the same in both versions.

    `strata` by example_id; those without one are a stratum. Within a stratum the anchor `before` comes first, so that
    several versions share theirs; then the smallest ranks.
    """
    size = min(len(unchanged), max(FEWEST, -int(-SHARE * n_new // 1)))
    by_stratum: dict[str, list[str]] = defaultdict(list)
    known = set(before)
    for one in sorted(unchanged, key=lambda one: (one not in known, rank(one))):
        by_stratum[strata.get(one, "")].append(one)
    quotas = _proportional({name: len(ids) for name, ids in by_stratum.items()}, size)
    return sorted(one for name, ids in by_stratum.items() for one in ids[: quotas[name]])


def strata_of(config: Config, route: str, day: date) -> dict[str, str]:
    """Topic and pass or fail of the examples, by example_id, from the newest night until `day` that scored them."""
    lake = config.open_lake()
    night = _last_night(lake, route, day)
    if night is None:
        return {}
    topics, passed = topics_of(lake, night, route), _passed(config, lake, night, route)
    return {one: f"{topics.get(one, '')}, {'pass' if passed[one] else 'fail'}" for one in passed}


def _last_night(lake: Lake, route: str, day: date) -> date | None:
    for one in reversed(lake.days("scores")):
        if one <= day and lake.exists("scores", one, nightly_run_id(one)):
            return one
    return None


def _passed(config: Config, lake: Lake, night: date, route: str) -> dict[str, bool]:
    """Whether the pinned model passed all that was scored, by example."""
    pinned = config.all_models()[0].name if config.models else None
    columns = ["subject", "route", "model", "example_id", "passed"]
    found: dict[str, bool] = {}
    for rows in lake.batches("scores", night, columns, nightly_run_id(night)):
        for row in rows.to_pylist():
            is_mine = row["subject"] == "completion" and row["route"] == route and row["model"] == pinned
            if is_mine and row["passed"] is not None:
                found[row["example_id"]] = found.get(row["example_id"], True) and row["passed"]
    return found


def _proportional(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Whole numbers that add up to `total`, in proportion to the sizes (largest remainders)."""
    whole = sum(sizes.values())
    exact = {name: total * size / whole for name, size in sizes.items()} if whole else {}
    quotas = {name: int(share) for name, share in exact.items()}
    left = total - sum(quotas.values())
    for name in sorted(exact, key=lambda name: (quotas[name] - exact[name], name))[:left]:
        quotas[name] += 1
    return quotas
