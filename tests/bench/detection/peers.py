"""The same nights through Evidently's DataDriftPreset and NannyML's univariate drift, with their defaults.

A night is what each would be given: a route's calls of the day against those of the 28 days before, one column a
feature (of topics the topic as a category). Each is asked route by route, as genchi judges.
"""

import json
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.bench.detection.injections import ROUTE
from tests.bench.detection.night import WINDOW
from tests.bench.detection.world import World


def frame(world: World, route: int, first: int, last: int) -> pd.DataFrame:
    """The calls of a route from one day to another, both included; flags as yes and no."""
    calls = np.flatnonzero((world.route == route) & (world.day >= first) & (world.day <= last))
    columns: dict[str, Any] = {
        f"{side}: {name}": np.where(values[calls], "yes", "no") for (side, name), values in world.flags.items()
    }
    columns |= {f"{side}: {name}": values[calls] for (side, name), values in world.numbers.items()}
    columns["topic"] = np.char.add("t", world.topic[calls].astype(str))
    return pd.DataFrame({**columns, "day": world.day[calls]})


def evidently(world: World, day: int, routes: tuple[int, ...] = (ROUTE,)) -> list[str]:
    """The columns that Evidently says have drifted on `day`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's imports warn of what it still uses of numpy and litestar
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        found = []
        for route in routes:
            now, before = frame(world, route, day, day), frame(world, route, day - WINDOW, day - 1)
            names = [name for name in now if name != "day"]
            numbers = [name for name in names if now[name].dtype.kind == "f"]
            definition = DataDefinition(
                numerical_columns=numbers, categorical_columns=[name for name in names if name not in numbers]
            )
            given = [Dataset.from_pandas(part[names], data_definition=definition) for part in (now, before)]
            snapshot = Report([DataDriftPreset()]).run(*given).dict()
            found += [f"{route}/{name}" for name in _drifted(snapshot)]
        return found


def _drifted(snapshot: dict[str, Any]) -> list[str]:
    """A column drifts where its p-value lies below its threshold, or its distance above it."""
    names = []
    for metric in snapshot["metrics"]:
        config = metric["config"]
        if config["type"].endswith("ValueDrift"):
            is_p_value = "p_value" in config["method"]
            below = float(metric["value"]) < float(config["threshold"])
            if below == is_p_value:
                names.append(config["column"])
    return names


def hand_to_nannyml(world: World, route: int, place: Path, first: int, last: int) -> None:
    """Write a route's days for `nannyml_alerts.py`: the reference's 28 from `first` on, and those up to `last`."""
    start = pd.Timestamp("2026-01-05")  # a Monday
    for part, begin, end in (("reference", first, first + WINDOW - 1), ("analysis", first + WINDOW, last)):
        calls = frame(world, route, begin, end)
        calls["timestamp"] = start + pd.to_timedelta(calls.pop("day"), unit="D")
        calls.to_parquet(place.with_name(f"{place.name}.{part}.parquet"))


def nannyml(folder: Path, python: Path) -> dict[str, dict[str, list[str]]]:
    """NannyML's alerts, from a separate environment, for the files in `folder`: by name and day the columns."""
    script = Path(__file__).with_name("nannyml_alerts.py")
    subprocess.run([python, script, folder], check=True, env={**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"})
    said: dict[str, dict[str, list[str]]] = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return said
