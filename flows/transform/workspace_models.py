"""The build of a workspace's own models, seeds and tests, after genchi's."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import date

from flows.config import Config
from flows.transform.build import days_of_build, variables
from flows.transform.built_before import PROJECT, project_of
from flows.transform.dbt_runner import run_dbt
from flows.transform.spark_build import publish_built
from flows.transform.spark_session import is_on_spark
from flows.transform.workspace_package import package_environment, package_name
from flows.words import counted


@dataclass(frozen=True)
class WorkspaceBuild:
    """The numbers of a workspace's own tables built and of its tests passed, and its seconds."""

    built: int
    tests: int
    seconds: float

    def summary(self) -> str:
        """The counts in words, for one line."""
        return f"{counted(self.built, 'table')} built, {counted(self.tests, 'test')} passed"


def build_workspace(config: Config, first: date, last: date) -> WorkspaceBuild:
    """Build and test what the workspace's folder `dbt/` has, for the days from `first` to `last`.

    dbt's unit tests do not run. Raises ConfigError if dbt cannot read the folder, and RunError, with the file, if a
    node fails; the other nodes are built all the same.
    """
    started = time.monotonic()
    known = variables(config)
    nodes = run_dbt(
        config,
        ["build", "--exclude-resource-type", "unit_test", "--select", f"package:{package_name(config)}"],
        known,
        {**package_environment(config), **days_of_build(first, last), PROJECT: project_of(known)},
    )
    if is_on_spark(config):
        publish_built(config, first, last)
    counts = Counter(node.kind for node in nodes)
    built = counts["model"] + counts["seed"] + counts["snapshot"]
    return WorkspaceBuild(built, counts["test"], time.monotonic() - started)
