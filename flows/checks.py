"""The checks of a night as tasks of Prefect: what was expected of logs, test sets, answers and verdicts."""

from datetime import date

from flows.config import Config
from flows.prefect_run import STAGE_S, task


@task(name="check", task_run_name="check {day}", timeout_seconds=STAGE_S)
def check(config: Config, day: date, failures: list[str]) -> tuple[int, int]:
    """Validate every suite that applies. Returns the number of checks, and how many failed; incidents are no checks."""
    from expectations.validate import validate  # noqa: PLC0415 - imported late: great_expectations takes seconds

    results = [result for result in validate(config, day, failures) if result.suite != "verdicts"]
    return len(results), sum(not result.success for result in results)


@task(name="check the evaluation", task_run_name="check the evaluation {day}", timeout_seconds=STAGE_S)
def check_evaluation(config: Config, day: date) -> list[str]:
    """The critical failures of a day's test sets, answers and verdicts, a sentence each. Nothing is stored."""
    from expectations.validate import failures_of_evaluation  # noqa: PLC0415 - as above

    failed = failures_of_evaluation(config, day)
    return [found.observed if found.suite == "verdicts" else f"{found.subject}: {found.observed}" for found in failed]
