"""Changes that the shares of known topics do not show: new dense groups of texts, and days that differ as a whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from flows.semantics.catalog import Catalog, Topic, examples_of
from flows.semantics.vectors import Vectors
from flows.stats import scan, two_sample
from flows.stats.neighbours import nearest, of_others, projected, unit
from flows.stats.sample import rank

Row = dict[str, object]
# A group becomes a topic of the catalogue at this p-value: in one of a thousand quiet nights a route gets a topic by
# chance. That does no harm, because the number of earlier texts about it is landed too. Alerts are decided over the
# whole night, in SQL.
ADDED_AT = 1e-3
MOST_A_NIGHT = 3
# Number of past texts that a day is compared with: evenly from the past days, by the sample of calls.
HISTORY = 14_000
# The day alone, and with the two before it: a group that is too small in one night may be large enough in three.
SPANS = (1, 3)
_GRAPH = 80  # neighbours per text: enough of them are from other authors
_FEWEST_PAST = 100
_FEWEST_TEXTS = 30


@dataclass(frozen=True)
class Night:
    """One route's texts of one side up to a day; `texts` reads the day's inputs by call_id."""

    day: date
    rows: Vectors
    texts: Callable[[], Mapping[str, str]] = dict

    @property
    def today(self) -> Vectors:
        """The day's own rows."""
        return self.rows.where(self.rows.days == self.day.toordinal())


@dataclass(frozen=True)
class Group:
    """Texts that are close together: the p-value of such a group anywhere by chance, and its members of all days."""

    p_value: float
    statistic: float
    members: Vectors


def new_topics(night: Night, catalog: Catalog, route: str, since: date) -> tuple[Catalog, list[Row]]:
    """The catalogue with the topics that the night added, and the night's rows of topic_tests.

    The last row is the best remaining group: the smallest p-value that did not become a topic. Texts of a topic that
    was added since `since` are known, and are not found again. No row if there are too few texts to compare.
    """
    found: list[Row] = []
    rows = _unknown(_thinned(night.rows, night.day), catalog, since)
    for _ in range(MOST_A_NIGHT + 1):
        group = densest(rows, night.day)
        if group is None:
            break
        is_added = group.p_value <= ADDED_AT and len(found) < MOST_A_NIGHT and bool(catalog.topics)
        if is_added:
            catalog = catalog.with_new(group.members, night.texts(), night.today, night.day)
        found.append(_row(route, group, catalog.topics[-1] if is_added else None, night.day))
        if not is_added:
            break
        rows = rows.where(~_belongs(rows, catalog, len(catalog.topics) - 1))
    return catalog, found


def pasts_of(night: Night, catalog: Catalog, places: Sequence[int]) -> Iterator[Row]:
    """The shares that topics of this night would have had on past days: one row for each topic and past day.

    With the sums that the noise of clusters needs: over the authors of a day, the sums of s, s * s and s * n, where n
    is the number of an author's texts of that day and s the number of those about this topic.
    """
    rows = night.rows.where(night.rows.days < night.day.toordinal())
    if not len(rows) or not places:
        return
    nearest_places, _, _ = catalog.assign(rows.vectors)
    of_author = _codes(rows.authors, rows.days)
    n = np.bincount(of_author)
    days = np.zeros(len(n), int)
    days[of_author] = rows.days
    past_days, of_day = np.unique(days, return_inverse=True)
    for place in places:
        s = np.bincount(of_author, nearest_places == place, len(n))
        sums = {"total": s, "cluster_squares": s**2, "cluster_cross": s * n}
        by_day = {name: np.bincount(of_day, values) for name, values in sums.items()}
        topic = catalog.topics[place]
        for at, day in enumerate(past_days.tolist()):
            yield {
                "route": topic.route,
                "topic_id": topic.topic_id,
                "topic_version": topic.topic_version,
                "past_day": date.fromordinal(day),
                **{name: float(values[at]) for name, values in by_day.items()},
            }


