"""Labels and workspaces for the tests of the review."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flows.config.load import Config
from flows.review.labels import Entry

DAY = date(2024, 5, 14)


def config(folder: Path) -> Config:
    """A workspace under `folder`, in which nothing has been written yet."""
    return Config(
        path=folder / "genchi.yaml",
        app="support-triage",
        lake=folder / "lake",
        warehouse=folder / "lake" / "warehouse.duckdb",
        reports=folder / "reports",
    )


def label(label_id: str, at: datetime = datetime(2024, 5, 15, 8, 30, tzinfo=UTC), **more: Any) -> Entry:
    """A label of a person on the queue of DAY."""
    row = {
        "label_id": label_id,
        "subject": "interaction",
        "subject_id": f"call-{label_id}",
        "route": "triage",
        "criterion": "correct",
        "criterion_version": "v1",
        "annotator": "ada",
        "annotator_kind": "person",
        "at": at,
        "passed": True,
        "queue_day": DAY,
        "blind": True,
        "seconds": 4.5,
    }
    return Entry("annotations", row | more)


def decision(decision_id: str, **more: Any) -> Entry:
    """A decision about a suggested criterion."""
    row = {
        "decision_id": decision_id,
        "kind": "suggestion",
        "subject_id": "s1",
        "annotator": "ada",
        "at": datetime(2024, 5, 15, 9, tzinfo=UTC),
        "accepted": True,
    }
    return Entry("review_decisions", row | more)
