"""Where the checkout's own folders are. The one module that looks for them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = ROOT / "dbt_project"
EXPECTATIONS = ROOT / "expectations"
