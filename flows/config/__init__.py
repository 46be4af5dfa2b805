"""`genchi.yaml` as one frozen, typed object: its sections, model variants, thresholds, and errors in one line."""

from flows.config.engine import Engine
from flows.config.features_file import (
    CALL_COLUMNS,
    FEATURES_FILE,
    TEXT_COLUMNS,
    WorkspaceFeature,
    workspace_features,
)
from flows.config.fields import WAREHOUSE_CALLS, WAREHOUSE_DAYS, parse_path
from flows.config.load import Alert, Config, Model, Route, Severity, Source, load_config
from flows.config.log_formats import format_file, known_formats, own_formats
from flows.config.model_sections import Embedding, Models
from flows.config.model_variants import BASELINE, ModelVariant
from flows.config.problems import did_you_mean, first_problem
from flows.config.risk_sizes import limit_on, risk_on, size_on, sizes_by_risk
from flows.config.rota import on_duty
from flows.config.sections import Budget, Ping
from flows.config.threshold_table import thresholds
from flows.config.variables import UnsetVariableError, not_set, unset_variables, why_not_sent
from flows.config.yamlfile import read_yaml

__all__ = [
    "BASELINE",
    "CALL_COLUMNS",
    "FEATURES_FILE",
    "TEXT_COLUMNS",
    "WAREHOUSE_CALLS",
    "WAREHOUSE_DAYS",
    "Alert",
    "Budget",
    "Config",
    "Embedding",
    "Engine",
    "Model",
    "ModelVariant",
    "Models",
    "Ping",
    "Route",
    "Severity",
    "Source",
    "UnsetVariableError",
    "WorkspaceFeature",
    "did_you_mean",
    "first_problem",
    "format_file",
    "known_formats",
    "limit_on",
    "load_config",
    "not_set",
    "on_duty",
    "own_formats",
    "parse_path",
    "read_yaml",
    "risk_on",
    "size_on",
    "sizes_by_risk",
    "thresholds",
    "unset_variables",
    "why_not_sent",
    "workspace_features",
]
