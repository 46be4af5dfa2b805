"""The automation that marks a run as crashed whose worker died: else Prefect shows such a run as running for ever.

A run of a deployment sends a heartbeat every three minutes. The lake is free as soon as the process is gone, and the
next night runs what the dead one did not.
"""

from typing import Any

from flows.prefect_run import CRITICAL, GOOD

WITHIN_S = 600  # three heartbeats and a minute
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDS = (GOOD, CRITICAL, "Failed", "Cancelled", "Crashed")


def automation() -> dict[str, Any]:
    """What `prefect automation create --from-file` takes. It is for the runs of all workspaces of a server."""
    return {
        "name": "genchi: a run whose worker died",
        "description": "Marks a run of genchi as crashed that has sent no heartbeat for ten minutes.",
        "enabled": True,
        "trigger": {
            "type": "event",
            "posture": "Proactive",
            "after": [_HEARTBEAT],
            "expect": [_HEARTBEAT, *(f"prefect.flow-run.{state}" for state in _ENDS)],
            "match": {"prefect.resource.id": "prefect.flow-run.*"},
            "match_related": {"prefect.resource.id": "prefect.tag.genchi", "prefect.resource.role": "tag"},
            "for_each": ["prefect.resource.id"],
            "threshold": 1,
            "within": WITHIN_S,
        },
        "actions": [
            {
                "type": "change-flow-run-state",
                "state": "CRASHED",
                "message": "No heartbeat for ten minutes: its worker died. The next night runs what this one did not.",
            }
        ],
    }
