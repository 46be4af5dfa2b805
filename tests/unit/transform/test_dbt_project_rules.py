"""The rules of dbt_project_evaluator, counted on the manifest; each test has the name of the evaluator's model.

Its package is installed from dbt's own hub, which a closed network does not reach. What is let off a rule stands here
with its reason, and has to be needed.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config
from flows.project import DBT_PROJECT
from flows.retention import COUNTED
from flows.transform.build import variables
from flows.transform.dbt_runner import run_dbt

ROOT = DBT_PROJECT.parent
PREFIXES = {"staging": ("stg_",), "intermediate": ("int_",), "marts": ("fct_", "dim_")}
MOST_READERS = 3
# Read by many models, for each of them needs another part: to pass them through one more model would part nothing.
WIDE = {
    "int_text_features": "the features of texts, added up by cell, cluster, topic, bin, value and example",
    "int_pair_features": "the same of calls",
    "int_scored_calls": "the scores of calls, as texts and calls are",
    "int_calls": "the calls themselves, counted, measured, scored and priced",
    "int_call_counts_daily": "how many calls there were: sampled, tested, told, and shared among users",
    "int_comparisons": "every verdict: overall, by slice, by prompt, of a shadow, and what is wrong",
    "int_series_daily": "the series: tested, compared with references, explained, and followed by incidents",
    "int_feature_histograms": "values by bin: of days, of references, exact distances, and the nights of a window",
    "int_call_signals": "what users say and do: counted, summed up by cell and cluster, and compared with each other",
    "int_night_tests": "the one control of a night, of which features, their windows, topics and traffic are told",
    "fct_feature_skew_daily": "skew and drift, of which breaches, causes, examples and freshness are told",
}
WITHOUT_FRESHNESS = {
    "words": "a file of the package",
    "topic_pasts": "has rows only of days on which a topic was found",
    **dict.fromkeys(
        ["review_queue", "review_strata", "annotations", "criteria", "anchor_tests"],
        "has rows only where people judge answers",
    ),
    "holdout_joins": "it only has rows for nights on which a holdout has a new version",
    "feedback": "has rows only where an application logs feedback",
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("work")
    config = Config(
        path=root / "genchi.yaml", app="t", lake=root / "lake", warehouse=root / "lake" / "warehouse.duckdb"
    )
    run_dbt(config, ["parse"], variables(config), {})
    found: dict[str, Any] = json.loads((config.state / "_dbt" / "target" / "manifest.json").read_text("utf-8"))
    return found


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def layer(model: dict[str, Any]) -> str:
    return str(model["original_file_path"].split("/")[1])


def parents(node: dict[str, Any]) -> list[str]:
    return list(node["depends_on"]["nodes"])


def test_fct_direct_join_to_source(manifest: dict[str, Any]) -> None:
    read = {m["name"]: [p for p in parents(m) if p.startswith("source.")] for m in models(manifest)}
    assert {name for name, sources in read.items() if sources} == {
        m["name"] for m in models(manifest) if layer(m) == "staging"
    }


def test_fct_staging_dependent_on_staging(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        if layer(model) == "staging":
            assert [parent.split(".")[0] for parent in parents(model)] == ["source"], model["name"]


def test_fct_source_fanout(manifest: dict[str, Any]) -> None:
    readers = Counter(p for m in models(manifest) for p in parents(m) if p.startswith("source."))
    assert set(readers.values()) == {1}


def test_fct_unused_sources(manifest: dict[str, Any]) -> None:
    assert set(manifest["sources"]) == {p for m in models(manifest) for p in parents(m) if p.startswith("source.")}


def test_fct_root_models(manifest: dict[str, Any]) -> None:
    assert [m["name"] for m in models(manifest) if not parents(m)] == []


def test_fct_hard_coded_references(manifest: dict[str, Any]) -> None:
    named = re.compile(r"\b(?:from|join)\s+(?:\w+\.\w+|read_\w+\()", re.I)
    assert [m["name"] for m in models(manifest) if m["language"] == "sql" and named.search(m["raw_code"])] == []


def test_fct_missing_primary_key_tests(manifest: dict[str, Any]) -> None:
    keyed = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and (test.get("test_metadata") or {}).get("name") == "is_key_on"
    }
    assert [m["name"] for m in models(manifest) if m["unique_id"] not in keyed] == []


def test_fct_documentation_coverage(manifest: dict[str, Any]) -> None:
    described = [*models(manifest), *manifest["sources"].values(), *manifest["exposures"].values()]
    assert [node["name"] for node in described if not node["description"].strip()] == []
    for model in models(manifest):
        assert all(column["description"] for column in model["columns"].values()), model["name"]


def test_fct_model_naming_conventions(manifest: dict[str, Any]) -> None:
    assert [m["name"] for m in models(manifest) if not m["name"].startswith(PREFIXES[layer(m)])] == []


def test_fct_model_directories(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        if layer(model) == "staging":
            (source,) = (manifest["sources"][parent]["source_name"] for parent in parents(model))
            assert model["original_file_path"].startswith(f"models/staging/{source}/")


def test_fct_source_directories(manifest: dict[str, Any]) -> None:
    for source in manifest["sources"].values():
        assert source["original_file_path"].startswith(f"models/staging/{source['source_name']}/")


def test_fct_test_directories(manifest: dict[str, Any]) -> None:
    places = {m["unique_id"]: Path(m["original_file_path"]).parent for m in models(manifest)}
    for test in manifest["nodes"].values():
        if test["resource_type"] == "test" and test.get("attached_node") in places:
            own = Path(test["original_file_path"]).parent
            assert own in (places[test["attached_node"]], *places[test["attached_node"]].parents), test["name"]


def test_fct_model_fanout(manifest: dict[str, Any]) -> None:
    readers = Counter(p.split(".")[-1] for m in models(manifest) for p in parents(m) if p.startswith("model."))
    layers = {m["name"]: layer(m) for m in models(manifest)}
    wide = {name for name, count in readers.items() if count > MOST_READERS and layers[name] != "staging"}
    assert wide == set(WIDE)


def test_fct_exposure_parents_materializations(manifest: dict[str, Any]) -> None:
    for exposure in manifest["exposures"].values():
        for parent in parents(exposure):
            assert manifest["nodes"][parent]["config"]["materialized"] in ("table", "incremental", "seed"), parent


def test_fct_sources_without_freshness(manifest: dict[str, Any]) -> None:
    without = {
        source["name"]
        for source in manifest["sources"].values()
        if not any((source.get("freshness") or {}).get(kind, {}).get("count") for kind in ("warn_after", "error_after"))
    }
    assert without == set(WITHOUT_FRESHNESS)


# Which Python reads for which exposure.
READERS = {
    "report": [
        "flows/report/facts.py",
        "flows/report/evidence.py",
        "flows/report/nights.py",
        "flows/report/review_rows.py",
    ],
    "evidently_report": ["flows/report/evidently_page.py"],
    "expectations": ["expectations/*.py"],
    "review": ["flows/review/queue/night_findings.py", "flows/review/page/night_incidents.py"],
    "compare": ["flows/cli/compare_report.py"],
    "backfill": ["flows/backfill.py", "flows/backfill_days.py"],
    "catch_up": ["flows/catch_up.py"],
    "flight_check": ["flows/flight_check.py"],
    "breaches": ["flows/cli/breach_list.py", "flows/cli/ack_command.py"],
    "holdout_proposals": ["flows/evaluate/propose/described.py"],
}
# What removes or copies rows of the warehouse, or builds it, also looks for them; nothing is made of what it reads.
WRITERS = {
    *(ROOT / "flows" / "erasure").glob("*.py"),
    *(ROOT / "flows" / "marts").glob("*.py"),
    ROOT / "flows" / "retention.py",
    ROOT / "flows" / "transform" / "built_before.py",
    ROOT / "flows" / "transform" / "spark_tables.py",  # hands marts on to be published
}
_TABLE = re.compile(r"\b(fct_\w+|dim_\w+|int_\w+|(?<=seeds\.)\w+)\b")


def tables_named_in(paths: list[Path]) -> set[str]:
    """The tables of the warehouse that Python files name in their SQL or hand to what builds it."""
    return {name for path in paths for name in _TABLE.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", READERS)
def test_an_exposure_lists_what_its_code_reads(manifest: dict[str, Any], name: str) -> None:
    (exposure,) = (one for one in manifest["exposures"].values() if one["name"] == name)
    read = tables_named_in([path for pattern in READERS[name] for path in ROOT.glob(pattern)])
    assert {parent.split(".")[-1] for parent in parents(exposure)} == read


def test_whatever_reads_the_warehouse_is_an_exposure(manifest: dict[str, Any]) -> None:
    assert {one["name"] for one in manifest["exposures"].values()} == set(READERS)
    known = {path for patterns in READERS.values() for pattern in patterns for path in ROOT.glob(pattern)}
    reading = re.compile(r"\b(?:marts|intermediate|seeds)\.\w")
    found = {
        path
        for folder in ("flows", "expectations")
        for path in (ROOT / folder).rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8")) and "demo" not in path.parts
    }
    assert found - WRITERS <= known


def test_a_day_is_final_once_rows_are_gone_of_which_a_kept_table_is_computed(manifest: dict[str, Any]) -> None:
    nodes = {**manifest["nodes"], **manifest["sources"]}

    def is_kept(key: str) -> bool:
        return bool(nodes[key].get("config", {}).get("materialized") == "incremental")

    def read_anew(key: str) -> set[str]:
        """The sources that a model reads, itself or through models that keep nothing."""
        found = set[str]()
        for parent in parents(nodes[key]):
            if parent.startswith("source."):
                found.add(nodes[parent]["name"])
            elif parent.startswith("model.") and not is_kept(parent):
                found |= read_anew(parent)
        return found

    kept = [key for key in nodes if key.startswith("model.") and is_kept(key)]
    assert kept
    of_days = set().union(*(read_anew(key) for key in kept)) - {"words"}  # a file of the package
    assert of_days - set(COUNTED) == set()
