"""Whether the Prefect server that is configured answers: without it no stage of a night begins."""

from collections.abc import Iterator

from flows import prefect_run
from flows.cli.doctor.check_result import Finding
from flows.errors import in_one_line

_PATIENCE_S = 10.0


def prefect_findings() -> Iterator[Finding]:
    """One finding for the server that records runs; none where runs use no server."""
    if not prefect_run.is_used():
        return
    import httpx  # noqa: PLC0415 - imported late, as Prefect is: few workspaces have a server
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - imported late: costs a second

    url = str(PREFECT_API_URL.value())
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=_PATIENCE_S)  # whatever it says, it answers
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = f"prefect: {url} does not answer: {in_one_line(error)}; {prefect_run.WITHOUT_SERVER}"
        yield Finding("problem", problem)
    else:
        yield Finding("ok", f"prefect: the server at {url} answers, and records runs")
