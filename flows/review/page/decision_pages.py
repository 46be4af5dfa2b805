"""The pages beside the answers: disagreements, suggested criteria, and proposed examples of the holdout."""

import json
import secrets
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from flows.errors import GenchiError
from flows.lake import SCHEMAS
from flows.review.labels import Entry, one_at_a_time
from flows.review.page import judgement, review_state
from flows.review.page.day_review import Apply, Review, Row, Suggest, common, refusal
from flows.review.page.guard import Guard, TooLargeError, read_form
from flows.review.page.sent_back import as_stored
from flows.review.page.suggestion_lists import laid_out

_PATHS = {"suggestion": "/criteria", "proposal": "/holdout"}
_DONE = {True: "Accepted", False: "Rejected"}


def add_decision_pages(
    app: FastAPI, review: Review, guard: Guard, *, apply: Apply | None, suggest: Suggest | None
) -> None:
    """Add the pages to the application. What is accepted is applied first and recorded then."""

    def shown(request: Request, kind: str, line: str = "", status: int = 200) -> Response:
        return HTMLResponse(_list_page(review, guard.annotator_of(request) or "", kind, line), status)

    @app.get("/criteria")
    def criteria(request: Request) -> Response:
        review.suggestions.reread()
        return shown(request, "suggestion")

    @app.get("/holdout")
    def holdout(request: Request) -> Response:
        review.suggestions.reread()
        return shown(request, "proposal")

    @app.get("/disagreements")
    def disagreements(request: Request) -> Response:
        annotator = guard.annotator_of(request) or ""
        review.store.refresh()
        labels = review.store.labels()
        page = review.templates.get_template("disagreements.html").render(
            common(review, annotator, "/disagreements", labels),
            found=review_state.disagreed(review.items, labels),
            bodies=review.bodies,
            resolution=judgement.RESOLUTION,
        )
        return HTMLResponse(page)

    @app.post("/decisions")
    async def decide(request: Request) -> Response:
        try:
            form = await read_form(request)
        except TooLargeError:
            return refusal(413, "too large", is_script=False)
        kind, annotator = form.get("kind", ""), guard.annotator_of(request) or ""
        if kind not in _PATHS or form.get("subject_id", "") not in review.suggestions.rows[kind]:
            return refusal(404, "no such suggestion any more; load the page again", is_script=False)
        try:
            line = await run_in_threadpool(_decide, review, form, annotator, apply)
        except (judgement.RefusedError, GenchiError) as error:
            return shown(request, kind, str(error), 409)
        return shown(request, kind, line)

    @app.post("/criteria/suggest")
    async def make(request: Request) -> Response:
        try:
            form = await read_form(request)
        except TooLargeError:
            return refusal(413, "too large", is_script=False)
        if suggest is None:
            return refusal(404, "nothing makes suggestions here", is_script=False)
        try:
            line = await run_in_threadpool(_suggested, suggest, *review.mode_meant(form))
        except GenchiError as error:
            return shown(request, "suggestion", str(error), 409)
        review.suggestions.reread()
        return shown(request, "suggestion", line)


def _suggested(suggest: Suggest, route: str, failure_mode: str) -> str:
    with one_at_a_time:  # labels may be moved into the lake meanwhile, whose lock lets all threads in
        return suggest(route, failure_mode)


def _decide(review: Review, form: dict[str, str], annotator: str, apply: Apply | None) -> str:
    """Apply and record one decision, once: a form that is sent again changes nothing.

    Raises RefusedError where somebody has decided, here or with a verb.
    """
    with review.deciding:  # not the store's lock: to apply may take long, and labels are taken meanwhile
        review.store.reread()
        decision_id = form.get("decision_id", "")
        if review.store.known("review_decisions", decision_id) is not None:
            return "That was decided already."
        if before := review.store.decisions().get((form["kind"], form["subject_id"])):
            raise judgement.RefusedError(f"{form['subject_id']} was decided by {before['annotator']}")
        return _decide_now(review, form, decision_id, annotator, apply)


def _decide_now(review: Review, form: dict[str, str], decision_id: str, annotator: str, apply: Apply | None) -> str:
    row = review.suggestions.rows[form["kind"]][form["subject_id"]]
    is_accepted = form.get("decision") == "accept"
    decision: Row = dict.fromkeys(SCHEMAS["review_decisions"].names) | {
        "decision_id": decision_id or secrets.token_hex(16),
        "kind": form["kind"],
        "subject_id": form["subject_id"],
        "annotator": annotator,
        "at": datetime.now(UTC),
        "accepted": is_accepted,
        "value_json": _corrected(form, row) if is_accepted else None,
        "note": form.get("note", "").strip()[:5_000] or None,
    }
    told = apply(decision) if apply is not None and is_accepted else ""
    review.store.add([Entry("review_decisions", decision)])
    return told or f"{_DONE[is_accepted]}."


def _corrected(form: dict[str, str], row: Row) -> str | None:
    """What a person changed: the definition as JSON, or the expected answer as a JSON text; None where nothing was."""
    stored = (row["expected_text"] or "") if form["kind"] == "proposal" else laid_out(row["definition_json"])
    given = as_stored(form.get("value", ""), stored)
    if form["kind"] == "proposal":
        return None if given == stored else json.dumps(given, ensure_ascii=False)
    try:
        found = json.loads(given)
        is_same = stored == json.dumps(found, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError) as error:
        raise judgement.RefusedError(f"the definition is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise judgement.RefusedError('the definition must be a JSON object, such as {"name": "polite", ...}')
    return None if is_same else json.dumps(found, ensure_ascii=False)


def _list_page(review: Review, annotator: str, kind: str, line: str) -> str:
    """The page of what waits for a decision."""
    labels = review.store.labels()
    rows = review.suggestions.waiting(review.store.decisions())[kind]
    template = review.templates.get_template("criteria.html" if kind == "suggestion" else "holdout.html")
    return template.render(
        common(review, annotator, _PATHS[kind], labels, line),
        rows=rows,
        examples=review.suggestions.examples_of,
        laid_out=laid_out,
    )
