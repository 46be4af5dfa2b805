"""The verbs about what is kept: who is forgotten, and what is backed up. Each returns its exit code.

Packages that take seconds to import are imported by the verbs that need them.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.exit_codes import CRITICAL, FINE, tell
from flows.config import Config, load_config
from flows.errors import ConfigError

if TYPE_CHECKING:
    from flows.evaluate import EvalSetup


def forget(options: argparse.Namespace) -> int:
    """Erase people or calls; CRITICAL if a search finds that something is left."""
    config = load_config(options.config)
    from flows import erasure  # noqa: PLC0415 - as above

    asked = erasure.Asked(
        (*options.user, *_lines(options.users)), (*options.call, *_lines(options.calls)), is_dry=options.dry_run
    )
    return FINE if erasure.forget(config, _setup(config), asked, datetime.now(UTC), tell) else CRITICAL


def backup(options: argparse.Namespace) -> int:
    """Copy what cannot be made again, or bring it back."""
    config = load_config(options.config)
    from flows import backup as copying  # noqa: PLC0415 - as above

    lines = (
        copying.restore(config, options.place)
        if options.restore
        else copying.back_up(config, options.place, datetime.now(UTC))
    )
    for line in lines:
        tell(line)
    return FINE


def _setup(config: Config) -> "EvalSetup | None":
    """The criteria; None where they cannot be read, which does not keep from forgetting."""
    from flows.evaluate import load_setup  # noqa: PLC0415 - as above

    try:
        return load_setup(config)
    except ConfigError:
        return None


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
