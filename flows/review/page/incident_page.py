"""The page of incidents, on which a person says that they take care of one; it does what `genchi ack` does."""

from datetime import date

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from flows import acknowledgements
from flows.errors import GenchiError
from flows.review.labels import one_at_a_time
from flows.review.page.day_review import Acknowledge, Review, Row, common, refusal
from flows.review.page.guard import Guard, TooLargeError, read_form
from flows.review.page.judgement import RefusedError
from flows.review.page.night_incidents import incidents_of

PATH = "/incidents"


def add_incident_page(app: FastAPI, review: Review, guard: Guard, acknowledge: Acknowledge | None) -> None:
    """Add the page to the application; without `acknowledge`, incidents are only shown."""

    def shown(request: Request, line: str = "", status: int = 200) -> Response:
        annotator = guard.annotator_of(request) or ""
        page = review.templates.get_template("incidents.html").render(
            common(review, annotator, PATH, review.store.labels(), line),
            incidents=_incidents(review),
            can_acknowledge=acknowledge is not None,
        )
        return HTMLResponse(page, status)

    @app.get(PATH)
    def incidents(request: Request) -> Response:
        return shown(request)

    @app.post(PATH)
    async def take_care(request: Request) -> Response:
        try:
            form = await read_form(request)
        except TooLargeError:
            return refusal(413, "too large", is_script=False)
        if acknowledge is None:
            return refusal(404, "nothing is acknowledged here", is_script=False)
        if form.get("incident_id", "") not in {row["incident_id"] for row in _incidents(review) or ()}:
            return refusal(404, "no such incident of this night; load the page again", is_script=False)
        try:
            line = await run_in_threadpool(_acknowledged, form, acknowledge)
        except (RefusedError, GenchiError) as error:
            return shown(request, str(error), 409)
        return shown(request, line)


def _acknowledged(form: dict[str, str], acknowledge: Acknowledge) -> str:
    try:
        until = date.fromisoformat(form["until"]) if form.get("until") else None
    except ValueError:
        raise RefusedError(f"{form['until']!r} is not a valid day; write it as YYYY-MM-DD") from None
    with one_at_a_time:  # labels may be moved into the lake meanwhile, whose lock lets all threads in
        return acknowledge(form["incident_id"], form.get("name", ""), form.get("note", "").strip() or None, until)


def _incidents(review: Review) -> list[Row] | None:
    """The open incidents of the night, and who takes care of each."""
    found = incidents_of(review.config, review.day)
    if found is None:
        return None
    known = acknowledgements.in_force(review.config.open_lake(), review.day)
    return [
        {
            **row,
            "acknowledged": known[row["incident_id"]].words if row["incident_id"] in known else "",
        }
        for row in found
    ]
