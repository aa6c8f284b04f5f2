"""A small HTTP server on loopback, with one set of rules for all that serve pages from here.

It answers only requests that name this machine (a foreign page may make its own name point to
127.0.0.1), hands out plain files below one folder (no links that lead out of it, no listings), and
isolates its pages from other origins (COOP, COEP), which gives them WebAssembly threads and a clock
of 5 us instead of 100.
"""

from __future__ import annotations

import contextlib
import email.utils
import shutil
import socket
import socketserver
import sys
import threading
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from edgekit_runtimes.formats import BINARY, FORMATS

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")

# How soon a server notices that it should end.
SHUTDOWN_S = 0.1

# A page asks within milliseconds of connecting, and takes what it asked for; between two requests
# a browser opens a new connection where the old one is gone.
SILENCE_LIMIT_S = 30.0
# A browser opens six to one server, and a page here three more. Each is a thread.
MOST_CONNECTIONS = 64

# Modules do not run, and WASM is not compiled while it downloads, under another type; machines
# differ in their own lists.
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
    **{suffix: word for kind in FORMATS.values() for suffix, word in kind.media_types.items()},
}
OTHER_TYPE = BINARY

ISOLATION = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class LocalServer(ThreadingHTTPServer):
    """Serves on loopback until it is shut down. port: 0 takes any free one.

    Raises OSError if the port is taken.
    """

    daemon_threads = True
    # Connections that wait to be accepted: a page opens several at once.
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, handler: type[LocalHandler], port: int = 0) -> None:
        super().__init__((LOOPBACK, port), handler)
        # All connections; whether each waits for a request. The one that waits longest is first.
        self._waiting: dict[socket.socket, bool] = {}
        self._lock = threading.Lock()
        self.hosts = {f"{name}:{self.server_port}" for name in NAMES}

    def server_bind(self) -> None:
        """Bind, and name this machine without asking."""
        # HTTPServer's own asks the resolver for this machine's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def serve(self) -> None:
        """Answer requests until `shutdown` is called; a connection that drops ends only itself."""
        self.serve_forever(SHUTDOWN_S)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread.

        Where there are too many, the one that has waited longest is closed for it; where none
        waits, it is closed itself.
        """
        with self._lock:
            too_many = len(self._waiting) >= MOST_CONNECTIONS
            idle = next((one for one, waits in self._waiting.items() if waits), None)
            is_taken = not too_many or idle is not None
            if too_many and idle is not None:
                del self._waiting[idle]
                with contextlib.suppress(OSError):
                    # Its thread ends by that.
                    idle.shutdown(socket.SHUT_RDWR)
            if is_taken:
                self._waiting[request] = True
        if is_taken:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._waiting.pop(request, None)
        super().shutdown_request(request)

    def note(self, connection: socket.socket, is_waiting: bool) -> None:
        """Note whether a connection waits for a request or is answered."""
        with self._lock:
            if self._waiting.pop(connection, None) is not None:
                self._waiting[connection] = is_waiting

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing if a browser drops its connections, as browsers do."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class LocalHandler(BaseHTTPRequestHandler):
    """What the handlers of such servers have in common.

    headers_of_all: sent with every answer.
    """

    server: LocalServer
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; the second would wait for the first one's acknowledgement.
    disable_nagle_algorithm = True
    headers_of_all: ClassVar[Mapping[str, str]] = ISOLATION
    # Of each read and write of the connection, by the base class.
    timeout = SILENCE_LIMIT_S

    def handle_one_request(self) -> None:
        """Wait for a request and answer it."""
        self.server.note(self.connection, is_waiting=True)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the headers of a request."""
        is_fine = super().parse_request()
        self.server.note(self.connection, is_waiting=False)
        return is_fine

    def log_message(self, format: str, *words: Any) -> None:  # noqa: A002 (the base class's word)
        """Say nothing: stderr is for the user."""

    def is_ours(self) -> bool:
        """Return whether a request names this machine, and comes from no page of another origin."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        return host in self.server.hosts and origin in (None, f"http://{host}")

    def send_file(self, path: Path | None, changed: bool = False) -> None:
        """Answer with a file, or 404 if there is none.

        changed: whether the file's age is sent, so that what did not change is not sent again.
        """
        if path is None or not path.is_file():
            self.answer(HTTPStatus.NOT_FOUND)
            return
        facts = path.stat()
        headers = {
            "Content-Type": TYPES.get(path.suffix, OTHER_TYPE),
            "Content-Length": str(facts.st_size),
        }
        if changed:
            # HTTP's dates lack fractions of a second.
            headers["Last-Modified"] = date = email.utils.formatdate(facts.st_mtime, usegmt=True)
            if self.headers.get("If-Modified-Since") == date:
                self.begin(HTTPStatus.NOT_MODIFIED, {"Last-Modified": date})
                return
        self.begin(HTTPStatus.OK, headers)
        if self.command != "HEAD":
            with path.open("rb") as file:
                shutil.copyfileobj(file, self.wfile)

    def answer(self, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain") -> None:
        """Send a whole answer."""
        length = {} if status == HTTPStatus.NO_CONTENT else {"Content-Length": str(len(body))}
        self.begin(status, {"Content-Type": kind, **length})
        self.wfile.write(body)

    def begin(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        """Send the status and the headers."""
        self.send_response(status)
        for name, value in {**headers, **self.headers_of_all}.items():
            self.send_header(name, value)
        self.end_headers()


def file_below(folder: Path, quoted: str) -> Path | None:
    """Return the file at a quoted path below a folder; None if there is none, or it is outside."""
    with contextlib.suppress(ValueError, OSError):
        path = (folder / urllib.parse.unquote(quoted)).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            return path
    return None
