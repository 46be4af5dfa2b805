"""The folder `dbt/` of a workspace as a dbt package, which dbt reads beside genchi's project.

The package's own file and a link to the folder are below `<lake>/_dbt`, so that nothing is written to the checkout or
to the folder itself, and dbt names a file as the workspace does: `dbt/models/my_model.sql`. What is parsed with the
package is kept apart from what a night parses for its own marts: nothing in `dbt/` can stop those.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from flows.config import Config, read_yaml
from flows.errors import ConfigError
from flows.lake import replace_text
from flows.project import DBT_PROJECT

FOLDER = "dbt"
PACKAGES = "GENCHI_DBT_PACKAGES"  # the environment variable that dbt_project.yml reads
_PROJECT_FILE = "dbt_project.yml"
_GENCHI = "genchi"
# The folders of a dbt project, and which files in them have a name that others refer to.
_PATHS = {
    "model-paths": ("models", ("*.sql", "*.py")),
    "seed-paths": ("seeds", ("*.csv",)),
    "snapshot-paths": ("snapshots", ("*.sql",)),
    "test-paths": ("tests", ()),
    "macro-paths": ("macros", ()),
    "analysis-paths": ("analyses", ()),
}
_OF_ROOT = ("profile", "target-path", "log-path", "packages-install-path", "clean-targets", "selectors", "flags")
_DEFAULTS = {"models": {"schema": "marts", "materialized": "table"}, "seeds": {"schema": "seeds"}}


def has_package(config: Config) -> bool:
    """Whether the workspace has a folder `dbt/` with files for dbt."""
    folder = config.workspace / FOLDER
    return any(any(folder.rglob(pattern)) for pattern in ("*.sql", "*.py", "*.csv", "*.yml", "*.yaml"))


def package_name(config: Config) -> str:
    """The name of the package: that of the workspace's own dbt_project.yml, or else `workspace`."""
    return str(_written(config).get("name", "workspace"))


def check_package(config: Config) -> dict[str, Any]:
    """The package's dbt_project.yml. Nothing is written.

    Raises ConfigError for a file that is not YAML, a wrong dbt_project.yml, and a model, seed or snapshot with a name
    of genchi's own.
    """
    project = _project(_written(config))
    _check_names(config, project)
    for pattern in ("*.yml", "*.yaml"):
        for path in sorted((config.workspace / FOLDER / "models").rglob(pattern)):
            read_yaml(path)  # its errors name the file and the line
    return project


def package_environment(config: Config) -> dict[str, str]:
    """The environment variables with which dbt reads the package, which is brought up to date first.

    Empty where the workspace has none. Raises ConfigError as `check_package`.
    """
    if not has_package(config):
        return {}
    project = check_package(config)
    kept = config.state / "_dbt"
    packages = kept / "packages"
    package = packages / "workspace"
    package.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(project, sort_keys=False)
    if not (package / _PROJECT_FILE).exists() or (package / _PROJECT_FILE).read_text(encoding="utf-8") != text:
        replace_text(package / _PROJECT_FILE, text)
    _link(package / FOLDER, config.workspace / FOLDER)
    installed = {path.name: path for path in (config.workspace / FOLDER / "dbt_packages").glob("*/")}
    for name, folder in installed.items():
        _link(packages / f"of_{name}", folder)
    for link in packages.iterdir():
        if link.is_symlink() and link.name.removeprefix("of_") not in installed:
            link.unlink()
    return {PACKAGES: str(packages), "DBT_TARGET_PATH": str(kept / "target-workspace")}


def _written(config: Config) -> dict[str, Any]:
    """The workspace's own dbt_project.yml, which it need not have."""
    path = config.workspace / FOLDER / _PROJECT_FILE
    written = read_yaml(path) if path.is_file() else {}
    if not isinstance(written, dict):
        raise ConfigError(f"{path}: expected keys and values such as `name: my_models`")
    if written.get("name") == _GENCHI:
        raise ConfigError(f"{path}: `name`: {_GENCHI} is genchi's own project; choose another name")
    return written


def _project(written: dict[str, Any]) -> dict[str, Any]:
    """The package's dbt_project.yml: the workspace's own, seen from one folder above, with genchi's defaults."""
    name = str(written.get("name", "workspace"))
    project = {key: value for key, value in written.items() if key not in _OF_ROOT}
    project |= {"name": name, "config-version": 2}
    for key, (folder, _) in _PATHS.items():
        project[key] = [f"{FOLDER}/{path}" for path in written.get(key) or [folder]]
    for kind, defaults in _DEFAULTS.items():
        configured = dict(project.get(kind) or {})
        own = dict(configured.get(name) or {})
        missing = {f"+{key}": value for key, value in defaults.items() if not {key, f"+{key}"} & own.keys()}
        project[kind] = configured | {name: missing | own}
    return project


def _check_names(config: Config, project: dict[str, Any]) -> None:
    taken = {path.stem: path for path in _named(DBT_PROJECT, {key: [folder] for key, (folder, _) in _PATHS.items()})}
    for path in _named(config.workspace, project):
        if path.stem in taken:
            kind = taken[path.stem].relative_to(DBT_PROJECT).parts[0].removesuffix("s")
            raise ConfigError(
                f"{path.relative_to(config.workspace)}: genchi has a {kind} named {path.stem};"
                f" give yours another name, such as my_{path.stem}"
            )


def _named(root: Path, project: dict[str, Any]) -> Iterator[Path]:
    for key, (_, patterns) in _PATHS.items():
        for folder in project[key]:
            for pattern in patterns:
                yield from sorted((root / folder).rglob(pattern))


def _link(link: Path, folder: Path) -> None:
    if link.is_symlink() and link.readlink() == folder:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(folder, target_is_directory=True)
