"""The installed Chromium, driven by Playwright: a separate browser process for each job.

Starting one takes half a second and makes a page in which nothing was loaded or compiled before.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from edgekit_runtimes.devices.browser.launch import (
    browser_environment,
    check_playwright,
    find_chromium,
    flag_sets,
    is_root,
    new_folder,
)
from edgekit_runtimes.devices.browser.opener import ReportEnd
from edgekit_runtimes.errors import DeviceError, first_line
from edgekit_runtimes.protocol.job import Event

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Playwright

# A cold start from a slow disk on a busy machine.
START_LIMIT_S = 60.0
# A browser closes in a tenth of a second.
CLOSE_LIMIT_S = 5.0

PROFILE = "profile"

CONSOLE_LINES = 20
# The lines of the console that may explain why it ended.
CONSOLE_KINDS = ("error", "warning")

CRASHED = "the page crashed; often memory had run out"
ENDED = "the browser ended"

Result = TypeVar("Result")


class Chromium:
    """Chromium by Playwright.

    A job that measures nothing, and whose first run is reported, has an empty cache of shaders,
    so that first runs can be compared. Those that measure share one.

    Raises MissingExtraError without Playwright, UsageError without Chromium.
    """

    def __init__(self, backend: str | None) -> None:
        check_playwright()
        self._executable = find_chromium()
        self._backend = backend
        self._flags = flag_sets(backend)
        self._lines: deque[str] = deque(maxlen=CONSOLE_LINES)
        self._thread: _LoopThread | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._job_folder: Path | None = None
        self._playwright: Playwright | None = None
        self._context: BrowserContext | None = None

    @property
    def lines(self) -> list[str]:
        """What the page's console printed last."""
        return list(self._lines)

    def open(self, url: str, is_timing: bool, ended: ReportEnd) -> None:
        """Start a browser with one page. Raises DeviceError."""
        self._lines.clear()
        self._thread = self._thread or _LoopThread()
        if self._folder is None:
            self._folder = new_folder()
        try:
            self._thread.run(self._open(url, is_timing, ended), START_LIMIT_S)
        except Exception as error:
            reason = _reason(error)
            raise DeviceError(f"{self._executable} does not start: {reason}") from error

    def suits(self, environment: Event) -> bool:
        """Return whether the page has what the job draws with, or no flags are left to try."""
        needed = "webgpu" if self._backend == "webgpu" else "renderer"
        # If the job draws nothing, the page does not say what it draws with.
        if environment.get(needed, True) or len(self._flags) == 1:
            return True
        self._flags.pop(0)
        return False

    def leave(self, is_done: bool) -> None:
        """End the browser and remove its profile.

        It is killed: it may hang, and otherwise would put its profile in order first. Where
        something went wrong, that may have been Playwright's own process: the next job has a new
        one.
        """
        self._kill()
        context, self._context = self._context, None
        if context and self._thread:
            # A process that died has nothing left to close.
            with contextlib.suppress(Exception):
                self._thread.run(context.close(), CLOSE_LIMIT_S)
        if self._job_folder:
            shutil.rmtree(self._job_folder, ignore_errors=True)
            self._job_folder = None
        if not is_done:
            self._stop_playwright()

    def close(self) -> None:
        """End the browser and Playwright, and remove their files."""
        self.leave(is_done=False)
        if self._thread:
            self._thread.stop()
            self._thread = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _kill(self) -> None:
        """Kill the browser and all its processes, which are a group."""
        if self._job_folder:
            with contextlib.suppress(OSError, ValueError):
                # A link to HOST-PID.
                owner = (self._job_folder / PROFILE / "SingletonLock").readlink().name
                os.killpg(int(owner.rpartition("-")[2]), signal.SIGKILL)

    def _stop_playwright(self) -> None:
        """End Playwright's own process, and with it any browser that it has started."""
        playwright, self._playwright = self._playwright, None
        if playwright and self._thread:
            with contextlib.suppress(Exception):
                self._thread.run(playwright.stop(), CLOSE_LIMIT_S)

    async def _open(self, url: str, is_timing: bool, ended: ReportEnd) -> None:
        from playwright.async_api import async_playwright

        if self._playwright is None:
            self._playwright = await async_playwright().start()
        folder = self._new_folder()
        shaders = (folder.parent if is_timing else folder) / "shaders"
        shaders.mkdir(exist_ok=True)
        context = await self._playwright.chromium.launch_persistent_context(
            folder / PROFILE,
            executable_path=self._executable,
            artifacts_dir=folder / "artifacts",
            args=self._flags[0],
            chromium_sandbox=not is_root(),
            env={**browser_environment(folder, shaders)},
        )
        self._context = context
        page = context.pages[0] if context.pages else await context.new_page()
        context.on("close", lambda _: ended(ENDED))
        page.on("crash", lambda _: ended(CRASHED))
        page.on("console", self._keep)
        page.on("pageerror", lambda error: self._lines.append(str(error)))
        await page.goto(url, wait_until="commit")

    def _keep(self, message: ConsoleMessage) -> None:
        if message.type in CONSOLE_KINDS:
            self._lines.append(message.text)

    def _new_folder(self) -> Path:
        if self._folder is None:
            raise DeviceError("The browser was closed.")
        self._job_folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        return self._job_folder


class _LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # If Ctrl-C reaches Playwright's process too, what it does not say does not matter.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        self._loop.run_forever()

    def run(self, work: Coroutine[Any, Any, Result], limit_s: float) -> Result:
        """Return what the coroutine returns. Raises TimeoutError, and what it raises."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(limit_s)
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_LIMIT_S)
        if not self._thread.is_alive():
            self._loop.close()


def _reason(error: Exception) -> str:
    """Return what a browser said when it ended at once, or else what Playwright says."""
    if isinstance(error, TimeoutError):
        return f"it did not start within {START_LIMIT_S:g} s"
    said = re.findall(r"\[err\] (.*)", str(error))
    return said[-1] if said else first_line(error)
