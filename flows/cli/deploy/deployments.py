"""What is deployed to Prefect for one workspace: names, parameters, schedules, tags, and the work pool.

Timeouts and retries are not here: the flow of each stage carries its timeout, and each task its retries
(`flows/prefect_run.py`). `nightly`, `backfill` and `evaluate_day` have no timeout of their own: how long they may take
depends on the number of days, and on the size of the holdouts.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from flows.config import Config

POOL = "genchi"
# Of the worker's process: no calls to the internet at import, and genchi's own lines in the log of a run.
ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "genchi",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # lines of a library's own threads
}


@dataclass(frozen=True)
class Deployment:
    """One deployment: the last part of its name, the flow that it runs, and when. No `cron` is on demand.

    A run that comes while another of the same deployment is under way waits; it is dropped where `waits` is false.
    """

    name: str
    entrypoint: str
    description: str
    cron: str | None = None
    waits: bool = True


def deployments(cron: str) -> tuple[Deployment, ...]:
    """The deployments of a workspace whose nights begin by `cron`."""
    return (
        Deployment("nightly", "flows.deployed.nightly", "The whole night, for yesterday if no day is given.", cron),
        Deployment(
            "backfill",
            "flows.deployed.backfill",
            "A range of days, without checks and alerts. Models are asked only with `only: evaluate`.",
        ),
        Deployment(
            "evaluate-now",
            "flows.deployed.evaluate_day",
            "The test sets on the pinned model and the candidates, now. Stored answers are not paid for again.",
        ),
        Deployment(
            "review-digest",
            "flows.deployed.review_digest",
            "Tells who reviews this week, by the rota, which answers of the last seven queues nobody has judged yet.",
            "0 8 * * mon-fri",
        ),
        Deployment(
            "flight-check",
            "flows.deployed.flight_check",
            "Reads this workspace's configuration, then takes two records through a whole night with simulated models,"
            " in a folder that is thrown away. Fails where a night would.",
            "23 */6 * * *",
            waits=False,
        ),
    )


def entries(config: Config, cron: str, pool: str) -> list[dict[str, Any]]:
    """The entries of prefect.yaml for a workspace, in their order."""
    return [_entry(config, found, pool) for found in deployments(cron)]


def _entry(config: Config, found: Deployment, pool: str) -> dict[str, Any]:
    timetable = {"cron": found.cron, "timezone": config.timezone, "active": True}
    strategy = "ENQUEUE" if found.waits else "CANCEL_NEW"
    return {
        "name": f"{slug_of(config.app)}-{found.name}",
        "description": found.description,
        "entrypoint": found.entrypoint,
        "parameters": {"config_path": str(config.path)},
        "schedules": [timetable] if found.cron else [],
        "concurrency_limit": {"limit": 1, "collision_strategy": strategy},
        "tags": ["genchi", slug_of(config.app), found.name],
        "pull": [],  # genchi is installed where the worker runs
        "work_pool": {"name": pool, "job_variables": {"env": dict(ENVIRONMENT)}},
    }


def slug_of(app: str) -> str:
    """An application's name in the characters that names of deployments, units and files may have.

    A hash is added where others were left out, so that two applications have two names.
    """
    slug = re.sub(r"[^a-z0-9_-]+", "-", app.lower()).strip("-")
    lost = "" if slug == app else hashlib.sha256(app.encode()).hexdigest()[:6]
    return "-".join(filter(None, (slug, lost)))
