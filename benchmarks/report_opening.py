"""How much a report of 200 rows weighs, and how soon Chromium shows it.

    python benchmarks/report_opening.py       seconds; needs edgekit[browser] and a Chromium

Four devices with fifty artifacts each, and 5,000 runs per artifact: their times are made up, spread
widely (hardly a bar of a histogram is empty), which makes the page as heavy as it gets.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from edgekit.report.html.page import render_html
from edgekit.report.merge import merge
from edgekit.results.accuracy import Accuracy, wilson_interval
from edgekit.results.fidelity import Fidelity, OutputFidelity
from edgekit.results.plan import QUICK
from edgekit.results.results import Block, Results, Row
from edgekit.results.statistics import Ratio, summarize
from edgekit_runtimes.devices.browser.launch import find_chromium

DEVICES = ("host", "phone", "browser:webgl", "browser:wasm")
ARTIFACTS = 50
RUNS = 5_000
OPENINGS = 11
# From the start of the navigation until the first frame after everything has been loaded.
UNTIL_SHOWN = """() => new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now()))))"""


def make_results() -> Results:
    """Return results with 200 rows."""
    random = np.random.default_rng(1)
    rows = tuple(_row(random, device, n) for device in DEVICES for n in range(ARTIFACTS))
    environments = {
        device: {"cpu": "made up", "logical_cores": 2, "engines": {"litert": "2.3.0"}}
        for device in DEVICES
    }
    created = "2026-11-21T00:00:00+00:00"
    return Results("made up", "0.1.0", created, QUICK, 1, 64, False, environments, rows)


def _row(random: np.random.Generator, device: str, number: int) -> Row:
    center = math.log(100_000 * (1 + number % 7))
    samples = tuple(int(time) for time in random.lognormal(center, 0.5, RUNS))
    low, high = wilson_interval(980 - number, 1000)
    return Row(
        device=device,
        id=f"{'tflite' if number % 2 else 'onnx'}/int8-dynamic+prune{number}",
        format="tflite" if number % 2 else "onnx",
        recipe=f"int8-dynamic+prune{number}",
        engine="litert",
        status="ok",
        bytes=40_000 + 4_000 * number,
        wire_bytes={"gzip": 39_000 + 4_000 * number, "brotli": 38_000 + 4_000 * number},
        load_ns=(1_000_000,),
        first_run_ns=(200_000,),
        blocks=(Block(0, "measure", samples),),
        statistics=summarize(samples),
        ratio_to_fp32=Ratio(0.5 + number / 50, 0.45 + number / 50, 0.55 + number / 50),
        ratio_to_original=Ratio(0.1, 0.09, 0.11, derived=True),
        fidelity=Fidelity({"class": OutputFidelity(64, 0.98, 0.999, 31.4, 0.2)}),
        accuracy=Accuracy("class", 1000, (980 - number) / 1000, low, high, 980 - number),
    )


def opening_ms(browser: Browser, path: Path) -> float:
    """Return how long the page took, in its own context."""
    page = browser.new_context().new_page()
    page.goto(path.as_uri())
    shown = float(page.evaluate(UNTIL_SHOWN))
    page.context.close()
    return shown


def main() -> None:
    """Print both figures."""
    page = render_html(merge({"results.json": make_results()}))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        path.write_text(page, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=find_chromium())
        times = [opening_ms(browser, path) for _ in range(OPENINGS)]
        browser.close()
    print(f"{len(page.encode()) / 1e3:.0f} KB for {len(DEVICES) * ARTIFACTS} rows")
    median, most = statistics.median(times), max(times)
    print(f"shown after {median:.0f} ms (median of {OPENINGS}; most {most:.0f})")


if __name__ == "__main__":
    main()
