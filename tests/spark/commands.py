"""Commands of genchi as processes of their own, and the marts that they published."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from flows.config import load_config
from flows.marts import open_marts


def genchi(folder: Path, *arguments: str) -> str:
    """What a command printed in this folder. Raises unless it ended well, with critical incidents or without."""
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "DO_NOT_TRACK": "1"},
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout + run.stderr


def published(place: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every published mart of a genchi.yaml."""
    marts = open_marts(load_config(place))
    return {name: marts.query(f"select * from marts.{name}") for name in marts.columns()}