def densest(rows: Vectors, day: date) -> Group | None:
    """The group of the day's texts that is most unlikely by chance; None if there are too few texts.

    The smallest p-value of the spans counts, multiplied by their number (Bonferroni).
    """
    today = day.toordinal()
    if (rows.days == today).sum() < _FEWEST_TEXTS or (rows.days < today).sum() < _FEWEST_PAST:
        return None
    # Among many equal texts the first ones are the nearest, so they must not be in the order of days.
    order = np.random.default_rng(today).permutation(len(rows))
    graph = nearest(projected(rows.vectors)[order], _GRAPH)
    spots: list[Group] = []
    for span in SPANS:
        blocks = -((today - rows.days[order]) // span)
        if len(np.unique(blocks)) < 2:
            continue
        authors = _codes(rows.authors[order], blocks)
        spot = scan.find(of_others(graph, authors, scan.DEEPEST), blocks, authors, 0, today)
        spots.append(Group(spot.p_value, spot.statistic, _members(rows, order, graph, blocks == 0, spot)))
    # A group without texts of the day is not a group of the day.
    own = [group for group in spots if (group.members.days == today).any()] or spots[:1]
    best = min(own, key=lambda group: group.p_value)
    return replace(best, p_value=min(1.0, len(spots) * best.p_value))


def two_samples(night: Night, route: str, side: str) -> Row | None:
    """The row of topic_tests that compares the day as a whole with its window; None without a window."""
    rows = _thinned(night.rows, night.day)
    today = night.day.toordinal()
    if (rows.days == today).sum() < _FEWEST_TEXTS or (rows.days < today).sum() < _FEWEST_PAST:
        return None
    found = two_sample.compare(rows.vectors, rows.days, rows.authors, today, seed=today)
    if found is None:
        return None
    counts = {"n": len(rows), "n_current": int((rows.days == today).sum())}
    made: Row = {"route": route, "side": side, "test": "two_sample", "statistic": found.statistic}
    return {**made, **counts, "p_value": found.p_value}


def _row(route: str, group: Group, topic: Topic | None, day: date) -> Row:
    members = group.members
    centre = unit(members.vectors.mean(axis=0)[None, :])[0] if len(members) else np.empty(0)
    return {
        "route": route,
        "side": "input",
        "test": "new_topic",
        "topic_id": topic.topic_id if topic else None,
        "label": topic.label if topic else None,
        "n": len(members),
        "n_current": int((members.days == day.toordinal()).sum()),
        "statistic": group.statistic,
        "p_value": group.p_value,
        "example_call_ids": topic.example_call_ids if topic else examples_of(members, centre) if len(members) else [],
    }


def _members(
    rows: Vectors, order: np.ndarray, graph: np.ndarray, is_current: np.ndarray, spot: scan.Hotspot
) -> Vectors:
    """The group around the middle of a hotspot; graph and hotspot are of the rows in this order.

    It starts with the current texts among the nearest of the middle. Around their mean, it takes the circle whose share
    of current texts is most unlikely.
    """
    kept = np.zeros(len(rows), bool)
    if spot.middle < 0:
        return rows.where(kept)
    kept[spot.middle] = True
    kept[[place for place in graph[spot.middle, : spot.size] if is_current[place]]] = True
    centre = unit(rows.vectors[order[kept]].mean(axis=0)[None, :])[0]
    near = np.argsort(-(rows.vectors @ centre)[order], kind="stable")
    ratios = scan.log_ratios(np.cumsum(is_current[near]), np.arange(1, len(near) + 1), float(is_current.mean()))
    chosen = near[: int(ratios.argmax()) + 1]
    kept[chosen[is_current[chosen]]] = True
    return rows.take(order[kept])


def _thinned(rows: Vectors, day: date) -> Vectors:
    """All texts of the day, and an even share of each past day, by the order of the sample."""
    today = day.toordinal()
    past_days = np.unique(rows.days[rows.days < today])
    cap = HISTORY // max(len(past_days), 1)
    kept = rows.days == today
    for past_day in past_days:
        places = np.flatnonzero(rows.days == past_day)
        if len(places) > cap:
            places = np.array(sorted(places, key=lambda place: rank(rows.call_ids[int(place)]))[:cap])
        kept[places] = True
    return rows.where(kept)


def _unknown(rows: Vectors, catalog: Catalog, since: date) -> Vectors:
    """The rows without those of recently added topics."""
    for place in np.flatnonzero(catalog.added_since(since)):
        rows = rows.where(~_belongs(rows, catalog, int(place)))
    return rows


def _belongs(rows: Vectors, catalog: Catalog, place: int) -> np.ndarray:
    """Whether a text lies within a topic's radius, or a quarter beyond and nearer to no other topic.

    The radius of a topic of few texts is narrow, and its outer texts must not be found again as another topic.
    """
    radius = catalog.topics[place].radius
    distances = 1 - rows.vectors @ catalog.centres[place]
    places, _, _ = catalog.assign(rows.vectors)
    belongs: np.ndarray = (distances <= radius) | ((places == place) & (distances <= 1.25 * radius))
    return belongs


def _codes(authors: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """One number for each author and block of days."""
    spread = blocks - blocks.min(initial=0)
    _, codes = np.unique(authors * (spread.max(initial=0) + 1) + spread, return_inverse=True)
    return codes
