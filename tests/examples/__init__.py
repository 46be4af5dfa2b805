"""What a workspace may hold, by example; tests run all of it."""

from pathlib import Path

WORKSPACE = Path(__file__).parent / "workspace"
