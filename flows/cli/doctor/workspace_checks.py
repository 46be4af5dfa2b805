"""What a workspace adds to genchi: whether its features and its dbt models can be read."""

from collections.abc import Iterator

from flows.cli.doctor.check_result import Finding
from flows.config import FEATURES_FILE, Config
from flows.errors import ConfigError
from flows.transform import check_package, checked_features, has_package
from flows.words import counted


def workspace_findings(config: Config) -> Iterator[Finding]:
    """Bind the expressions of `features.csv`, and look at names and YAML in `dbt/`; dbt itself does not run."""
    try:
        if features := checked_features(config.workspace):
            yield Finding("ok", f"{FEATURES_FILE}: {counted(len(features), 'feature')} can be measured")
    except ConfigError as error:
        yield Finding("misconfigured", str(error))
    if has_package(config):
        try:
            check_package(config)
            yield Finding("ok", "dbt: names and YAML can be read; `genchi dbt parse` reads the models too")
        except ConfigError as error:
            yield Finding("misconfigured", str(error))
