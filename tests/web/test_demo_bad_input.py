"""What may be wrong around the demo page: it says so, and continues with what is left."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
Launch = Callable[..., Any]

NO_WEBGL = ("--disable-gpu", "--disable-software-rasterizer")


@pytest.fixture
def own_site(digits_site: Path, server: Any) -> Path:
    """A copy of the site to damage."""
    place: Path = server.place("damaged")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(digits_site, place)
    return place


@pytest.fixture
def address(own_site: Path, server: Any) -> str:
    return str(server.url(own_site.name))


def forget_expected(visit: Any, *words: str) -> None:
    """Take the browser's own lines about missing files out of the complaints."""
    visit.complaints[:] = [
        line for line in visit.complaints if not any(word in line for word in words)
    ]


def test_a_missing_artifact_is_left_out_at_the_start_and_named_when_it_is_chosen(
    visitor: Visit, address: str, own_site: Path
) -> None:
    shutil.rmtree(own_site / "artifacts/tfjs/int8-weights")
    visit = visitor()
    visit.go(address)
    assert visit.page.input_value("#artifact") == "tfjs/fp32"
    assert "could not be downloaded: the server answered 404" in visit.text("#status")
    visit.settle()
    visit.page.select_option("#artifact", "tfjs/int8-weights")
    said = visit.note("status", "tfjs/int8-weights: ")
    assert "model.json could not be downloaded: the server answered 404. tfjs/fp32 on" in said
    assert visit.page.input_value("#artifact") == "tfjs/fp32"
    forget_expected(visit, "404")


def test_missing_samples_leave_the_pad_to_draw_on(
    visitor: Visit, address: str, own_site: Path
) -> None:
    shutil.rmtree(own_site / "golden")
    visit = visitor()
    visit.page.goto(address)
    visit.note("status", "golden/first-0.npy is missing from this site (404)")
    visit.draw((0.5, 0.15), (0.5, 0.85))
    visit.answer("1", least=50)
    forget_expected(visit, "404")


def test_a_site_without_its_list_or_its_scripts_says_so(
    visitor: Visit, address: str, own_site: Path
) -> None:
    (own_site / "assets/demo-worker.js").unlink()
    visit = visitor()
    visit.page.goto(address)
    said = visit.note("status", "No artifact of this bundle runs here.")
    assert "A script of this page did not start: it is missing, or the browser is older" in said
    (own_site / "site.json").unlink()
    second = visitor()
    second.page.goto(address)
    second.note("status", "site.json is missing from this site (the server answered 404).")
    for one in (visit, second):
        forget_expected(one, "404")


def test_without_webgl_the_page_starts_on_wasm(
    visitor: Visit, launch: Launch, address: str
) -> None:
    browser = launch(NO_WEBGL)
    try:
        visit = visitor(browser)
        visit.go(address)
        said = visit.text("#status")
        assert said.startswith("TF.js cannot use webgl: this browser gives no WebGL context.")
        assert "TF.js · WASM is ready" in said
        visit.draw_seven()
        visit.answer("7", least=90)
    finally:
        browser.close()


def test_a_lost_webgl_context_is_said_and_the_page_goes_on_elsewhere(
    visitor: Visit, launch: Launch, address: str
) -> None:
    browser = launch()
    try:
        visit = visitor(browser)
        visit.go(address)
        visit.settle()
        visit.page.select_option("#place", label="TF.js · WebGL")
        visit.note("status", "TF.js · WebGL is ready")
        browser.new_browser_cdp_session().send("Browser.crashGpuProcess")
        visit.page.wait_for_timeout(500)
        visit.page.get_by_label("Sample 5", exact=True).click()
        said = visit.note("status", "TF.js · WASM is ready")
        assert said.startswith("TF.js · WebGL stopped: ")
        visit.answer("0", least=50)
    finally:
        browser.close()


def test_integers_in_and_out_are_refused_in_words_and_shown_as_an_error_row(
    visitor: Visit,
    bundles: Callable[..., Path],
    put_site: Callable[[Path, str], Path],
    server: Any,
) -> None:
    put_site(bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8"), "integers")
    visit = visitor()
    visit.go(server.url("integers"))
    visit.settle()
    assert visit.page.locator("#samples button").count() == 16
    assert "features" in visit.text("#input")
    visit.page.select_option("#artifact", "tflite/int8")
    said = visit.note("status", "tflite/int8: ")
    assert "Element type INT8 is not supported." in said
    assert "keeps running" in said
    visit.page.click("#find")
    visit.note("race-note", "A short race of every engine")
    refused = visit.page.locator("#race li", has_text="cannot run it")
    assert "LiteRT.js WASM, int8" in refused.inner_text()
    assert "INT8" in refused.get_attribute("title")


def test_values_that_are_not_classes_are_shown_beside_the_originals(
    visitor: Visit,
    bundles: Callable[..., Path],
    put_site: Callable[[Path, str], Path],
    server: Any,
) -> None:
    put_site(bundles("two_in_two_out", "--recipe", "fp32,int8"), "values")
    visit = visitor()
    visit.go(server.url("values"))
    visit.note("original", "Largest difference from the original: ")
    assert visit.page.locator("#outputs table").count() == 2
    heads = visit.page.locator("#outputs table").first.locator("thead th").all_inner_texts()
    assert heads == ["", "this artifact", "the original", "difference"]
    assert visit.axe_faults() == []


def test_where_no_script_runs_the_page_says_what_it_needs(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.page.route("**/demo.js", lambda route: route.abort())
    visit.page.goto(address)
    late = visit.page.locator(".late")
    assert late.is_hidden()
    visit.page.evaluate("document.getAnimations().forEach(one => one.finish())")
    assert late.is_visible()
    assert "JavaScript modules" in late.inner_text()
    forget_expected(visit, "ERR_FAILED")
    without = visitor(java_script_enabled=False)
    without.page.goto(address)
    assert without.page.locator("noscript").inner_text().endswith("which needs JavaScript.")
