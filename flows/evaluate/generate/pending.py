"""The pending requests of a run: which have an answer, and which of these are written.

A request takes a 16-byte digest here, so that 600,000 of them take about 100 MB.
"""

from collections.abc import Iterable, Iterator

from flows.evaluate.generate.requests import Request, Row, digest, key_of

_Versions = tuple[str, str, str | None]  # arm, holdout_version, prompt_version


class PendingRequests:
    """Built from all requests of a run. First answers are added; then each request's row is taken once, to write it."""

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
        """Add stored answers. Failures do not count."""
        for row in rows:
            key = digest(key_of(row))
            if row["status"] != "ok" or key in self._answered:
                continue
            self._answered.add(key)
            self.reused += key in self._due

    def mark_answered(self, request: Request) -> None:
        """Record that the request got its answer."""
        self._answered.add(digest(request.key))

    def is_open(self, request: Request) -> bool:
        """Whether the request has no answer yet."""
        return digest(request.key) not in self._answered

    @property
    def is_done(self) -> bool:
        """Whether a row was taken for every request."""
        return not self._due

    def take(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of `rows` that answer a request without a row yet, rewritten as rows of this run."""
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
        """Those of `requests` for which no row was taken."""
        for request in requests:
            if self._due.pop(digest(request.key), None) is not None:
                yield request
