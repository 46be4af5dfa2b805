"""Run by NannyML's own Python: its univariate drift with its defaults, a chunk a day, over a folder of frames."""

import json
import sys
import warnings
from pathlib import Path

import pandas as pd


def alerts(reference: pd.DataFrame, analysis: pd.DataFrame) -> dict[str, list[str]]:
    """By day of the analysis the columns on which any of its default methods alerts."""
    import nannyml as nml

    names = [name for name in reference if name != "timestamp"]
    calculator = nml.UnivariateDriftCalculator(column_names=names, timestamp_column_name="timestamp", chunk_period="D")
    found = calculator.fit(reference).calculate(analysis).filter(period="analysis").to_df()
    return {
        str(row["chunk", "chunk", "start_date"])[:10]: sorted(
            {key[0] for key in found.columns if key[2] == "alert" and bool(row[key])}
        )
        for _, row in found.iterrows()
    }


def main(folder: Path) -> None:
    """Every `<name>.reference.parquet` with its `<name>.analysis.parquet`; results go to said.json."""
    said = {}
    for place in sorted(folder.glob("*.reference.parquet")):
        name = place.name.removesuffix(".reference.parquet")
        said[name] = alerts(pd.read_parquet(place), pd.read_parquet(folder / f"{name}.analysis.parquet"))
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # deprecations in NannyML's dependencies cannot be fixed here
    main(Path(sys.argv[1]))
