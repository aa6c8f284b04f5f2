"""A browser as a device: a page is one more worker.

backends.py   which engine of the page runs a format, and on which back ends
files.py      a job's files as addresses
exchange.py   what passes between the device and its page
server.py     the same over HTTP, on loopback
launch.py     which browser is installed and what it is started with
chromium.py, program.py, manual.py    three ways to bring a browser to the page
device.py     the device
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit_runtimes.devices import Device, DeviceOptions, HostTool, KnownDevice
from edgekit_runtimes.devices.browser import launch
from edgekit_runtimes.devices.browser.backends import BACKENDS
from edgekit_runtimes.errors import UsageError

WORD = "browser"
HELP = (
    f"{', '.join(f'browser:{name}' for name in BACKENDS)}, or browser for the back end that each "
    "engine takes by default"
)
TOOLS = {
    "chromium": HostTool(launch.CHROMIUMS, "--version", "browser devices", launch.INSTALL_CHROMIUM),
    "firefox": HostTool(
        launch.FIREFOXES,
        "--version",
        "browser devices with --browser",
        "apt-get install firefox-esr",
    ),
}


def open_device(spec: str, options: DeviceOptions) -> Device:
    """Return the browser that the words and the options name. Raises UsageError."""
    from edgekit_runtimes.devices.browser.device import Browser
    from edgekit_runtimes.devices.process import SILENCE_LIMIT_S

    return Browser(spec, options.browser, options.silence_limit_s or SILENCE_LIMIT_S)


def known_devices() -> Iterator[KnownDevice]:
    """Return whether the pages are built, and there is a browser to start or to open."""
    from edgekit_runtimes.devices.browser.device import NOBODY, check_pages

    spec = f"{WORD}[:{'|'.join(BACKENDS)}]"
    try:
        check_pages()
        launch.check_playwright()
        first = launch.find_chromium()
    except UsageError as error:
        yield KnownDevice(spec, False, str(error))
        return
    found = (*launch.installed(launch.CHROMIUMS), *launch.installed(launch.FIREFOXES))
    ways = [f"--browser {path}" for path in (*(path for path in found if path != first), NOBODY)]
    yield KnownDevice(spec, True, f"{first}; also with {' or '.join(ways)}")
