"""`genchi review`: the page on an address of this machine, until it is stopped.

Without a password the page is served on loopback only, and only the one browser that was opened with the token of this
start gets in. On any other address it needs `review: {password: ...}`, with which each person logs in.
"""

import asyncio
import contextlib
import ipaddress
import logging
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from flows.config import Config
from flows.errors import ConfigError, RunError
from flows.review.page.day_review import Acknowledge, Apply, Suggest
from flows.review.page.guard import Guard, Password
from flows.review.page.queue_items import newest_day
from flows.review.page.review_app import create_app

log = logging.getLogger("genchi")

COLLECT_EVERY_S = 180.0
_HTTP = 80
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Place:
    """Where the page is served, to whom, and whether a browser is opened."""

    host: str = "127.0.0.1"
    port: int = 8760
    annotator: str = "me"
    opens_browser: bool = True


def serve(
    config: Config,
    place: Place,
    tell: Callable[[str], None],
    *,
    day: date | None = None,
    apply: Apply | None = None,
    suggest: Suggest | None = None,
    acknowledge: Acknowledge | None = None,
) -> None:
    """Serve the queue of `day` (default: the newest) until the process is stopped; `tell` prints a line.

    Raises ConfigError if another address than loopback is asked for without a password, and RunError if there is no
    queue or the port is taken.
    """
    password = required_password(config, place.host)
    found = day or newest_day(config.open_lake())
    if found is None or not config.open_lake().files("review_queue", found):
        raise RunError(f"no review queue{f' of {found}' if found else ' yet'}; `genchi nightly` draws one")
    with _bound(place.host, place.port) as bound:
        port = int(bound.getsockname()[1])
        token = secrets.token_urlsafe(32)
        guard = Guard(
            hosts=allowed_hosts(place.host, port, config.review.hosts),
            token=token,
            annotator=place.annotator,
            password=Password(password) if password else None,
            cookie=f"genchi-{port}",
        )
        app = create_app(config, found, guard, apply=apply, suggest=suggest, acknowledge=acknowledge)
        shown = "127.0.0.1" if _is_any(place.host) else f"[{place.host}]" if ":" in place.host else place.host
        address = f"http://{shown}:{port}/" + ("" if password else f"?token={token}")
        tell(f"review of {found}{'' if password else f' as {place.annotator}'}: {address}")
        if place.opens_browser and _has_screen():
            threading.Timer(0.5, webbrowser.open, [address]).start()
        asyncio.run(_run(app, bound))


def required_password(config: Config, host: str) -> str | None:
    """The configured password. Raises ConfigError where an address needs one that is not set."""
    password = config.review.password
    config.review.require_password(config.path)
    if password is None and not is_loopback(host):
        raise ConfigError(
            f"--host {host}: others could reach the page; set `review: {{password: ...}}` in {config.path}, or leave"
            " --host out and use an SSH tunnel"
        )
    return password


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, port: int, more: tuple[str, ...] = ()) -> frozenset[str]:
    """The Host headers to answer: this machine's names and addresses with the port, and the configured names.

    A page of another name that is made to resolve to this machine (DNS rebinding) sends its own name, and is refused.
    """
    names = {*_LOOPBACK}
    if not is_loopback(host):
        names |= {socket.gethostname(), socket.getfqdn()}
    names |= _own_addresses() if _is_any(host) else {host}
    written = {f"[{name}]" if _is_ipv6(name) else name for name in names}
    without_port = {*more, *(written if port == _HTTP else ())}  # browsers leave the port of http out
    return frozenset(name.lower() for name in (*without_port, *(f"{name}:{port}" for name in {*written, *more})))


async def _run(app: FastAPI, bound: socket.socket) -> None:
    """Serve, and move labels into the lake at the start, the end, and now and then."""
    collect = app.state.review.store.collect
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))

    collecting = asyncio.create_task(move_now_and_then(collect, COLLECT_EVERY_S))
    try:
        await server.serve(sockets=[bound])
    finally:
        collecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await collecting
        await run_in_threadpool(collect)


async def move_now_and_then(collect: Callable[[], object], every_s: float) -> None:
    """Call `collect` now and every so many seconds, until this is cancelled. What it raises is logged."""
    while True:
        try:
            await run_in_threadpool(collect)
        except Exception as error:  # nothing may end the moving while labels are taken
            log.warning("labels stay in the journal: %s", error)
        await asyncio.sleep(every_s)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket on the address. Raises RunError if it is taken, ConfigError if it is none of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
            bound.listen(128)  # from now on a browser waits for the page
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise RunError(f"{host}:{port}: {why}; name another port with --port, or stop what uses it") from None
        yield bound


def _own_addresses() -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()


def _is_any(host: str) -> bool:
    return host in ("", "::") or host == str(ipaddress.IPv4Address(0))


def _is_ipv6(name: str) -> bool:
    return ":" in name and not name.startswith("[")


def _has_screen() -> bool:
    """Whether a browser can be opened: one in the terminal would take it over."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
