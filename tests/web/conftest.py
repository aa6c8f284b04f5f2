"""A site of the demo, a server for it, and a visitor with a real browser."""

from __future__ import annotations

import functools
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import browsers
import pytest
from conftest import ROOT

from edgekit.bundle.bundle import load_bundle
from edgekit.demo.site import write_site
from edgekit_runtimes.devices.browser.device import PAGES
from edgekit_runtimes.devices.browser.launch import find_chromium, flag_sets

PATIENCE_MS = 60_000
# A name that is not this machine's: to the browser, a page from another one over plain http.
OTHER_MACHINE = "phone.test"
FLAGS = (
    f"--host-resolver-rules=MAP {OTHER_MACHINE} 127.0.0.1",
    "--use-fake-device-for-media-stream",
    "--no-sandbox",
)
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
# What the digits' site holds: enough for every engine, and soon measured.
ARTIFACTS = ("tflite/fp32", "tflite/int8", "tfjs/fp32", "tfjs/int8-weights", "onnx/int8")


@dataclass
class StaticServer:
    """Hands out a folder as `python -m http.server` does, and notes what is asked for and when."""

    folder: Path
    port: int = 0
    asked: list[tuple[float, str]] = field(default_factory=list)

    def url(self, name: str, host: str = "localhost") -> str:
        """Return the address of a site, which is in a sub-folder."""
        return f"http://{host}:{self.port}/hosted/{name}/"

    def place(self, name: str) -> Path:
        return self.folder / "hosted" / name


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticServer]:
    """Serve a folder of sites."""
    static = StaticServer(tmp_path_factory.mktemp("www"))

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            static.asked.append((time.time(), self.path))
            super().do_GET()

        def log_message(self, format: str, *words: Any) -> None:  # noqa: A002 (the base's word)
            """Stay quiet."""

    handler = functools.partial(Handler, directory=str(static.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        static.port = http.server_port
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield static
        http.shutdown()


@pytest.fixture(scope="session")
def put_site(server: StaticServer) -> Callable[[Path, str], Path]:
    """Write the site of a bundle where the server hands it out."""
    assert (PAGES / "demo.html").is_file(), "the pages are not built: make web"

    def put(bundle: Path, name: str) -> Path:
        place = server.place(name)
        place.parent.mkdir(exist_ok=True)
        write_site(load_bundle(bundle), place)
        return place

    return put


@pytest.fixture(scope="session")
def digits_site(digits_with: Callable[..., Path], put_site: Callable[[Path, str], Path]) -> Path:
    """Return the site of the digits net with a few of its artifacts, and with class names."""
    classes = [str(digit) for digit in range(10)]
    return put_site(digits_with(ARTIFACTS, classes=classes), "digits")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Run Playwright, for one file: other files look for the browsers that they started."""
    browsers.need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def launch(playwright: Any) -> Callable[..., Any]:
    """Start the installed Chromium, with WebGL, or with other flags for the graphics."""

    def start(graphics: tuple[str, ...] | None = None) -> Any:
        flags = flag_sets("webgl")[0] if graphics is None else graphics
        return playwright.chromium.launch(executable_path=find_chromium(), args=[*flags, *FLAGS])

    return start


@pytest.fixture(scope="module")
def chromium(launch: Callable[..., Any]) -> Iterator[Any]:
    """Run one Chromium for all tests of a file."""
    browser = launch()
    yield browser
    browser.close()


class Visitor:
    """A page of the demo and what one does with it. complaints: errors in its console."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location['url']}".strip())

    def go(self, url: str) -> None:
        """Open a site and wait for its first prediction."""
        self.page.goto(url)
        self.page.locator("#answer strong", has_text=re.compile("[^–]")).wait_for(
            timeout=PATIENCE_MS
        )

    def settle(self) -> None:
        """Wait until the race that the page begins with is over."""
        self.note("race-note", "A short race of")

    def note(self, element: str, text: str) -> str:
        """Wait until an element says something; return all that it says."""
        found = self.page.locator(f"#{element}", has_text=text)
        found.wait_for(timeout=PATIENCE_MS)
        return str(found.inner_text())

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))

    def answer(self, expected: str, least: float = 0) -> None:
        """Wait for an answer with at least this share, in percent."""

        def is_there() -> bool:
            said, share = self.text("#answer strong"), self.text("#answer span")
            return said == expected and float(share.removesuffix(" %")) >= least

        browsers.wait_for(is_there)

    def axe_faults(self) -> list[str]:
        """Return what axe-core finds serious or critical, with the elements."""
        self.page.evaluate(AXE.read_text())
        return [
            f"{fault['id']}: {node['html']}"
            for fault in self.page.evaluate("axe.run()")["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]

    def draw(self, *points: tuple[float, float]) -> None:
        """Draw a line with the mouse; points are shares of the pad."""
        box = self.page.locator(".pad").bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=8)
        self.page.mouse.up()

    def draw_seven(self) -> None:
        """Draw a seven over a sample of a zero: the sample that a page begins with is a seven."""
        self.page.get_by_label("Sample 5", exact=True).click()
        self.answer("0")
        self.draw((0.25, 0.22), (0.72, 0.24), (0.42, 0.85))


@pytest.fixture
def visitor(chromium: Any) -> Iterator[Callable[..., Visitor]]:
    """Open an empty page, in a separate profile; at the end no console may hold an error."""
    visitors: list[Visitor] = []

    def enter(browser: Any = None, **options: Any) -> Visitor:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        visitors.append(Visitor((browser or chromium).new_context(**options).new_page()))
        return visitors[-1]

    yield enter
    for one in visitors:
        one.page.context.close()
    assert [line for one in visitors for line in one.complaints] == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots are kept: the folder that EDGEKIT_SCREENSHOTS names, if any."""
    folder = Path(os.environ.get("EDGEKIT_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
