"""The register of a night: which questions are due, which have an answer, and which of those are written.

A question is 16 bytes here, so that 600,000 of them take about 100 MB.
"""

from collections.abc import Iterable, Iterator

from flows.evaluate.generate.requests import Request, Row, digest, key_of

_Versions = tuple[str, str, str | None]  # arm, holdout_version, prompt_version


class PendingRequests:
    """Made of all questions of a night. Answers are noted first; then each that is due is taken out once, to land."""

    def __init__(self, run_id: str, questions: Iterable[Request]) -> None:
        self._run_id = run_id
        shared: dict[_Versions, _Versions] = {}
        self._due: dict[bytes, _Versions] = {}
        for question in questions:
            versions = (question.arm, question.holdout_version, question.prompt_version)
            self._due[digest(question.key)] = shared.setdefault(versions, versions)
        self._answered: set[bytes] = set()
        self.reused = 0

    def note(self, rows: Iterable[Row]) -> None:
        """Note answers from earlier."""
        for row in rows:
            key = digest(key_of(row))
            if row["status"] != "ok" or key in self._answered:
                continue
            self._answered.add(key)
            self.reused += key in self._due

    def mark(self, question: Request) -> None:
        """Note that the question has got its answer."""
        self._answered.add(digest(question.key))

    def is_open(self, question: Request) -> bool:
        """Whether the question has no answer yet."""
        return digest(question.key) not in self._answered

    @property
    def is_done(self) -> bool:
        """Whether a row was taken for every question."""
        return not self._due

    def take(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Of `rows` those that answer what is due and was not taken yet, as rows of this night."""
        for row in rows:
            versions = self._due.pop(digest(key_of(row)), None)
            if versions is not None:
                arm, holdout_version, prompt_version = versions
                elsewhere = row.get("reused_from") or (row["run_id"] if row["run_id"] != self._run_id else None)
                yield {
                    **row,
                    "run_id": self._run_id,
                    "arm": arm,
                    "holdout_version": holdout_version,
                    "prompt_version": prompt_version,
                    "reused_from": elsewhere,
                }

    def take_unanswered(self, questions: Iterable[Request]) -> Iterator[Request]:
        """Of `questions` those of which no row was taken."""
        for question in questions:
            if self._due.pop(digest(question.key), None) is not None:
                yield question
