"""The command line: the verbs and what they print."""

from flows.cli.main import main

__all__ = ["main"]
