"""`genchi holdout freeze`: accepted proposals become examples, and the file a new version with its parent.

The file is replaced first, then the version is recorded. A kill in between loses nothing: the next freeze finds a file
that is no recorded version, and records it with the same parent.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc

from flows.config import Config, limit_on
from flows.evaluate.propose.anchor_examples import anchor_of, strata_of
from flows.evaluate.propose.holdout_file import HoldoutFile, Row, content_of, messages_of_row, read_file
from flows.evaluate.propose.leaks import leaks_of, sources_of
from flows.evaluate.propose.new_examples import example_of, lacks_expected
from flows.evaluate.propose.pool import window_of
from flows.evaluate.propose.proposal_decisions import read_decisions
from flows.evaluate.propose.traits import asked_text
from flows.lake import Lake, from_rows
from flows.stats.near_duplicates import nearest, repeats

VersionOf = Callable[[Sequence[Row]], str]


@dataclass(frozen=True)
class Frozen:
    """What became of a freeze, as ids. `left_out` has a line for each accepted proposal that was refused."""

    route: str
    version: str
    parent: str
    n_examples: int
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    anchor: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether there is a version that was not recorded before."""
        return self.version != self.parent


def freeze(
    config: Config, route: str, at: datetime, day: date, version_of: VersionOf, *, author: str, retire: bool = False
) -> Frozen:
    """Add the accepted proposals of a route to its file and record the version. The caller holds the lake's lock.

    With `retire`, examples go whose topic no call of the last window has; those of the anchor never. Raises ConfigError
    for a file that cannot be read.
    """
    lake, file = config.open_lake(), read_file(config, route)
    versions = _versions(lake, route) or [_recorded(lake, file, version_of(file.rows), at, author)]
    parent = versions[-1]
    added, left_out = _accepted(config, lake, file, _once_there(versions))
    grown = file.changed(added, ())
    strata, contents = strata_of(config, route, day), json.loads(parent["contents_json"])
    now = {str(row["example_id"]): content_of(row) for row in grown.rows}
    unchanged = [one for one, content in now.items() if contents.get(one) == content]
    anchor = anchor_of(unchanged, len(now), strata, parent["anchor_ids"] or [])
    gone = _no_longer_asked(config, lake, route, day, set(unchanged) - set(anchor)) if retire else set[str]()
    grown = file.changed(added, gone)
    version = version_of(grown.rows)
    if version == parent["version"]:
        return Frozen(route, version, version, len(now), left_out=left_out)
    if added or gone:
        grown.write()
    row = _version_row(grown, version, at, author, parent=parent, anchor=anchor)
    lake.write("holdout_versions", at.date(), from_rows([row], "holdout_versions"), _file_of(route, version))
    diff = json.loads(str(row["diff_json"]))
    return Frozen(
        route, version, parent["version"], len(grown.rows), diff["added"], diff["removed"], diff["changed"], anchor,
        left_out,
    )  # fmt: skip


def read_proposals(lake: Lake) -> dict[str, Row]:
    """All proposals that were ever made, by proposal_id; of one that was made again the newest."""
    return {
        row["proposal_id"]: row
        for day in lake.days("holdout_proposals")
        for row in lake.read("holdout_proposals", day).to_pylist()
    }


def exact_leak(config: Config, proposal: Row) -> str | None:
    """Where the text of a proposal stands as it is among what development works with; None where nowhere."""
    sources = sources_of(config, proposal["route"], [json.loads(proposal["messages_json"])])
    (leak,) = leaks_of([_asked(proposal)], sources)
    return str(leak) if leak and leak.is_exact else None


