"""What `risk` sets, of the workspace and of a route, and what takes its place."""

import csv
import re
from pathlib import Path

import pytest

from flows.config import limit_on, load_config, risk_on, size_on, sizes_by_risk
from flows.config.load import Config
from flows.config.reference import reference
from flows.errors import ConfigError
from flows.project import DBT_PROJECT, EXPECTATIONS, ROOT

SIZES = ("canary_prompts", "review_samples", "shadow_samples")
ROUTES = "routes: {a: {risk: strict}, b: {}, c: {risk: relaxed, repeats: 2}}\n"


def load(folder: Path, text: str) -> Config:
    path = folder / "genchi.yaml"
    path.write_text(f"app: a\nlake: lake\nmodels: {{pinned: {{model: openai/m}}}}\n{text}", encoding="utf-8")
    return load_config(path, {})


def seed() -> dict[tuple[str, str], float]:
    with (DBT_PROJECT / "seeds" / "thresholds.csv").open(encoding="utf-8", newline="") as file:
        return {(row["risk"], row["name"]): float(row["value"]) for row in csv.DictReader(file)}


def test_a_route_has_the_sizes_of_its_own_risk_and_the_others_those_of_the_workspace(tmp_path: Path) -> None:
    config, known = load(tmp_path, ROUTES), seed()
    risks = {"a": "strict", "b": "standard", "c": "relaxed", "of the logs alone": "standard"}
    assert {route: risk_on(config, route) for route in risks} == risks
    for route, risk in risks.items():
        assert [size_on(config, route, name) for name in SIZES] == [known[risk, name] for name in SIZES]
        assert limit_on(config, route, "min_calls") == known[risk, "min_calls"]
    assert {name: route.repeats for name, route in config.routes.items()} == {"a": 3, "b": 1, "c": 2}
    assert list(sizes_by_risk(config, "canary_prompts")) == ["standard", "strict", "relaxed"]


def test_the_workspaces_risk_holds_for_routes_without_their_own(tmp_path: Path) -> None:
    config = load(tmp_path, f"risk: strict\n{ROUTES}")
    assert risk_on(config, "b") == "strict"
    assert config.routes["b"].repeats == seed()["strict", "repeats"]


def test_what_genchi_yaml_says_takes_the_place_of_every_risks_value(tmp_path: Path) -> None:
    config = load(
        tmp_path, ROUTES + "thresholds: {review_samples: 7, shadow_samples: 8, canary_prompts: 9, repeats: 4}"
    )
    for route in config.routes:
        assert [size_on(config, route, name) for name in SIZES] == [9, 7, 8]
    assert {name: route.repeats for name, route in config.routes.items()} == {"a": 4, "b": 4, "c": 2}
    config = load(
        tmp_path,
        ROUTES.replace("b: {}", "b: {repeats: 5}") + "thresholds: {review_samples: 7}\nreview: {samples_per_day: 0}\n"
        "shadow: {samples_per_day: 1}\n",
    )
    assert [size_on(config, "a", name) for name in SIZES] == [200, 0, 1]
    assert config.routes["b"].repeats == 5


@pytest.mark.parametrize(
    "text", ["routes: {a: {risk: lax}}", "routes: {a: {risk: [strict]}}", "risk: lax\nroutes: {a: {}}"]
)
def test_an_unknown_risk_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"risk`: input should be 'strict', 'standard' or 'relaxed'"):
        load(tmp_path, text)


def test_the_table_of_the_reference_is_that_of_the_seed() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \| (\S+) \| (a route|the workspace) \|", reference(), re.M)
    found = {
        (risk, name): float(value)
        for name, *values, _ in rows
        for risk, value in zip(("strict", "standard", "relaxed"), values, strict=True)
    }
    assert found == seed()


def test_what_is_said_to_be_of_a_route_is_what_is_read_by_route() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (a route|the workspace) \|", reference(), re.M)
    sql = "\n".join(path.read_text(encoding="utf-8") for path in (DBT_PROJECT / "models").rglob("*.sql"))
    of_routes = set(re.findall(r"threshold\('(\w+)', '[\w.]+'\)", sql))
    assert not of_routes & set(re.findall(r"threshold\('(\w+)'\)", sql))
    assert {name for name, whose in rows if whose == "a route"} == of_routes | {*SIZES, "repeats"}
    python = "\n".join(
        path.read_text(encoding="utf-8") for room in (ROOT / "flows", EXPECTATIONS) for path in room.rglob("*.py")
    )
    of_the_workspace = set(re.findall(r'limits\["(\w+)"\]', python))
    assert len(of_the_workspace) > 5
    assert of_the_workspace <= {name for name, whose in rows if whose == "the workspace"}
