"""The digest of what is to review, as a flow of its own: in the morning, when people begin."""

from datetime import date

from prefect import flow

from flows.alerts.flow import review_reminder
from flows.config import load_config
from flows.prefect_run import described, ended, stage
from flows.review.flow import labels


@flow(name="review-digest", persist_result=False)
def review_digest(config_path: str = "genchi.yaml", day: date | None = None) -> str:
    """Tell who reviews this week, by the rota, which answers of the last seven queues nobody has judged yet.

    What people judged since the night is counted as judged. The same is sent once. Returns one line. Raises ConfigError
    for a wrong configuration, and RunError if a target of `alerts` did not take it.

    Args:
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        day: The night whose queue is the newest to tell of. Without one: yesterday, in the workspace's time zone.
    """
    config = load_config(config_path)
    day = day or config.yesterday()
    with described(f"review-digest {day}", config.app), config.open_lake().run("review-digest"):
        with stage("labels") as current:
            current.outcome = labels(config).summary()
        with stage("remind") as current:
            current.outcome = review_reminder(config, day).summary()
    return ended(current.outcome, current.outcome)
