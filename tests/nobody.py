"""For tests of a child that runs as a user without rights."""

import os
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without rights")


def open_folders(folder: Path, *, of_root_only: bool = False) -> None:
    """Let every user list and enter the folder and those above it, or only such of them as belong to root."""
    for place in (folder, *folder.parents):
        if place != Path("/") and (not of_root_only or place.stat().st_uid == 0):
            place.chmod(place.stat().st_mode | 0o055)
