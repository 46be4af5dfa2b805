"""A workspace's folder `dbt/` as a package: where it is written, what is refused, and what may be configured."""

from pathlib import Path

import pytest
import yaml

from flows.config import Config, load_config
from flows.errors import ConfigError
from flows.transform.workspace_package import has_package, package_environment, package_name


def workspace(folder: Path, **files: str) -> Config:
    """A workspace with these files below `dbt/`, whose names have `__` for `/` and a suffix after the last `_`."""
    (folder / "genchi.yaml").write_text("app: a\nlake: lake\n", encoding="utf-8")
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        path = folder / "dbt" / f"{stem.replace('__', '/')}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_config(folder / "genchi.yaml")


def written(environment: dict[str, str]) -> dict[str, object]:
    path = Path(environment["GENCHI_DBT_PACKAGES"]) / "workspace" / "dbt_project.yml"
    found: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def test_without_the_folder_nothing_is_written_and_dbt_runs_as_before(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    (tmp_path / "dbt").mkdir()  # an empty one is none
    assert not has_package(config)
    assert package_environment(config) == {}
    assert not (tmp_path / "lake").exists()


def test_the_package_is_beside_the_lake_and_leaves_the_folder_as_it_is(tmp_path: Path) -> None:
    config = workspace(tmp_path, models__mine_sql="select 1 as a")
    before = sorted(path.relative_to(tmp_path) for path in (tmp_path / "dbt").rglob("*"))
    project = written(package_environment(config))
    assert project["name"] == package_name(config) == "workspace"
    assert project["model-paths"] == ["dbt/models"]
    assert project["models"] == {"workspace": {"+schema": "marts", "+materialized": "table"}}
    link = tmp_path / "lake" / "_dbt" / "packages" / "workspace" / "dbt"
    assert (link / "models" / "mine.sql").is_file()
    assert sorted(path.relative_to(tmp_path) for path in (tmp_path / "dbt").rglob("*")) == before


def test_a_project_file_of_the_workspace_is_taken_over_and_its_installed_packages_too(tmp_path: Path) -> None:
    own = "name: ours\nprofile: x\nmodel-paths: [sql]\nmodels: {ours: {+schema: desk}}\nvars: {a: 1}\n"
    config = workspace(tmp_path, dbt_project_yml=own, sql__mine_sql="select 1 as a")
    (tmp_path / "dbt" / "dbt_packages" / "dbt_utils").mkdir(parents=True)
    environment = package_environment(config)
    assert written(environment) == {
        **{"name": "ours", "model-paths": ["dbt/sql"], "vars": {"a": 1}, "config-version": 2},
        **{"models": {"ours": {"+materialized": "table", "+schema": "desk"}}, "seeds": {"ours": {"+schema": "seeds"}}},
        **{f"{kind}-paths": [f"dbt/{kind}s"] for kind in ("seed", "snapshot", "test", "macro")},
        "analysis-paths": ["dbt/analyses"],
    }
    packages = Path(environment["GENCHI_DBT_PACKAGES"])
    assert (packages / "of_dbt_utils").is_dir()
    (tmp_path / "dbt" / "dbt_packages" / "dbt_utils").rmdir()
    package_environment(config)
    assert [path.name for path in packages.iterdir()] == ["workspace"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"models__fct_breaches_sql": "select 1"},
            "dbt/models/fct_breaches.sql: genchi has a model named fct_breaches",
        ),
        ({"seeds__features_csv": "a\n1\n"}, "dbt/seeds/features.csv: genchi has a seed named features"),
        ({"models__int_calls_py": ""}, "dbt/models/int_calls.py: genchi has a model named int_calls"),
        ({"models__mine_yml": "models:\n - name: [\n"}, "dbt/models/mine.yml: not valid YAML"),
        ({"dbt_project_yml": "name: genchi\n"}, "dbt/dbt_project.yml: `name`: genchi is genchi's own project"),
        ({"dbt_project_yml": "- a\n"}, "dbt/dbt_project.yml: expected keys and values"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_file(tmp_path: Path, files: dict[str, str], told: str) -> None:
    config = workspace(tmp_path, **files)
    with pytest.raises(ConfigError) as error:
        package_environment(config)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
