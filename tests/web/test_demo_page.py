"""The demo page in Chromium: what a visitor does with it, and what it costs them."""

from __future__ import annotations

import functools
import json
import queue
import re
import threading
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import browsers
import jsonschema
import pytest
from conftest import ROOT

from edgekit.demo.serve import serve_site
from edgekit.results.results import load_results

pytestmark = pytest.mark.browser

# Of the issue: brotli bytes before the first prediction on WebGL, and seconds until then.
MOST_BYTES = 250_000
MOST_SECONDS = 3.0
# Web Vitals calls .1 good; nothing needs to move at all.
MOST_SHIFT = 0.01
LONGEST_TASK_MS = 200

FIRST_PREDICTION = """() => {
  const [mark] = performance.getEntriesByName('first-prediction');
  return mark ? [performance.timeOrigin + mark.startTime, mark.startTime] : null;
}"""
OBSERVED = """kind => new Promise(resolve => {
  const observer = new PerformanceObserver(list => resolve(list.getEntries().map(entry =>
    kind === 'layout-shift' ? [entry.value, entry.sources.map(({node}) => node?.id ?? '')]
                            : [entry.duration, entry.name])));
  observer.observe({type: kind, buffered: true});
  setTimeout(() => resolve([]), 500);
})"""

KEPT = """async () => {
  const [name] = await caches.keys();
  const kept = name ? await (await caches.open(name)).keys() : [];
  return kept.map(({url}) => new URL(url).pathname);
}"""

Visit = Callable[..., Any]


@pytest.fixture
def address(digits_site: Path, server: Any) -> str:
    return str(server.url("digits"))


def test_a_seven_drawn_with_the_mouse_is_read_as_seven(
    visitor: Visit, address: str, pictures: Path
) -> None:
    visit = visitor()
    visit.go(address)
    visit.draw_seven()
    visit.answer("7", least=90)
    assert visit.page.locator(".bars li").count() == 10
    assert visit.page.locator(".bars .top .label").inner_text() == "7"
    visit.settle()
    visit.page.screenshot(path=pictures / "demo.png", full_page=True)


