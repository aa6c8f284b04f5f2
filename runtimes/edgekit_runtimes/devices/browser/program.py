"""A browser that the user names: started with the page's address and its own profile.

Nothing drives it. It is started once; the page reloads itself for each job.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

from edgekit_runtimes.devices.browser.launch import (
    BrowserKind,
    browser_environment,
    flag_sets,
    has_display,
    identify,
    is_root,
    new_folder,
)
from edgekit_runtimes.devices.browser.opener import ReportEnd
from edgekit_runtimes.devices.process import LastLines, describe_death, open_pipe
from edgekit_runtimes.errors import DeviceError, map_exceptions
from edgekit_runtimes.protocol.job import Event

# Firefox writes its profile to disk when it is asked to end; longer is a hang.
END_LIMIT_S = 5.0

# Nothing is asked, offered, fetched or resumed, a script may take its time, and WebGL runs on
# software renderers too.
FIREFOX_PREFERENCES: dict[str, bool | int | str] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.discovery.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.sessionstore.resume_from_crash": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.warnOnClose": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.max_script_run_time": 0,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "startup.homepage_welcome_url": "",
    "toolkit.startup.max_resumed_crashes": -1,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "webgl.force-enabled": True,
}


class Program:
    """The browser at `path`: Firefox, or one based on Chromium.

    Its compiled shaders stay for all jobs, so that of two models the second one's first run may be
    the shorter. Raises UsageError if the path is not such a browser.
    """

    def __init__(self, path: str, backend: str | None) -> None:
        self._path, self._kind = identify(path)
        self._backend = backend
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: LastLines | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._report: ReportEnd = lambda reason: None

    @property
    def lines(self) -> list[str]:
        """What the browser printed last."""
        return self._stderr.lines if self._stderr else []

    def open(self, url: str, is_timing: bool, ended: ReportEnd) -> None:
        """Start the browser if it is not running already. Raises DeviceError."""
        self._report = ended
        if self._process and self._process.poll() is None:
            return
        self.close()
        self._folder = new_folder()
        folder = Path(self._folder.name)
        command = browser_command(self._path, self._kind, self._backend, folder, url)
        with map_exceptions(f"{self._path} does not start", DeviceError, OSError):
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=browser_environment(folder, folder / "shaders"),
                # Its children are in its group, and a Ctrl-C is edgekit's.
                start_new_session=True,
            )
        self._stderr = LastLines(open_pipe(self._process.stderr))
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()

    def suits(self, environment: Event) -> bool:
        """Return True: the browser is as the user has it."""
        return True

    def leave(self, is_done: bool) -> None:
        """End the browser if its page is not done: the next job gets a new one."""
        self._report = lambda reason: None
        if not is_done:
            self.close()

    def close(self) -> None:
        """End the browser and remove its profile."""
        process, self._process = self._process, None
        if process:
            # The program that was started may be gone while its children are not.
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_LIMIT_S)
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
            if self._stderr:
                self._stderr.wait()
            open_pipe(process.stderr).close()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if process is self._process:
            # Browsers print warnings all the time: the last one explains nothing.
            died = describe_death(code, ()).replace("interpreter", "browser")
            self._report(died if code else "the browser was closed")


def browser_command(
    path: str, kind: BrowserKind, backend: str | None, folder: Path, url: str
) -> list[str]:
    """Return the command that opens the page in a browser whose profile is below `folder`.

    Firefox's preferences are written into it.
    """
    profile = folder / "profile"
    profile.mkdir()
    headless = [] if has_display() else ["--headless"]
    if kind == "firefox":
        preferences = {**FIREFOX_PREFERENCES, "dom.webgpu.enabled": backend == "webgpu"}
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in preferences.items()
        ]
        (profile / "user.js").write_text("".join(lines))
        return [path, "-no-remote", "-profile", str(profile), *headless, url]
    sandbox = ["--no-sandbox"] if is_root() else []
    # It is not started again with other flags: this is the adapter that always exists.
    flags = flag_sets(backend)[-1 if backend == "webgpu" else 0]
    return [path, f"--user-data-dir={profile}", *flags, *sandbox, *headless, url]


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
