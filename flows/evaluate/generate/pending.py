"""The register of a night: which questions are due, which have an answer, and which of those are written.

A question is 16 bytes here, so that 600,000 of them take about 100 MB.
"""

from collections.abc import Iterable, Iterator

from flows.evaluate.generate.requests import Request, Row, digest, key_of

_Versions = tuple[str, str, str | None]  # arm, holdout_version, prompt_version


class PendingRequests:
    """Made of all questions of a night. Answers are noted first; then each that is due is taken out once, to land."""

    def __init__(self, run_id: str, requests: Iterable[Request]) -> None:
        self._run_id = run_id
        shared: dict[_Versions, _Versions] = {}
        self._due: dict[bytes, _Versions] = {}
        for request in requests:
            versions = (request.arm, request.holdout_version, request.prompt_version)
            self._due[digest(request.key)] = shared.setdefault(versions, versions)
        self._answered: set[bytes] = set()
        self.reused = 0

    def add_answers(self, rows: Iterable[Row]) -> None:
        """Note answers from earlier."""
        for row in rows:
            key = digest(key_of(row))
            if row["status"] != "ok" or key in self._answered:
                continue
            self._answered.add(key)
            self.reused += key in self._due

    def mark_answered(self, request: Request) -> None:
        """Note that the question has got its answer."""
        self._answered.add(digest(request.key))

    def is_open(self, request: Request) -> bool:
        """Whether the question has no answer yet."""
        return digest(request.key) not in self._answered

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
                reused_from = row.get("reused_from") or (row["run_id"] if row["run_id"] != self._run_id else None)
                yield {
                    **row,
                    "run_id": self._run_id,
                    "arm": arm,
                    "holdout_version": holdout_version,
                    "prompt_version": prompt_version,
                    "reused_from": reused_from,
                }

    def take_unanswered(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Of `questions` those of which no row was taken."""
        for request in requests:
            if self._due.pop(digest(request.key), None) is not None:
                yield request
