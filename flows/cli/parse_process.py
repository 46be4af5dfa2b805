"""The process that parses dbt's project ahead of a first build. Its argument is the path of genchi.yaml.

It ends when its stdin does, which is a pipe from genchi.
"""

import sys
from pathlib import Path

from flows.child_processes import end_with_parent
from flows.config import load_config
from flows.transform import parse_for_later


def main(path: Path) -> None:
    """Parse the project for the settings of this genchi.yaml."""
    end_with_parent()
    parse_for_later(load_config(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
