"""What `genchi deploy` does and says: it writes prefect.yaml and names the commands that follow, or prints."""

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path

import yaml

from flows.cli.deploy.automation_file import automation
from flows.cli.deploy.crontab import DEFAULT, checked, crontab
from flows.cli.deploy.deployments import POOL
from flows.cli.deploy.prefect_file import planned, write
from flows.cli.deploy.systemd_units import units
from flows.config import Config


def run(config: Config, options: argparse.Namespace) -> Iterator[str]:
    """The lines to print. Raises ConfigError for a wrong `--at`, and for a file that cannot be read or written."""
    at = checked(options.at) if options.at else None
    if options.cron:
        yield from crontab(config, at or DEFAULT)
    elif options.systemd:
        yield from _systemd(config, at or DEFAULT)
    elif options.automation:
        yield yaml.safe_dump(automation(), sort_keys=False).rstrip("\n")
    else:
        plan = planned(options.file.absolute(), config, at, options.pool, (DEFAULT, POOL))
        if options.print:
            yield plan.text.rstrip("\n")
            return
        write(plan)
        yield f"✓ {plan.path}: {', '.join(plan.names)}"
        yield "scheduled; the others run on demand:"
        width = max((len(name) for name, _ in plan.schedules), default=0)
        yield from (f"  {name:<{width}}  {when}" for name, when in plan.schedules)
        yield from _next_steps(plan.path, plan.pools, plan.names[0])


def _systemd(config: Config, cron: str) -> Iterator[str]:
    files = units(config, cron)
    for name, lines in files.items():
        yield from (f"# /etc/systemd/system/{name}", *lines, "")
    yield "# Then: systemctl daemon-reload && systemctl enable --now " + next(n for n in files if n.endswith(".timer"))


def _next_steps(path: Path, pools: tuple[str, ...], nightly: str) -> Iterator[str]:
    """The commands that make Prefect take the file, the worker that runs what it holds, and a night by hand."""
    yield f"next, with PREFECT_API_URL set, in {path.parent}:"
    for pool in pools:
        yield f"  prefect work-pool create {shlex.quote(pool)} --type process   # once"
    named = "" if path.name == "prefect.yaml" else f" --prefect-file {shlex.quote(path.name)}"
    yield f"  prefect deploy --all{named}"
    for pool in pools:
        yield f"  prefect worker start --pool {shlex.quote(pool)}   # where the logs can be read, with genchi's Python"
    yield f"  prefect deployment run nightly/{nightly} --watch   # a night now"
    yield "so that Prefect marks a run as crashed whose worker died, once for a server:"
    yield "  genchi deploy --automation > crashed.yaml && prefect automation create --from-file crashed.yaml"
