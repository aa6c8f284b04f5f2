"""The devices that can be used from here, and why the others cannot."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from edgekit_runtimes.devices.board import BOARDS
from edgekit_runtimes.devices.board.cache import find_userland
from edgekit_runtimes.devices.board.guest import check_qemu
from edgekit_runtimes.devices.browser.backends import BACKENDS
from edgekit_runtimes.devices.browser.device import NOBODY, check_pages
from edgekit_runtimes.devices.browser.launch import (
    CHROMIUMS,
    FIREFOXES,
    check_playwright,
    find_chromium,
    installed,
)
from edgekit_runtimes.devices.ssh.address import FORM
from edgekit_runtimes.engines import ENGINES, Engine, load_engine, root_module
from edgekit_runtimes.errors import UsageError


@dataclass(frozen=True)
class KnownDevice:
    """A device, as --on wants it, and whether it can be used from here.

    detail: what is on it, or why it cannot be used and what to do.
    """

    spec: str
    usable: bool
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def known_devices() -> list[KnownDevice]:
    """Return all kinds of devices, this machine first."""
    return [_host(), *_boards(), _ssh(), _browsers()]


def _host() -> KnownDevice:
    engines = [load_engine(module) for modules in ENGINES.values() for module in modules]
    found = [engine for engine in engines if importlib.util.find_spec(root_module(engine))]
    missing = [engine.PACKAGE for engine in engines if engine not in found]
    parts = [f"{engine.NAME} {_version(engine)}" for engine in found]
    if missing:
        parts.append(f"not installed: {', '.join(missing)}")
    return KnownDevice("host", bool(found), "; ".join(parts))


def _version(engine: Engine) -> str:
    try:
        return engine.version()
    except metadata.PackageNotFoundError:
        return "of an unknown version"


def _boards() -> Iterator[KnownDevice]:
    reason = _why_no_boards()
    for board in BOARDS.values():
        title = f"{board.title} ({board.cpu}), emulated; counts instructions"
        yield KnownDevice(f"board:{board.name}", reason is None, reason or title)


def _why_no_boards() -> str | None:
    """Return what is missing; all boards share one userland."""
    try:
        check_qemu()
    except UsageError as error:
        return str(error)
    state = find_userland()
    if state.userland is None:
        return f"{state.reason}. Build all boards with: edgekit board build pi5"
    return None


def _ssh() -> KnownDevice:
    if shutil.which("ssh") is None:
        reason = "ssh was not found. Install it with: apt-get install openssh-client"
        return KnownDevice(FORM, False, reason)
    return KnownDevice(FORM, True, "any 64-bit Linux with Python 3.11 to 3.13, numpy and an engine")


def _browsers() -> KnownDevice:
    """Return whether browser devices can be used: the page, and a browser to start or to open."""
    spec = f"browser[:{'|'.join(BACKENDS)}]"
    try:
        check_pages()
        check_playwright()
        first = find_chromium()
    except UsageError as error:
        return KnownDevice(spec, False, str(error))
    others = [path for path in (*installed(CHROMIUMS), *installed(FIREFOXES)) if path != first]
    ways = [f"--browser {path}" for path in (*others, NOBODY)]
    return KnownDevice(spec, True, f"{first}; also with {' or '.join(ways)}")
