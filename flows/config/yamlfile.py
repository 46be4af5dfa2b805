"""A user's YAML file as plain values. A duplicate key is an error.

Does not belong here: what the keys mean (the models that the values are validated against), the wording of a
validation's problems (`problems.py`), and `${NAME}` (`variables.py`).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from flows.errors import ConfigError


def read_yaml(path: Path) -> Any:
    """The values of a YAML file. Raises ConfigError where it cannot be read, or has a duplicate key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {_reason(error)}; it must be a readable UTF-8 file") from None
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            for first, again in _repeated_keys(root, set()):
                key, lines = first.value, (first.start_mark.line + 1, again.start_mark.line + 1)
                where = f"in lines {lines[0]} and {lines[1]}" if lines[0] != lines[1] else f"twice in line {lines[0]}"
                raise ConfigError(f"{path}: the key `{key}` stands {where}; remove one of them")
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML{_what_and_where(error)}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not valid YAML: nested too deeply") from None


def _repeated_keys(node: yaml.Node | None, seen: set[int]) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The keys of each mapping that stand in it before, with their first place; `<<` may be repeated.

    Of two keys of one name YAML itself keeps the last, and nobody learns that the first has no effect.
    """
    if node is None or id(node) in seen:
        return
    seen.add(id(node))  # an alias is the same node again
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: dict[tuple[str, str], yaml.Node] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                first = keys.setdefault((key.tag, key.value), key)
                if first is not key:
                    yield first, key
            yield from _repeated_keys(value, seen)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _what_and_where(error: yaml.YAMLError) -> str:
    """What PyYAML says without the lines that it quotes: they may contain a key."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    problem = re.sub(r"'[^']{2,}'|\"[^\"]{2,}\"", "'***'", str(problem)) if problem else ""
    return (f": {problem}" if problem else "") + (f", line {mark.line + 1}, column {mark.column + 1}" if mark else "")