def test_clear_takes_the_answer_away(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.go(address)
    visit.draw_seven()
    visit.answer("7")
    visit.page.click("text=Clear")
    assert visit.text("#answer").strip() == "–"


def test_the_arrow_keys_draw_too(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.go(address)
    visit.page.focus(".pad")
    keys = visit.page.keyboard
    for _ in range(3):
        keys.press("ArrowUp")
    keys.down("Shift")
    for _ in range(18):
        keys.press("ArrowDown")
    keys.up("Shift")
    visit.answer("1", least=50)


def test_the_page_starts_with_little_on_webgl_and_soon(
    visitor: Visit, address: str, server: Any, digits_site: Path
) -> None:
    visit = visitor()
    server.asked.clear()
    visit.go(address)
    assert "TF.js · WebGL is ready" in visit.text("#status")
    epoch_ms, _ = visit.page.evaluate(FIRST_PREDICTION)
    root = urllib.parse.urlsplit(address).path
    asked = {path.removeprefix(root) for at, path in server.asked if at * 1000 <= epoch_ms}
    files = {digits_site / (path or "index.html") for path in asked}
    assert digits_site / "artifacts/tfjs/int8-weights/model.json" in files
    wire = {path.name: len(brotli.compress(path.read_bytes())) for path in files}
    assert sum(wire.values()) <= MOST_BYTES, wire
    assert not any("litert" in path or "ort" in path or "wasm" in path for path in asked)
    visit.settle()

    def seconds_again() -> float:
        visit.go(address)
        return float(visit.page.evaluate(FIRST_PREDICTION)[1]) / 1000

    # On a machine that does other work too, the best of three.
    assert min(seconds_again() for _ in range(3)) <= MOST_SECONDS


def test_nothing_moves_and_nothing_blocks_while_the_page_loads(
    visitor: Visit, address: str
) -> None:
    for width in (1280, 360):
        visit = visitor(viewport={"width": width, "height": 900})
        visit.go(address)
        visit.settle()
        shifts = visit.page.evaluate(OBSERVED, "layout-shift")
        assert sum(value for value, _ in shifts) < MOST_SHIFT, (width, shifts)
        tasks = visit.page.evaluate(OBSERVED, "longtask")
        assert all(duration <= LONGEST_TASK_MS for duration, _ in tasks), tasks


def test_a_sample_shows_the_answer_of_the_original_beside_it(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.go(address)
    visit.page.get_by_label("Sample 5", exact=True).click()
    visit.answer("0")
    said = visit.note("original", "The original says 0")
    assert re.search(r"no share differs by more than \d", said)
    assert visit.page.locator(".track b").count() == 10
    assert visit.page.locator("#samples [aria-pressed=true]").count() == 1


def test_every_artifact_and_engine_can_be_chosen_and_shows_its_size(
    visitor: Visit, address: str
) -> None:
    visit = visitor()
    visit.go(address)
    visit.draw_seven()
    engines = {"tfjs": "TF.js", "tflite": "LiteRT.js", "onnx": "onnxruntime-web"}
    options = visit.page.locator("#artifact option")
    names = [options.nth(number).get_attribute("value") for number in range(options.count())]
    assert len(names) == 5
    for name in names:
        visit.page.select_option("#artifact", name)
        visit.note("status", f"{engines[name.split('/')[0]]} · ")
        visit.note("status", "is ready after")
        visit.answer("7", least=90)
        share = float(visit.text("#size-share").removesuffix(" %").replace("–", "0"))
        assert share == 100 if name.endswith("/fp32") else share < 40
        visit.page.locator("#median", has_text=re.compile("[µm]s")).wait_for()
    # Another engine takes the same recipe in its own format.
    assert visit.page.input_value("#artifact") == "onnx/int8"
    visit.page.select_option("#place", label="LiteRT.js · WASM")
    visit.note("status", "LiteRT.js · WASM is ready")
    assert visit.page.input_value("#artifact") == "tflite/int8"


def test_other_engines_are_downloaded_only_to_find_the_fastest(
    visitor: Visit, address: str, server: Any
) -> None:
    visit = visitor()
    server.asked.clear()
    visit.go(address)
    visit.settle()
    paths = [path for _, path in server.asked]
    assert any("runtimes/tfjs" in path for path in paths)
    assert not any("runtimes/litertjs" in path or "runtimes/ort-web" in path for path in paths)
    visit.page.click("#find")
    visit.note("race-note", "A short race of every engine")
    laps = visit.text("#race")
    assert all(engine in laps for engine in ("TF.js", "LiteRT.js", "onnxruntime-web"))
    assert visit.page.locator("#race .chosen").count() == 1
    assert any("runtimes/litertjs" in path for _, path in server.asked)


@pytest.mark.slow
def test_measure_all_fills_a_table_and_a_file_that_edgekit_reads(
    visitor: Visit, address: str, tmp_path: Path, pictures: Path
) -> None:
    visit = visitor(accept_downloads=True)
    visit.go(address)
    visit.settle()
    visit.page.click("#measure")
    visit.note("measure-status", "Done: 7 rows")
    assert visit.page.locator("#table tbody tr").count() == 7
    visit.page.screenshot(path=pictures / "demo-measured.png", full_page=True)
    with visit.page.expect_download() as download:
        visit.page.click("text=Download the results")
    path = tmp_path / "results.json"
    download.value.save_as(path)
    schema = json.loads((ROOT / "edgekit/results/results.schema.json").read_text())
    jsonschema.validate(json.loads(path.read_text()), schema)
    results = load_results(path)
    assert results.bundle == "digits"
    places = {(row.device, row.id) for row in results.rows}
    everywhere = ("tfjs/fp32", "tfjs/int8-weights")
    on_wasm = (*everywhere, "tflite/fp32", "tflite/int8", "onnx/int8")
    assert places == {
        *(("browser:webgl", name) for name in everywhere),
        *(("browser:wasm", name) for name in on_wasm),
    }
    assert "llvmpipe" in results.environments["browser:webgl"]["renderer"]
    for row in results.rows:
        assert row.status == "ok", row
        assert row.statistics
        assert row.statistics.runs >= 12
        assert row.fidelity
        assert row.fidelity.samples == 50
        assert row.fidelity.top1 is not None
        assert row.fidelity.top1 > 0.95
    ratios = {(row.device, row.id): row.ratio_to_fp32 for row in results.rows}
    int8 = ratios["browser:wasm", "tflite/int8"]
    assert int8
    assert int8.low
    assert 0 < int8.low < int8.value < 1.5
    assert ratios["browser:wasm", "onnx/int8"] is None
    # Narrow and with the table, there is still nothing to scroll sideways but the table.
    visit.page.set_viewport_size({"width": 360, "height": 800})
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 360


def test_measuring_can_be_stopped(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.go(address)
    visit.settle()
    visit.page.click("#measure")
    visit.note("measure-status", "1 of 7")
    visit.page.click("text=Stop")
    visit.note("measure-status", "Stopped")
    assert visit.text("#measure") == "Measure all"


def test_the_page_works_without_a_network_after_the_first_visit(
    visitor: Visit, address: str, server: Any
) -> None:
    server.asked.clear()
    visit = visitor()
    visit.go(address)
    visit.settle()
    # Of the whole first visit; the copy's own script is the browser's to keep.
    asked = {path for _, path in server.asked} - {f"{urllib.parse.urlsplit(address).path}sw.js"}
    assert any(path.endswith(".wasm") for path in asked)
    browsers.wait_for(lambda: asked <= set(visit.page.evaluate(KEPT)))
    visit.page.context.set_offline(True)
    visit.page.reload()
    visit.page.locator("#answer strong", has_text="7").wait_for()
    visit.settle()
    visit.draw_seven()
    visit.answer("7")
    visit.page.locator("#measure:enabled").wait_for()


def test_threads_are_offered_only_where_the_server_sends_the_headers(
    visitor: Visit, address: str, digits_site: Path
) -> None:
    urls: queue.Queue[str] = queue.Queue()
    serving = functools.partial(serve_site, digits_site, 0, urls.put)
    threading.Thread(target=serving, daemon=True).start()
    for url, are_offered in ((address, False), (urls.get(timeout=10), True)):
        visit = visitor()
        # However few this machine has.
        visit.page.add_init_script(
            "Object.defineProperty(navigator, 'hardwareConcurrency', {value: 2})"
        )
        visit.go(url)
        assert visit.page.evaluate("crossOriginIsolated") is are_offered
        places = visit.page.locator("#place option").all_inner_texts()
        assert ("TF.js · WASM, 2 threads" in places) is are_offered
        if are_offered:
            visit.page.select_option("#place", label="TF.js · WASM, 2 threads")
            visit.note("status", "TF.js · WASM, 2 threads is ready")
            visit.draw_seven()
            visit.answer("7", least=90)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_360_pixels_are_wide_enough(
    visitor: Visit, address: str, scheme: str, pictures: Path
) -> None:
    visit = visitor(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    visit.go(address)
    visit.settle()
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 360
    assert visit.axe_faults() == []
    visit.page.screenshot(path=pictures / f"demo-360-{scheme}.png", full_page=True)
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    assert visit.axe_faults() == []
    visit.page.screenshot(path=pictures / f"demo-1280-{scheme}.png", full_page=True)
