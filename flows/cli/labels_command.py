"""`genchi labels`: people's labels to a file, and from one."""

import argparse
import sys
from collections.abc import Callable

from flows.config import Config
from flows.errors import ConfigError
from flows.lake import replace_text
from flows.outgoing import drawing_on
from flows.review import as_csv, as_jsonl, collect, import_labels, labels_of


def export(config: Config, options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    """Write every label, those of the journal too, to the file or to standard output."""
    lake = config.open_lake()
    with lake.lock("labels"):
        collect(config)
    written = (as_csv if options.format == "csv" else as_jsonl)(labels_of(lake))
    if options.output:
        replace_text(options.output, "".join(f"{line}\n" for line in written))
        tell(f"{options.output}")
        return
    # A terminal is shown plain text, a file or a program gets what is stored.
    out = sys.stdout if sys.stdout.isatty() else drawing_on(sys.stdout)
    for line in written:
        out.write(f"{line}\n")


def take(config: Config, options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    """Add the labels of a file, and say what became of them. Raises ConfigError if a row cannot be read."""
    with config.open_lake().lock("labels"):
        collect(config)
        result = import_labels(config, options.file, options.format, options.only)
    *most, last = result.lines()
    for line in most:
        tell(line)
    if result.faults:
        raise ConfigError(f"{options.file}: {last}")
    tell(last)
