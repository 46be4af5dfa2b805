"""Peers in environments of their own: what they depend on must not be what genchi depends on."""

import subprocess
import sys
from pathlib import Path

# What a peer needs beside itself: NannyML imports statsmodels through another package that has let go of it.
_NEEDS = {"nannyml": ("nannyml", "statsmodels", "pyarrow")}


def environment(name: str, folder: Path) -> Path:
    """Build an environment with the peer in `folder`, and return its Python."""
    place = folder / name
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *_NEEDS[name]], check=True)
    return python
