"""Write docs/report.png: a report of the digits example on three devices, as Chromium shows it.

    python docs/make_report_picture.py                       some minutes: converts and measures
    python docs/make_report_picture.py host.json board.json  of these results

Needs edgekit[all], a Chromium and QEMU; the machine should have nothing else to do.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import edgekit
from edgekit.report.files import write_report
from edgekit.report.merge import read_report
from edgekit_runtimes.devices.browser.launch import find_chromium

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "examples" / "digits"
TARGET = ROOT / "docs" / "report.png"
DEVICES = ("host", "board:pi5", "browser:wasm")
WIDTH = 1320
# A report has few colours. With this many a picture takes half the bytes, and marks of few pixels
# keep theirs.
COLOURS = 128


def measure(work: Path) -> list[Path]:
    """Convert and bench the digits example; return the results, one file per device."""
    data = DIGITS / "digits.npz"
    bundle = edgekit.convert(
        DIGITS / "digits.keras", work / "digits.edgekit", calibration=data, progress=print
    )
    files = []
    for device in DEVICES:
        # A board is too slow to judge a thousand samples on.
        labels = None if device.startswith("board") else data
        files.append(work / f"{device.replace(':', '-')}.json")
        edgekit.bench(bundle, on=device, data=labels, progress=print).save(files[-1])
    return files


def take_picture(report: Path) -> bytes:
    """Return the top of a report, down to the single runs on its first device."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium())
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(report.as_uri())
        runs = page.get_by_role("region", name="Single runs").first.bounding_box()
        if runs is None:
            raise SystemExit("The first device has no single runs to show.")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": runs["y"] + runs["height"] + 2}
        picture = page.screenshot(full_page=True, clip=clip)
        browser.close()
    return picture


def main() -> None:
    """Measure where no results are given, and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(word) for word in sys.argv[1:]] or measure(Path(folder))
        report = Path(folder) / "report.html"
        write_report(read_report(files), report)
        picture = Image.open(io.BytesIO(take_picture(report))).convert("RGB")
    method = Image.Quantize.MAXCOVERAGE
    picture.quantize(COLOURS, method, dither=Image.Dither.NONE).save(TARGET, optimize=True)
    print(f"wrote {TARGET} ({TARGET.stat().st_size / 1e3:.0f} KB)")


if __name__ == "__main__":
    main()