def _accepted(config: Config, lake: Lake, file: HoldoutFile, once_there: set[str]) -> tuple[list[Row], list[str]]:
    """The accepted proposals as examples, and a line for each that cannot be one.

    What was `once_there` and is not in the file was retired, or deleted by hand, and stays away.
    """
    decisions = {key: one for key, one in read_decisions(lake).items() if one.is_accepted}
    done = once_there | {str(row["example_id"]) for row in file.rows}
    waiting = [
        row
        for key, row in sorted(read_proposals(lake).items())
        if key in decisions and key not in done and row["route"] == file.route
    ]
    near = nearest([_asked(row) for row in waiting], [asked_text(messages_of_row(row)) for row in file.rows])
    left, left_out = [], []
    for row, similar in zip(waiting, near, strict=True):
        name = row["proposal_id"]
        example = example_of(row, decisions[name].expected, file.rows, is_shared=file.is_shared)
        if leak := exact_leak(config, row):
            left_out.append(f"{name}: is a leak: it {leak}")
        elif similar:
            left_out.append(f"{name}: is a near-duplicate of example {file.rows[similar.place]['example_id']}")
        elif lacks_expected(example, file.rows):
            left_out.append(f"{name}: has no expected answer, which all others have; accept it again with --expected")
        else:
            left.append((row, example))
    added = []
    for (row, example), repeated in zip(left, repeats([_asked(row) for row, _ in left]), strict=True):
        if repeated:
            other = left[repeated.place][0]["proposal_id"]
            left_out.append(f"{row['proposal_id']}: is a near-duplicate of {other}")
        else:
            added.append(example)
    return added, left_out


def _asked(proposal: Row) -> str:
    return asked_text(json.loads(proposal["messages_json"]))


def _versions(lake: Lake, route: str) -> list[Row]:
    """The recorded versions of a route, the newest last."""
    rows = [
        row
        for day in lake.days("holdout_versions")
        for row in lake.read("holdout_versions", day).to_pylist()
        if row["route"] == route
    ]
    return sorted(rows, key=lambda row: (row["created_at"], row["parent"] is not None))


def _once_there(versions: Sequence[Row]) -> set[str]:
    """The ids of the examples of all versions."""
    return {example for row in versions for example in json.loads(row["contents_json"])}


def _recorded(lake: Lake, file: HoldoutFile, version: str, at: datetime, author: str) -> Row:
    """The file as it is, recorded as a first version."""
    row = _version_row(file, version, at, author)
    lake.write("holdout_versions", at.date(), from_rows([row], "holdout_versions"), _file_of(file.route, version))
    return row


def _version_row(
    file: HoldoutFile,
    version: str,
    at: datetime,
    author: str,
    *,
    parent: Row | None = None,
    anchor: Sequence[str] = (),
) -> Row:
    contents = {str(row["example_id"]): content_of(row) for row in file.rows}
    before: Mapping[str, Any] = json.loads(parent["contents_json"]) if parent else contents
    diff = {
        "added": sorted(contents.keys() - before.keys()),
        "removed": sorted(before.keys() - contents.keys()),
        "changed": sorted(one for one in contents.keys() & before.keys() if contents[one] != before[one]),
    }
    counts = {f"n_{name}": len(ids) for name, ids in diff.items()}
    return {
        "route": file.route,
        "version": version,
        "parent": parent["version"] if parent else None,
        "created_at": at,
        "author": author,
        "n_examples": len(contents),
        **counts,
        "n_anchor": len(anchor),
        "anchor_ids": list(anchor),
        "diff_json": json.dumps(diff, ensure_ascii=False),
        "contents_json": json.dumps(contents, ensure_ascii=False, sort_keys=True),
    }


def _file_of(route: str, version: str) -> str:
    """A name that any route makes; routes are hostile texts."""
    return f"version-{version}-{content_of({'input': route})[0]}"


def _no_longer_asked(config: Config, lake: Lake, route: str, day: date, of: set[str]) -> set[str]:
    """Examples of topics that no call of the window has. Nothing is said where too few calls have a topic."""
    asked, topics = Counter[str](), dict[str, str]()
    for one in window_of(config, day):
        rows = lake.read("topics", one, columns=["call_id", "origin", "route", "topic_id", "topic_version", "is_novel"])
        rows = rows.filter(pc.and_(pc.equal(rows["route"], route), pc.invert(pc.fill_null(rows["is_novel"], True))))
        for row in rows.to_pylist():
            topic = f"{row['topic_version']} {row['topic_id']}"
            if row["origin"] == "production":
                asked[topic] += 1
            elif row["origin"] == "holdout":
                topics[row["call_id"]] = topic
    if asked.total() < limit_on(config, route, "min_calls"):
        return set()
    return {one for one, topic in topics.items() if one in of and not asked[topic]}
