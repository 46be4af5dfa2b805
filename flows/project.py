"""Where the checkout's own folders are. The one module that looks for them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = ROOT / "dbt_project"
LOCK = ROOT / "requirements.lock"
EXPECTATIONS = ROOT / "expectations"
# One SELECT for each log format, named by its file; beside them the macros that they share.
LOG_FORMATS = ROOT / "flows" / "ingest" / "sources"


def log_formats() -> list[str]:
    """The names of the log formats: those of the files."""
    return sorted(path.stem for path in LOG_FORMATS.glob("*.sql") if path.stem != "macros")
