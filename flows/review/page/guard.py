"""Who may talk to the page: this machine's browser with the token of this start, or who knows the password.

Every request passes `Guard` first. It checks the Host (a page of another name that resolves here is refused), the
Origin of what is sent, the session, how often and how much; and it gives every answer the headers that keep what models
and users wrote from doing anything.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

LONGEST_BODY = 1_000_000
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'none';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script';"
        " trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send no Origin with a form
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 2**26}
_MOST_REMEMBERED = 1_000

Next = Callable[[Request], Awaitable[Response]]


class TooLargeError(Exception):
    """More was sent than `LONGEST_BODY`."""


@dataclass
class Rates:
    """How often something may be done by each key: `burst` at once, and then `per_second`."""

    burst: float
    per_second: float
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def allows(self, key: str) -> bool:
        """Whether it may be done now; counts it if so."""
        now = time.monotonic()
        left, at = self._left.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        is_allowed = left >= 1
        self._left[key] = (left - is_allowed, now)
        if len(self._left) > _MOST_REMEMBERED:
            self._left.popitem(last=False)
        return is_allowed


class Password:
    """A password as its scrypt hash with a salt of this start."""

    def __init__(self, password: str) -> None:
        self._salt = secrets.token_bytes(16)
        self._hash = self._hashed(password)

    def is_(self, given: str) -> bool:
        """Whether `given` is the password; takes as long for any."""
        return hmac.compare_digest(self._hashed(given), self._hash)

    def _hashed(self, text: str) -> bytes:
        return hashlib.scrypt(text.encode("utf-8", "surrogatepass"), salt=self._salt, **_SCRYPT)


@dataclass
class Guard:
    """The rules of one start. `hosts` are the names under which the page may be reached, in small letters.

    The token lets one browser in as `annotator`, once: others of this machine can read it in the list of processes.
    With a password it lets nobody in.
    """

    hosts: frozenset[str]
    token: str
    annotator: str
    password: Password | None = None
    cookie: str = "genchi"
    sessions: dict[str, str] = field(default_factory=dict)
    logins: Rates = field(default_factory=lambda: Rates(5, 1 / 12))
    all_logins: Rates = field(default_factory=lambda: Rates(30, 1 / 2))
    posts: Rates = field(default_factory=lambda: Rates(120, 10))

    def annotator_of(self, request: Request) -> str | None:
        """Who sends a request; None without a session."""
        return self.sessions.get(request.cookies.get(self.cookie, ""))

    def begin_session(self, response: Response, annotator: str) -> None:
        """From this answer on, the browser is this person's."""
        session = secrets.token_urlsafe(32)
        while len(self.sessions) >= _MOST_REMEMBERED:
            del self.sessions[next(iter(self.sessions))]
        self.sessions[session] = annotator
        response.set_cookie(self.cookie, session, httponly=True, samesite="strict", path="/")

    def may_log_in(self, request: Request) -> bool:
        """Whether another password may be tried from where a request comes from."""
        client = request.client.host if request.client else "?"
        return self.logins.allows(client) and self.all_logins.allows("all")

    async def check(self, request: Request, call_next: Next) -> Response:
        """Answer a request, or refuse it."""
        response = self._refusal(request) or self._welcome(request) or await call_next(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host", "").lower() not in self.hosts:
            return PlainTextResponse("This is not an address of the review page.", 421)
        return None if request.method in ("GET", "HEAD") else self._refusal_of_sent(request)

    def _refusal_of_sent(self, request: Request) -> Response | None:
        if request.method != "POST":
            return PlainTextResponse("GET or POST", 405)
        origin = urlsplit(request.headers.get("origin", ""))
        if origin.scheme not in ("http", "https") or origin.netloc.lower() != request.headers["host"].lower():
            return PlainTextResponse("Sent from another site.", 403)
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            return PlainTextResponse("At most 1 MB can be sent.", 413)
        if not self.posts.allows(request.cookies.get(self.cookie, "")[:64]):
            return PlainTextResponse("Too many requests; try again in a second.", 429, {"Retry-After": "1"})
        return None

    def _welcome(self, request: Request) -> Response | None:
        """The session of a browser that was opened with the token; and no answer to one without any session."""
        given = request.query_params.get("token")
        if request.method == "GET" and given is not None and self.password is None:
            response: Response = RedirectResponse(request.url.path, 303)
            if self.token and hmac.compare_digest(given.encode(), self.token.encode()):
                self.token = ""
                self.begin_session(response, self.annotator)
            elif self.annotator_of(request) is None:
                return PlainTextResponse(
                    "This address was opened already, or is of an earlier start; start `genchi review` again.", 403
                )
            return response
        is_open = request.url.path == "/login" or request.url.path.startswith("/static/")
        if is_open or self.annotator_of(request) is not None:
            return None
        if self.password is not None and request.method == "GET":
            return RedirectResponse("/login", 303)
        return PlainTextResponse("Open the address that `genchi review` printed.", 403)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, urlencoded; the last of a name counts. Raises TooLargeError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise TooLargeError
    text = body.decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}
