"""The process that parses dbt's project ahead of a first build. Its argument is the path of genchi.yaml.

It ends when its stdin does, which is a pipe from genchi.
"""

import os
import sys
import threading
from pathlib import Path

from flows.config import load_config
from flows.transform import parse_for_later


def main(path: Path) -> None:
    """Parse the project for the settings of this genchi.yaml."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    parse_for_later(load_config(path))


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
