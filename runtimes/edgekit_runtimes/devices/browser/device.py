"""A browser as a device: its page fetches jobs and posts events."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from edgekit_runtimes.devices import BaseDevice, EngineChoice
from edgekit_runtimes.devices.browser.backends import BACKENDS, choose_engines
from edgekit_runtimes.devices.browser.chromium import Chromium
from edgekit_runtimes.devices.browser.exchange import Gone, Offer
from edgekit_runtimes.devices.browser.files import JobFiles
from edgekit_runtimes.devices.browser.manual import Manual
from edgekit_runtimes.devices.browser.opener import Opener
from edgekit_runtimes.devices.browser.program import Program
from edgekit_runtimes.devices.browser.server import RUNNER_PAGE, PageServer
from edgekit_runtimes.devices.choices import parse_backend
from edgekit_runtimes.devices.process import SILENCE_LIMIT_S
from edgekit_runtimes.environment import describe_environment
from edgekit_runtimes.errors import ConnectionLostError, UsageError
from edgekit_runtimes.protocol.events import named_last
from edgekit_runtimes.protocol.job import Event, Job

# From the browser's start to the page's first request: a cold start from a slow disk, on a busy
# machine, and a WebGL context on a software renderer.
START_LIMIT_S = 120.0

# How long a browser may take to say why the connection to its page closed.
LAST_WORDS_S = 1.0

# What opens the page in any browser.
NOBODY = "none"

PAGES = Path(__file__).parents[2] / "pages"


class Browser(BaseDevice):
    """The device that "browser[:webgl|wasm|webgpu|cpu]" names: a page of a browser on this machine.

    browser: the path of the browser to start, "none" to wait for a page that the user opens, or
    None for the installed Chromium.

    What other devices call a process is a fresh page here. The installed Chromium is started again
    for each job, which takes half a second; in another browser the page reloads itself.

    Raises UsageError for a wrong word, without the built page or without a browser,
    MissingExtraError without Playwright.
    """

    def __init__(
        self, spec: str, browser: str | None = None, silence_limit_s: float = SILENCE_LIMIT_S
    ) -> None:
        self.name = spec
        self._backend = parse_backend(spec, BACKENDS)
        self._silence_limit_s = silence_limit_s
        self._is_here = browser != NOBODY
        self._opener = _opener(browser, self._backend)
        check_pages()
        self._server: PageServer | None = None

    def engines_for(self, format: str) -> Sequence[EngineChoice]:  # noqa: A002
        """Return the engines of the page for a format, the preferred one first."""
        return choose_engines(format, self._backend)

    def run(self, job: Job) -> Iterator[Event]:
        """Run the job in a fresh page and yield its events.

        A page or a browser that crashes, or falls silent, is one error event with the model that
        was running, and the end; the next job has a new one. Raises DeviceError if no browser
        starts, ConnectionLostError if no page comes.
        """
        while not (yield from self._attempt(job)):
            pass

    def close(self) -> None:
        """Tell the page that all is finished, and end what was started here."""
        if self._server:
            self._server.close()
            self._server = None
        self._opener.close()

    def _attempt(self, job: Job) -> Generator[Event, None, bool]:
        """Run the job in one page; return whether that was a suitable one."""
        server = self._server = self._server or PageServer(PAGES)
        number = server.exchange.next_number()
        offer = Offer(number, JobFiles(number, job))
        is_done = False

        def report_end(reason: str) -> None:
            offer.inbox.put(Gone(reason, is_certain=True))

        try:
            with server.exchange.offered(offer):
                self._opener.open(server.url, job.plan is not None, report_end)
                for event in self._events(offer):
                    if event["event"] == "environment" and not self._opener.suits(event):
                        return False
                    is_done = event["event"] == "done"
                    yield self._finished(event, offer.files)
        finally:
            self._opener.leave(is_done)
        return True

    def _events(self, offer: Offer) -> Iterator[Event]:
        """Yield what the page says, to the end; where it is gone or silent, an error."""
        model: str | None = None
        limit_s = START_LIMIT_S if self._is_here else self._silence_limit_s
        while True:
            try:
                message = offer.inbox.get(timeout=limit_s)
            except queue.Empty:
                if not offer.taken:
                    raise ConnectionLostError(self._no_page(limit_s)) from None
                yield self._error(model, f"no sign of life for {limit_s:g} s: the page was left")
                return
            if isinstance(message, Gone):
                yield self._error(model, self._last_words(offer, message))
                return
            model = named_last(message, model)
            limit_s = self._silence_limit_s
            yield message
            if message["event"] == "done":
                return

    def _last_words(self, offer: Offer, gone: Gone) -> str:
        """Return why the page is gone: what the browser says comes before what we saw."""
        with contextlib.suppress(queue.Empty):
            while not gone.is_certain:
                message = offer.inbox.get(timeout=LAST_WORDS_S)
                gone = message if isinstance(message, Gone) else gone
        return gone.reason

    def _no_page(self, limit_s: float) -> str:
        said = "".join(f" ({line})" for line in self._opener.lines[-1:])
        return f"no page came to ask for its job within {limit_s:g} s{said}"

    def _finished(self, event: Event, files: JobFiles) -> Event:
        if event["event"] == "environment":
            # The user's page may be on another machine: a phone's, through a forwarded port.
            cpu = describe_environment()["cpu"] if self._is_here else None
            facts = {name: value for name, value in event.items() if name != "cpu"}
            return {**facts, **({"cpu": cpu} if cpu else {})}
        if event["event"] == "error":
            message = files.named(event["message"])
            return {**event, "message": message, "stderr": self._opener.lines}
        return event

    def _error(self, model: str | None, message: str) -> Event:
        return {"event": "error", "model": model, "message": message}


def _opener(browser: str | None, backend: str | None) -> Opener:
    if browser is None:
        return Chromium(backend)
    return Manual() if browser == NOBODY else Program(browser, backend)


def check_pages() -> None:
    """Raise UsageError if the pages have not been built."""
    if not (PAGES / RUNNER_PAGE).is_file():
        raise UsageError(
            "The page that browsers run has not been built here. In a checkout of edgekit, build "
            "it with: make web"
        )
