"""Serving a site on this machine, with the headers that let its pages use threads."""

from __future__ import annotations

import contextlib
import socketserver
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edgekit_runtimes.errors import UsageError

# Threads of WebAssembly share memory, which browsers allow to pages that are cut off from others.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A site that was written anew is seen at the next look; what did not change is not sent again.
    "Cache-Control": "no-cache",
}
LOOPBACK = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: browsers drop connections as they like."""


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Machines differ in their lists of types; with a wrong one, browsers run neither of these.
    extensions_map = {  # noqa: RUF012 (the base class has it so)
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    def end_headers(self) -> None:
        """Add our headers."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's word)
        """Stay quiet."""


def serve_site(folder: Path, port: int, started: Callable[[str], None]) -> None:
    """Serve a folder on loopback until Ctrl-C; `started` gets the address.

    port: 0 takes any free one. Raises UsageError where it is taken.
    """
    handler = partial(_Handler, directory=str(folder))
    try:
        server = _Server((LOOPBACK, port), handler)
    except OSError as error:
        raise UsageError(
            f"Port {port} of this machine cannot be used ({error.strerror}). "
            "Choose another with --port, or any free one with --port 0."
        ) from error
    with server:
        started(f"http://localhost:{server.server_port}/")
        # Ctrl-C is how this ends, and no interruption of any work.
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
