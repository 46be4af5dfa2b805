"""Where genchi's own folders are: in the checkout, or in the wheel. The one module that looks for them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What lies beside the packages in the checkout lies in this folder in a wheel (pyproject.toml).
_IN_WHEEL = ROOT / "flows" / "_packaged"
_BESIDE = _IN_WHEEL if _IN_WHEEL.is_dir() else ROOT
DBT_PROJECT = _BESIDE / "dbt_project"
LOCK = _BESIDE / "requirements.lock"
EXPECTATIONS = ROOT / "expectations"
# One SELECT for each log format, named by its file; beside them the macros that they share.
LOG_FORMATS = ROOT / "flows" / "ingest" / "sources"


def log_formats() -> list[str]:
    """The names of the log formats: those of the files."""
    return sorted(path.stem for path in LOG_FORMATS.glob("*.sql") if path.stem != "macros")
