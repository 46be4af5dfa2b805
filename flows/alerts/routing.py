"""Who owns what, and which part of a digest goes to which alert."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flows.config import Alert
from flows.outgoing import plain

if TYPE_CHECKING:
    from flows.alerts.digest import Digest

_ALL_ELSE = "*"
_CRITERION = "criterion:"


def owners_of(owners: Mapping[str, str], subject: str, evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """Who owns an incident or a check: by its criteria, else by its routes, else who owns all else; each once.

    `owners` are those of the configuration; `evidence` is of an incident, and empty for a check.
    """
    names = [str(name).partition(" ")[2] for name in evidence.get("breaches") or ()] or [str(subject)]
    parts = [tuple(map(_without_escapes, name.split("/"))) for name in names]
    routes = [str(route) for route in evidence.get("routes") or ()] or [part[0] for part in parts]
    criteria = [key for part in parts for key in _keys_of_criteria(part)]
    for keys in (criteria, routes, [_ALL_ELSE]):
        found = dict.fromkeys(plain(owners[key]) for key in keys if key in owners)
        if found:
            return tuple(found)
    return ()


def _keys_of_criteria(parts: Sequence[str]) -> Iterator[str]:
    """What may name the owner of a subject such as `route/criterion`: the closer name first."""
    for part in parts[1:]:
        keys = (f"{parts[0]}/{part}", part)
        yield from keys


def _without_escapes(part: str) -> str:
    return part.replace("%2F", "/").removeprefix(_CRITERION)


def part_for(digest: "Digest", target: Alert, targets: Sequence[Alert]) -> "Digest":
    """What of a digest goes to one target: by severity and owner, and with texts of users only where it may.

    What no target's owner owns goes to the targets without an owner, or to all where each has one: nothing is lost.
    """
    owned = {one.owner for one in targets if one.owner}
    is_open = any(one.owner is None for one in targets)

    def is_for(severity: str | None, owners: Sequence[str]) -> bool:
        if severity is not None and severity not in target.severity:
            return False
        is_orphan = not is_open and not owned & set(owners)
        return target.owner is None or target.owner in owners or is_orphan

    items = [item for item in digest.items if is_for(item.severity, item.owners)]
    ended = [one for one in digest.ended if is_for(one.severity, one.owners)]
    acknowledged = tuple(item for item in digest.acknowledged if is_for(item.severity, item.owners))
    if target.evidence == "texts":
        items = [item.with_texts for item in items]
        ended = [replace(one, line=one.quoted or one.line) for one in ended]
    return replace(digest, items=tuple(items), ended=tuple(ended), acknowledged=acknowledged)
