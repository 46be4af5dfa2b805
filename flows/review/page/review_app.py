"""The review page as an application: a day's queue in one page, and where judgements are sent."""

from datetime import date

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from flows.config import Config
from flows.errors import GenchiError
from flows.outgoing import plain
from flows.review.page import judgement, page_templates, review_state
from flows.review.page.day_review import Acknowledge, Apply, Review, Row, Suggest, common, refusal, reveal
from flows.review.page.decision_pages import add_decision_pages
from flows.review.page.guard import LONGEST_BODY, Guard, TooLargeError, read_form
from flows.review.page.incident_page import add_incident_page
from flows.review.page.queue_items import Item
from flows.review.page.review_state import Standing


def create_app(
    config: Config,
    day: date,
    guard: Guard,
    *,
    apply: Apply | None = None,
    suggest: Suggest | None = None,
    acknowledge: Acknowledge | None = None,
) -> FastAPI:
    """The application for one day's queue.

    `apply` puts a decision about a suggested criterion or a proposed example into effect; without it, decisions are
    only recorded. `suggest` makes a criterion of a failure mode; without it, no such button is shown.
    `acknowledge` notes who takes care of an incident; without it, incidents are only shown.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(guard.check)
    review = Review(config, day)
    app.state.review = review
    files = page_templates.static_files()

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in files:
            return Response(status_code=404)
        content, kind = files[name]
        return Response(content, media_type=kind)

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/")
    def items(request: Request, item: int = 0) -> Response:
        annotator = guard.annotator_of(request) or ""
        review.store.refresh()
        standings = review.standings(annotator)
        labels = review.store.labels()
        shown = {standing.item.number for standing in standings}
        current = item if item in shown else next((one.item.number for one in standings if one.is_open), 0)
        since, total = review_state.failed_since_new_mode(labels)
        page = review.templates.get_template("items.html").render(
            common(review, annotator, "/", labels),
            standings=standings,
            bodies=review.bodies,
            current=current,
            judged=sum(one.mine is not None for one in standings),
            seconds=sum((one.mine["seconds"] or 0.0) for one in standings if one.mine),
            incidents=review.incidents,
            modes=review_state.modes_by_route(labels),
            agreements=review_state.agreements(labels),
            saturation={"since": since, "total": total},
            can_suggest=suggest is not None,
            reveal=reveal,
            queue_day=day.isoformat(),
        )
        return HTMLResponse(page)

    @app.post("/labels")
    async def label(request: Request) -> Response:
        is_script = "application/json" in request.headers.get("accept", "")
        try:
            form = await read_form(request)
        except TooLargeError:
            return refusal(413, f"at most {LONGEST_BODY:,} bytes can be sent", is_script)
        return await run_in_threadpool(_judge, review, form, guard.annotator_of(request) or "", is_script)

    @app.get("/login")
    def login() -> Response:
        return HTMLResponse(review.templates.get_template("login.html").render(app=config.app, line=""))

    @app.post("/login")
    async def log_in(request: Request) -> Response:
        if guard.password is None:
            return Response("No password is set.", 404)
        if not guard.may_log_in(request):
            return Response("Too many attempts; try again in a minute.", 429)
        try:
            form = await read_form(request)
        except TooLargeError:
            return refusal(413, "too large", is_script=False)
        name = " ".join(plain(form.get("name", "")).split())[:60]
        is_right = await run_in_threadpool(guard.password.is_, form.get("password", ""))
        if not is_right or not name:
            line = "The password is wrong." if not is_right else "Say who you are: labels carry the name."
            page = review.templates.get_template("login.html").render(app=config.app, line=line)
            return HTMLResponse(page, 403)
        response = RedirectResponse("/", 303)
        guard.begin_session(response, name)
        return response

    add_decision_pages(app, review, guard, apply=apply, suggest=suggest)
    add_incident_page(app, review, guard, acknowledge)
    return app


def _judge(review: Review, form: dict[str, str], annotator: str, is_script: bool) -> Response:
    """Write what was judged; when this returns, it is on the disk."""
    item = review.named(*(form.get(part, "") for part in ("subject", "subject_id", "criterion", "criterion_version")))
    if item is None:
        return refusal(404, "no such answer in this day's queue; load the page again", is_script)
    is_resolution = bool(form.get("resolution"))
    form |= {name: review.mode_meant(form, name)[1] for name in ("mode", "failure_mode") if form.get(name)}
    try:
        review.store.add_once(
            "annotations",
            form.get("label_id", ""),
            lambda: judgement.rows_of(form, item, annotator, review.day, review.store, is_resolution=is_resolution),
        )
    except judgement.RefusedError as error:
        return refusal(409, str(error), is_script)
    except GenchiError as error:
        return refusal(503, str(error), is_script)
    if not is_script:
        return RedirectResponse("/disagreements" if is_resolution else "/", 303)
    return JSONResponse(page_templates.as_text(_acknowledgement(review, item, annotator)))


def _acknowledgement(review: Review, item: Item, annotator: str) -> Row:
    """What a script is told when a label is saved: what others say of the answer, and which items others took."""
    standing = review.standing(item, annotator)
    return {
        "item": item.number,
        "reveal": [list(row) for row in reveal(standing)],
        "taken": [one.number for one in review.items if not review.standing(one, annotator).is_mine],
        "line": _said(standing),
    }


def _said(standing: Standing) -> str:
    """The person's verdict beside the judge's, in a line."""
    if standing.mine is None:
        return "Taken back."
    row, mine = standing.item.row, page_templates.verdict(standing.mine["passed"])
    if row["judge_verdict"] is None:
        return f"Saved: you say {mine}."
    judge = page_templates.verdict(row["judge_verdict"])
    return f"Saved: you say {mine}, the judge {'too' if judge == mine else f'said {judge}'}."
