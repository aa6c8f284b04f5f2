"""The server that a page has its job from: HTTP on loopback, with a token that only edgekit knows.

GET  /TOKEN/                  the runner page
GET  /TOKEN/…                 a file of the pages
GET  /TOKEN/job               200: a job; 204: none yet, ask again; 410: there are no more
GET  /TOKEN/alive/N           open as long as job N runs: it closes if the page ends before
GET  /TOKEN/files/N/NAME      an artifact or samples of job N
POST /TOKEN/events/N          a JSON array of events of job N, in their order
204: taken; 410: job N is no longer wanted
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import select
import socket
import threading
import time
import urllib.parse
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from edgekit_runtimes.devices.browser.exchange import Exchange, Finished, Gone
from edgekit_runtimes.devices.browser.files import FILES
from edgekit_runtimes.local_server import (
    ISOLATION,
    LOOPBACK,
    TYPES,
    LocalHandler,
    LocalServer,
    file_below,
)
from edgekit_runtimes.protocol.job import Event

RUNNER_PAGE = "runner.html"

# After this long a page asks again. Proxies and browsers give up on an answer after a minute or
# more.
POLL_S = 20.0
# While a job runs, something is sent over its open connection this often: Firefox gives up after
# 300 s.
ALIVE_S = 10.0
# How long such a connection may outlast its job.
LOOK_S = 1.0
# A page that is told that all is finished is on this machine.
FINISH_S = 2.0
# The outputs of a few samples in base64; workers send about 1 MB at a time.
LARGEST_POST_BYTES = 512 * 2**20

PAGE_IS_GONE = "the page was closed, was reloaded, or crashed"


class PageServer:
    """Serves the pages in a folder and one job at a time, until it is closed.

    url: the runner page's address; nothing is served without it.
    """

    def __init__(self, pages: Path) -> None:
        self.exchange = Exchange()
        self._server = _Server(pages.resolve(), self.exchange)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}/{self._server.token}/"
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell the page that all is finished, and end."""
        self.exchange.finish(FINISH_S)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(LocalServer):
    def __init__(self, pages: Path, exchange: Exchange) -> None:
        self.pages = pages
        self.exchange = exchange
        self.token = secrets.token_urlsafe(16)
        super().__init__(_Handler)


class _Handler(LocalHandler):
    server: _Server
    headers_of_all: ClassVar = {
        **ISOLATION,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }

    def do_GET(self) -> None:  # noqa: N802 (the base class's word)
        rest = self._rest()
        if rest is None:
            self.answer(HTTPStatus.NOT_FOUND)
        elif rest == "job":
            self._give_job()
        elif match := re.fullmatch(r"alive/(\d{1,9})", rest):
            self._stay_open(int(match[1]))
        elif match := re.fullmatch(rf"{FILES}/(\d{{1,9}})/(.+)", rest):
            offer = self.server.exchange.running(int(match[1]))
            self.send_file(offer.files.at(match[2]) if offer else None)
        else:
            self.send_file(file_below(self.server.pages, rest or RUNNER_PAGE))

    def do_POST(self) -> None:  # noqa: N802 (the base class's word)
        length = self.headers.get("Content-Length", "")
        match = re.fullmatch(r"events/(\d{1,9})", self._rest() or "")
        is_number = re.fullmatch(r"[0-9]{1,12}", length) is not None
        is_too_large = not is_number or int(length) > LARGEST_POST_BYTES
        if match is None or is_too_large:
            # The body is not read: anyone may have sent it, and it may have any size.
            self.close_connection = True
            too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            self.answer(HTTPStatus.NOT_FOUND if match is None else too_large)
            return
        events = _events(self.rfile.read(int(length)))
        if events is None:
            self.answer(HTTPStatus.BAD_REQUEST)
        elif self.server.exchange.say(int(match[1]), events):
            self.answer(HTTPStatus.NO_CONTENT)
        else:
            self.answer(HTTPStatus.GONE)

    def _rest(self) -> str | None:
        """Return what follows the token, still quoted; None if the token is wrong."""
        token, slash, rest = urllib.parse.urlsplit(self.path).path[1:].partition("/")
        knows = hmac.compare_digest(token.encode(), self.server.token.encode())
        return rest if self.is_ours() and knows and slash else None

    def _give_job(self) -> None:
        exchange = self.server.exchange
        with exchange.polled():
            try:
                offer = exchange.take(POLL_S, self._is_closed)
            except Finished:
                self.answer(HTTPStatus.GONE)
                return
            if offer is None:
                self.answer(HTTPStatus.NO_CONTENT)
                return
            form = {"number": offer.number, "job": json.loads(offer.files.job.to_json())}
            self.answer(HTTPStatus.OK, json.dumps(form).encode(), TYPES[".json"])

    def _stay_open(self, number: int) -> None:
        offer = self.server.exchange.running(number)
        if offer is None:
            self.answer(HTTPStatus.GONE)
            return
        self.close_connection = True
        try:
            self.begin(HTTPStatus.OK, {"Content-Type": "text/plain", "Connection": "close"})
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
        """Return whether the other end of the connection is gone, or closes within that time."""
        readable, _, _ = select.select([self.connection], [], [], patience_s)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)


def _events(body: bytes) -> list[Event] | None:
    """Return the events in a body, None if it holds something else."""
    try:
        events = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(events, list):
        return None
    fine = all(isinstance(event, dict) and isinstance(event.get("event"), str) for event in events)
    return events if fine else None
