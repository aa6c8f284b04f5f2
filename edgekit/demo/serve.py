"""Serving a site on this machine, with the headers that let its pages use threads."""

from __future__ import annotations

import contextlib
import urllib.parse
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.local_server import ISOLATION, LocalHandler, LocalServer, file_below

INDEX = "index.html"


class _Server(LocalServer):
    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        super().__init__(_Handler, port)


class _Handler(LocalHandler):
    server: _Server
    # A site that was written again shows at the next visit; what did not change is not sent again.
    headers_of_all: ClassVar = {**ISOLATION, "Cache-Control": "no-cache"}

    def do_GET(self) -> None:  # noqa: N802 (the base class's word)
        if not self.is_ours():
            self.answer(HTTPStatus.NOT_FOUND)
            return
        quoted = urllib.parse.urlsplit(self.path).path[1:]
        if not quoted or quoted.endswith("/"):
            quoted += INDEX
        self.send_file(file_below(self.server.folder, quoted), changed=True)

    do_HEAD = do_GET  # noqa: N815 (the base class's word)


def serve_site(folder: Path, port: int, started: Callable[[str], None]) -> None:
    """Serve a folder on loopback until Ctrl-C; `started` gets the address.

    port: 0 takes any free one. Raises UsageError if it is taken.
    """
    try:
        server = _Server(folder, port)
    except OSError as error:
        raise UsageError(
            f"Port {port} of this machine cannot be used ({error.strerror}). "
            "Choose another with --port, or any free one with --port 0."
        ) from error
    with server:
        started(f"http://localhost:{server.server_port}/")
        # Ctrl-C is how this ends; it interrupts no work.
        with contextlib.suppress(KeyboardInterrupt):
            server.serve()
