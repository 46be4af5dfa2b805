"""Peers in separate environments: their dependencies must not mix with genchi's."""

import subprocess
import sys
from pathlib import Path

# What a peer needs beside itself: NannyML 0.13 imports statsmodels without asking for it, and was written for pandas 2.
_NEEDS = {
    "nannyml": ("nannyml", "statsmodels", "pandas<3", "pyarrow"),
    "inspect_ai": ("inspect_ai", "openai"),
}


def environment(name: str, folder: Path) -> Path:
    """Build an environment with the peer in `folder`, and return its Python."""
    place = folder / name
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_NEEDS[name]]
    subprocess.run(install, check=True, stdout=sys.stderr, stderr=subprocess.DEVNULL)
    return python


def node_package(name: str, folder: Path) -> Path:
    """Install an npm command in `folder`, and return it."""
    place = folder / name
    place.mkdir()
    install = ["npm", "install", "--prefix", place, "--no-audit", "--no-fund", "--silent", name]
    subprocess.run(install, check=True, stdout=sys.stderr, stderr=subprocess.DEVNULL)
    return place / "node_modules" / ".bin" / name
