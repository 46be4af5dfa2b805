"""Who may read what genchi writes: the owner alone, the group too, or everybody."""

import logging
import os
from pathlib import Path
from typing import Literal

Readers = Literal["owner", "group", "everybody"]

_WITHHELD: dict[Readers, int] = {"owner": 0o077, "group": 0o007, "everybody": 0}

log = logging.getLogger("genchi")


def withhold(readers: Readers, *places: Path) -> None:
    """Withhold from all but `readers` what this process creates from now on, and these files and folders.

    The umask of the process counts as well. What is in a folder cannot be reached by those who may not enter it, so
    only the folders themselves are changed. A place of another owner stays as it is, with a warning.
    """
    withheld = _WITHHELD[readers]
    os.umask(os.umask(0o077) | withheld)
    for place in places:
        try:
            mode = place.stat().st_mode & 0o7777
            if mode & withheld:
                place.chmod(mode & ~withheld)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("%s: others may read it, and its permissions cannot be changed: %s", place, error.strerror)
