"""How a function of the workspace is named: `checks/orders.py:cites_order`, a path below the folder of genchi.yaml."""

import re
from pathlib import Path
from typing import NamedTuple

_BY_PATH = re.compile(r"((?:[\w-]+/)*[\w-]+\.py):([A-Za-z_]\w*)")
# The older spelling, as of a module: `checks.orders:cites_order`.
_BY_MODULE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


class FunctionName(NamedTuple):
    """A file, and a function in it."""

    file: Path
    function: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.function}"


def parse_function(text: str) -> FunctionName:
    """The file and the function that a text names. Raises ValueError for a text that names none."""
    if found := _BY_PATH.fullmatch(text):
        return FunctionName(Path(found[1]), found[2])
    if found := _BY_MODULE.fullmatch(text):
        return FunctionName(Path(*found[1].split(".")).with_suffix(".py"), found[2])
    raise ValueError("is no function of the workspace; write one such as checks.py:my_function, a path and a name")


def is_function(text: str) -> str:
    """The same text. Raises ValueError as `parse_function`."""
    parse_function(text)
    return text
