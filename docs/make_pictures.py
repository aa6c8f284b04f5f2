"""Write docs/demo.png, the README's picture of the demo page.

    python docs/make_pictures.py digits.edgekit              (a bundle of examples/digits)
    python docs/make_pictures.py digits.edgekit --all DIR    1280 and 360 px, light and dark, too

Needs Chromium, Playwright and Pillow: `pip install 'edgekit[all]'`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from edgekit_runtimes.devices.browser.launch import find_chromium, flag_sets

TARGET = Path(__file__).parent / "demo.png"
# Every clone and every reader of the README downloads it.
MOST_BYTES = 150_000
COLOURS = 64

PATIENCE_MS = 120_000
WIDE, NARROW = (1280, 1240), (360, 800)
# A seven, in shares of the pad.
SEVEN = ((0.24, 0.24), (0.5, 0.22), (0.74, 0.23), (0.58, 0.5), (0.45, 0.84))


@contextlib.contextmanager
def served(bundle: Path) -> Iterator[str]:
    """Serve the demo of a bundle; yield its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "edgekit", "demo", str(bundle), "-o", f"{folder}/site"]
        process = subprocess.Popen(
            [*command, "--serve", "--port", "0"], stderr=subprocess.PIPE, text=True
        )
        try:
            line = process.stderr.readline() if process.stderr else ""
            if not line.startswith("http"):
                raise SystemExit(line or "edgekit demo did not start")
            yield line.split()[0]
        finally:
            process.terminate()
            process.wait()


def picture(browser: Any, url: str, size: tuple[int, int], scheme: str, is_whole: bool) -> bytes:
    """Return a screenshot, PNG, of the page with a digit drawn into it."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.locator("#race-note", has_text="A short race of").wait_for(timeout=PATIENCE_MS)
    box = page.locator(".pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=10)
    page.mouse.up()
    page.mouse.move(0, 0)
    page.locator("#answer strong", has_text="7").wait_for(timeout=PATIENCE_MS)
    # The bars move for a moment.
    page.wait_for_timeout(500)
    image: bytes = page.screenshot(full_page=is_whole)
    context.close()
    return image


def small(image: bytes) -> bytes:
    """Return a PNG with few colours: the page has no more."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(image)) as opened:
        opened.convert("RGB").quantize(COLOURS).save(buffer, "PNG", optimize=True)
    if len(buffer.getvalue()) > MOST_BYTES:
        raise SystemExit(f"the picture has {len(buffer.getvalue())} bytes, over {MOST_BYTES}")
    return buffer.getvalue()


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--all", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with served(arguments.bundle) as url, sync_playwright() as playwright:
        flags = [*flag_sets("webgl")[0], "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        TARGET.write_bytes(small(picture(browser, url, WIDE, "light", is_whole=False)))
        print(f"wrote {TARGET}, {TARGET.stat().st_size} bytes")
        for size in (WIDE, NARROW) if arguments.all else ():
            for scheme in ("light", "dark"):
                path = arguments.all / f"demo-{size[0]}-{scheme}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(picture(browser, url, size, scheme, is_whole=True))
                print(f"wrote {path}")
        browser.close()


if __name__ == "__main__":
    main()
