"""What people's labels say, as the page shows it: rates, judges compared with people, criteria that drift."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.report import charts
from flows.report.charts import Scale
from flows.report.wording import NOTHING, percent

_SCALE = Scale(0, 1, 4, 96)
_ENDS = [(0.0, "zero"), (1.0, "zero")]


@dataclass(frozen=True)
class LabelRate:
    """The failure rate of a route in a window of days, by labels and the judge, and by labels alone.

    A rate is null where there is too little evidence, with the `reason`.
    """

    route: str
    criterion: str
    window_days: int
    n_labels: int
    n_judged: int
    failure_rate: float | None
    ci_low: float | None
    ci_high: float | None
    of_labels_alone: float | None
    ci_low_alone: float | None
    ci_high_alone: float | None
    reason: str | None

    @property
    def text(self) -> str:
        """The rate by labels and judge, with its interval."""
        return with_interval(self.failure_rate, self.ci_low, self.ci_high)

    @property
    def alone(self) -> str:
        """The rate by labels alone, with its interval."""
        return with_interval(self.of_labels_alone, self.ci_low_alone, self.ci_high_alone)

    @property
    def picture(self) -> Markup:
        """The better known of both rates on a scale from 0 to 100 %."""
        found, text = (self.ci_low, self.failure_rate, self.ci_high), self.text
        if self.failure_rate is None:
            found = (self.ci_low_alone, self.of_labels_alone, self.ci_high_alone)
            text = f"{self.alone} by labels alone"
        return _picture(found, f"{self.route}/{self.criterion}, {self.window_days} days: {text}")


@dataclass(frozen=True)
class Alignment:
    """A judge compared with people by one version of a criterion.

    `tpr` is the share of the answers that failed by people which the judge fails, `tnr` that of the good answers which
    it passes.
    """

    route: str
    criterion: str
    criterion_version: str
    judge: str
    n_labels: int
    tpr: float | None
    tpr_low: float | None
    tpr_high: float | None
    tnr: float | None
    tnr_low: float | None
    tnr_high: float | None
    agreement: float | None
    ac1: float | None
    kappa: float | None
    alignment_reason: str | None
    is_weighted: bool | None
    n_double: int
    people_agreement: float | None

    @property
    def failed(self) -> str:
        """The share of failed answers that the judge fails, with its interval."""
        return with_interval(self.tpr, self.tpr_low, self.tpr_high)

    @property
    def passed(self) -> str:
        """The share of good answers that the judge passes, with its interval."""
        return with_interval(self.tnr, self.tnr_low, self.tnr_high)


@dataclass(frozen=True)
class CriterionDrift:
    """How many labels changed when answers were judged again by a changed criterion."""

    route: str
    criterion: str
    n_relabelled: int
    flip_rate: float | None
    ci_low: float | None
    ci_high: float | None

    @property
    def text(self) -> str:
        """The share that changed, with its interval."""
        return with_interval(self.flip_rate, self.ci_low, self.ci_high)


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """`4.2% (1.9% to 8.0%)`; a dash where it is not known."""
    if value is None or low is None or high is None:
        return NOTHING
    return f"{percent(value)} ({percent(low)} to {percent(high)})"


def _picture(found: Sequence[float | None], label: str) -> Markup:
    low, value, high = found
    if low is None or value is None or high is None:
        return Markup("")
    return charts.interval((low, value, high), _SCALE, "same", label, _ENDS)
