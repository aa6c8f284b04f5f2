"""The server that a page has its job from: HTTP on loopback, with a token that only we know.

    GET  /TOKEN/                  the runner page
    GET  /TOKEN/…                 a file of the pages
    GET  /TOKEN/job               200: a job; 204: none yet, ask again; 410: there are no more
    GET  /TOKEN/alive/N           open as long as job N runs: it closes where the page ends before
    GET  /TOKEN/files/N/NAME      an artifact or samples of job N
    POST /TOKEN/events/N          a JSON array of events of job N, in their order
                                  204: taken; 410: job N is no longer wanted

The headers isolate the page from other origins (COOP, COEP), which gives it WASM threads and a
clock of 5 us instead of 100.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import re
import secrets
import select
import shutil
import socket
import socketserver
import sys
import threading
import time
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edgekit_runtimes.devices.browser.exchange import Exchange, Finished, Gone
from edgekit_runtimes.devices.browser.files import FILES
from edgekit_runtimes.devices.process import block_sigpipe
from edgekit_runtimes.protocol.job import Event

LOOPBACK = "127.0.0.1"
RUNNER_PAGE = "runner.html"

# A page asks again after so long. Proxies and browsers give up on an answer after a minute or more.
POLL_S = 20.0
# While a job runs, so often something goes over its open connection: Firefox gives up after 300 s.
ALIVE_S = 10.0
# How long such a connection may outlast its job.
LOOK_S = 1.0
# A page that is told that all is finished is on this machine.
FINISH_S = 2.0
# How soon the server notices that it shall end.
SHUTDOWN_S = 0.1
# The outputs of a few samples in base64; workers send about 1 MB at a time.
LARGEST_POST_BYTES = 512 * 2**20

# Modules do not run, and WASM is not compiled while it downloads, under another type.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
OTHER_TYPE = "application/octet-stream"

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

PAGE_IS_GONE = "the page was closed, was reloaded, or crashed"


class PageServer:
    """Serves the pages in a folder and one job at a time, until it is closed.

    url: the runner page's address; who does not know it gets nothing.
    """

    def __init__(self, pages: Path) -> None:
        self.exchange = Exchange()
        self._server = _Server(pages.resolve(), self.exchange)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}/{self._server.token}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell the page that all is finished, and end."""
        self.exchange.finish(FINISH_S)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self) -> None:
        block_sigpipe()
        self._server.serve_forever(SHUTDOWN_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, pages: Path, exchange: Exchange) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.pages = pages
        self.exchange = exchange
        self.token = secrets.token_urlsafe(16)
        # A foreign page that has a name of its own point to 127.0.0.1 says that name here.
        self.hosts = {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a browser that ends drops its connections."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; the second would wait for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        rest = self._rest()
        if rest is None:
            self._answer(HTTPStatus.NOT_FOUND)
        elif rest == "job":
            self._give_job()
        elif match := re.fullmatch(r"alive/(\d+)", rest):
            self._stay_open(int(match[1]))
        elif match := re.fullmatch(rf"{FILES}/(\d+)/(.+)", rest):
            offer = self.server.exchange.running(int(match[1]))
            self._send_file(offer.files.at(match[2]) if offer else None)
        else:
            self._send_file(self._page_file(rest or RUNNER_PAGE))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_POST_BYTES:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        match = re.fullmatch(r"events/(\d+)", self._rest() or "")
        events = _events(body)
        if match is None:
            self._answer(HTTPStatus.NOT_FOUND)
        elif events is None:
            self._answer(HTTPStatus.BAD_REQUEST)
        elif self.server.exchange.say(int(match[1]), events):
            self._answer(HTTPStatus.NO_CONTENT)
        else:
            self._answer(HTTPStatus.GONE)

    def log_message(self, format: str, *words: Any) -> None:  # noqa: A002 (the base class's word)
        """Say nothing: stderr is for the user."""

    def _rest(self) -> str | None:
        """Return what stands behind the token, still quoted; None for whoever does not know it."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        token, slash, rest = urllib.parse.urlsplit(self.path).path[1:].partition("/")
        is_ours = host in self.server.hosts and origin in (None, f"http://{host}")
        knows = hmac.compare_digest(token.encode(), self.server.token.encode())
        return rest if is_ours and knows and slash else None

    def _give_job(self) -> None:
        exchange = self.server.exchange
        with exchange.polled():
            try:
                offer = exchange.take(POLL_S, self._is_closed)
            except Finished:
                self._answer(HTTPStatus.GONE)
                return
            if offer is None:
                self._answer(HTTPStatus.NO_CONTENT)
                return
            form = {"number": offer.number, "job": json.loads(offer.files.job.to_json())}
            self._answer(HTTPStatus.OK, json.dumps(form).encode(), TYPES[".json"])

    def _stay_open(self, number: int) -> None:
        offer = self.server.exchange.running(number)
        if offer is None:
            self._answer(HTTPStatus.GONE)
            return
        self.close_connection = True
        try:
            self._begin(HTTPStatus.OK, {"Content-Type": "text/plain", "Connection": "close"})
            spoken = time.monotonic()
            while not offer.over:
                if self._is_closed(LOOK_S):
                    raise ConnectionResetError
                if time.monotonic() - spoken >= ALIVE_S:
                    self.wfile.write(b" ")
                    spoken = time.monotonic()
        except OSError:
            offer.inbox.put(Gone(PAGE_IS_GONE, is_certain=False))

    def _is_closed(self, patience_s: float = 0.0) -> bool:
        """Return whether the other end of the connection is gone, or goes within that time."""
        readable, _, _ = select.select([self.connection], [], [], patience_s)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _page_file(self, quoted: str) -> Path | None:
        with contextlib.suppress(ValueError, OSError):
            path = (self.server.pages / urllib.parse.unquote(quoted)).resolve()
            if path.is_relative_to(self.server.pages) and path.is_file():
                return path
        return None

    def _send_file(self, path: Path | None) -> None:
        if path is None or not path.is_file():
            self._answer(HTTPStatus.NOT_FOUND)
            return
        kind = TYPES.get(path.suffix, OTHER_TYPE)
        with path.open("rb") as file:
            size = path.stat().st_size
            self._begin(HTTPStatus.OK, {"Content-Type": kind, "Content-Length": str(size)})
            shutil.copyfileobj(file, self.wfile)

    def _answer(self, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain") -> None:
        length = {} if status == HTTPStatus.NO_CONTENT else {"Content-Length": str(len(body))}
        self._begin(status, {"Content-Type": kind, **length})
        self.wfile.write(body)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, **HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()


def _events(body: bytes) -> list[Event] | None:
    """Return the events in a body, None where it holds something else."""
    try:
        events = json.loads(body)
    except ValueError:
        return None
    if not isinstance(events, list):
        return None
    fine = all(isinstance(event, dict) and isinstance(event.get("event"), str) for event in events)
    return events if fine else None
