"""Whether models and the addresses of alerts can be reached. Nothing is evaluated, and nothing is posted."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from flows.alerts import why_not_sendable
from flows.cli.doctor.check_result import Finding, Level
from flows.config import BASELINE, Alert, Config, Model, not_set, unset_variables
from flows.llm import is_local
from flows.outgoing import without_credentials

_TIMEOUT_S = 5.0


def model_findings(config: Config) -> Iterator[Finding]:
    """One finding for each configured model."""
    if config.models:
        for model in {model.name: model for model in config.models.written()}.values():
            yield _model(model)


def _model(model: Model) -> Finding:
    name = f"model {model.name}"
    if unset := unset_variables(model):
        return Finding("misconfigured", f"{name}: {not_set(unset[0], 'evaluation')}")
    if model.api_base:
        return _endpoint(name, model, model.api_base)
    if model.model.startswith(BASELINE):
        return Finding("ok", f"{name}: trained on the labelled examples, in this process")
    if is_local(model.model):
        return Finding("ok", f"{name}: runs in this process")
    from litellm import validate_environment  # noqa: PLC0415 - imported late: litellm takes seconds

    missing = validate_environment(model.model, api_key=model.api_key)["missing_keys"] if not model.api_key else []
    if missing:
        return Finding("misconfigured", f"{name}: missing environment variables: {', '.join(missing)}; set them")
    return Finding("ok", f"{name}: its key is set")


def _endpoint(name: str, model: Model, api_base: str) -> Finding:
    try:
        headers = {"Authorization": f"Bearer {model.api_key}"} if model.api_key else {}
        answer = httpx.get(f"{api_base.rstrip('/')}/models", timeout=10, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # its message may hold the key
        problem = f"no response: {type(error).__name__}; check `api_base` and the network"
        return Finding("misconfigured", f"{name}: {without_credentials(api_base)}: {problem}")
    level: Level = "ok" if answer.status_code < httpx.codes.BAD_REQUEST else "misconfigured"
    return Finding(level, f"{name}: {without_credentials(api_base)} answers with status {answer.status_code}")


def alert_findings(config: Config) -> Iterator[Finding]:
    """One finding for each address: whether it is valid, and whether its host takes a connection."""
    if not config.alerts:
        yield Finding("ok", "alerts: none configured; failures show in the report and the exit code")
    for alert in config.alerts:
        yield _alert(alert)
    if config.ping:
        unset = unset_variables(config.ping)
        yield Finding("misconfigured", f"ping: {not_set(unset[0])}") if unset else _address("ping", config.ping.url)


def _alert(alert: Alert) -> Finding:
    if unset := unset_variables(alert):
        return Finding("misconfigured", f"alert {alert.kind}: {not_set(unset[0])}")
    if alert.kind in ("apprise", "prefect", "python"):
        problem = why_not_sendable(alert)
        what = "function can be called" if alert.kind == "python" else "address is valid"
        told = problem or f"its {what}; `genchi alert --test` sends a message"
        return Finding("misconfigured" if problem else "ok", f"alert {alert.kind}: {told}")
    found = _address(f"alert {alert.kind}", alert.url)
    return found if found.level != "ok" else replace(found, text=f"{found.text}; `genchi alert --test` sends a message")


def _address(name: str, address: str) -> Finding:
    """Whether an address is valid, and whether its host takes a connection."""
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        host = None
    if host is None or url.scheme not in ("http", "https"):
        problem = "not a valid URL; write one such as https://hooks.example.org/..."
        return Finding("misconfigured", f"{name}: {problem}")
    try:
        with socket.create_connection(_first_hop(url, host, port), timeout=_TIMEOUT_S):
            pass
    except OSError as error:
        problem = f"{host}:{port} cannot be reached: {error.strerror or error}; check its `url` and the network"
        return Finding("misconfigured", f"{name}: {problem}")
    return Finding("ok", f"{name}: {host} can be reached")


def _first_hop(url: SplitResult, host: str, port: int) -> tuple[str, int]:
    """The host to connect to: that of the proxy, where the environment names one for this address."""
    proxy = urlsplit(getproxies().get(url.scheme, ""))
    return (proxy.hostname, proxy.port or 80) if proxy.hostname and not proxy_bypass(host) else (host, port)
