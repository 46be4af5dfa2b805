"""What the Dockerfile takes from the checkout."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def copied() -> list[str]:
    """The files and folders that the Dockerfile copies from the checkout, in their order."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M)
    return [name for line in lines for name in line.split()]


def tracked(name: str) -> list[str]:
    """The files under version control that a name stands for."""
    done = subprocess.run(["git", "ls-files", "-z", "--", name], cwd=ROOT, capture_output=True, text=True, check=True)
    return [file for file in done.stdout.split("\0") if file]
