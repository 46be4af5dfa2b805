"""A store that answers as Google Cloud Storage's XML API is documented to, as far as obstore asks it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from flows.lake.store_addresses import Storage
from tests.serving import Quiet, serving

TOKEN = "ya29-a-bearer-token"


@dataclass
class Stored:
    content: bytes
    generation: int
    modified: datetime

    @property
    def headers(self) -> dict[str, str]:
        return {
            "ETag": f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"',
            "Last-Modified": format_datetime(self.modified, usegmt=True),
            "x-goog-generation": str(self.generation),
        }


@dataclass
class Store:
    """The objects of the bucket `genchi`, and the requests so far."""

    storage: Storage = field(default_factory=Storage)
    objects: dict[str, Stored] = field(default_factory=dict)
    generations: int = 1000
    asked: list[tuple[str, str]] = field(default_factory=list)
    page_size: int = 1000

    def put(self, key: str, content: bytes) -> Stored:
        self.generations += 1
        self.objects[key] = Stored(content, self.generations, datetime.now(UTC).replace(microsecond=0))
        return self.objects[key]


@contextmanager
def google_store() -> Iterator[Store]:
    """It on loopback, and how it is reached."""
    store = Store()

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _asked(self) -> tuple[str, dict[str, list[str]]] | None:
            """The key and the query; None where the request is answered already."""
            parts = urlsplit(self.path)
            bucket, _, key = unquote(parts.path).removeprefix("/").partition("/")
            store.asked.append((self.command, key))
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._answer(403)
            elif bucket != "genchi":
                self._answer(404)
            else:
                return key, parse_qs(parts.query, keep_blank_values=True)
            return None

        def do_GET(self) -> None:
            asked = self._asked()
            if asked is None:
                return
            key, query = asked
            if not key:
                self._list(query)
            elif key not in store.objects:
                self._answer(404)
            elif self.headers["If-Match"] not in (None, store.objects[key].headers["ETag"]):
                self._answer(412)
            else:
                one = store.objects[key]
                content, headers, code = one.content, one.headers, 200
                if self.headers["Range"]:
                    first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                    last_byte = min(int(last), len(content) - 1)
                    headers["Content-Range"] = f"bytes {first}-{last_byte}/{len(content)}"
                    content, code = content[int(first) : last_byte + 1], 206
                if self.command == "HEAD":
                    headers["Content-Length"] = str(len(content))
                self._answer(code, headers, content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _list(self, query: dict[str, list[str]]) -> None:
            prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
            keys = sorted(key for key in store.objects if key.startswith(prefix) and key > after)
            page = keys[: store.page_size]
            entries = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(store.objects[key].content)}</Size>"
                f"<LastModified>{store.objects[key].modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
                f"<ETag>{escape(store.objects[key].headers['ETag'])}</ETag></Contents>"
                for key in page
            )
            more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if page != keys else ""
            truncated = "true" if page != keys else "false"
            xml = f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{entries}</ListBucketResult>"
            self._answer(200, {"Content-Type": "application/xml"}, xml.encode())

        def do_PUT(self) -> None:
            asked = self._asked()
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if asked is None:
                return
            key, _ = asked
            known = store.objects.get(key)
            condition = self.headers["x-goog-if-generation-match"]
            if condition is not None and int(condition) != (known.generation if known else 0):
                self._answer(412)
                return
            if source := self.headers["x-goog-copy-source"]:
                content = store.objects[unquote(source).removeprefix("/").partition("/")[2]].content
            self._answer(200, store.put(key, content).headers)

        def do_DELETE(self) -> None:
            asked = self._asked()
            if asked is not None:
                self._answer(204 if store.objects.pop(asked[0], None) else 404)

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        store.storage = Storage(token=TOKEN, endpoint_url=f"http://127.0.0.1:{server.server_address[1]}")
        yield store
