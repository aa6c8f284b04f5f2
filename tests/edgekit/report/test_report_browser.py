"""The report in a real browser: it opens quietly, sorts, marks, and fits."""

import math

import pytest
from conftest import ROOT
from results_by_hand import (
    EVIL,
    counted,
    failed_row,
    made_accuracy,
    made_fidelity,
    made_ratio,
    noisy_row,
    results_of,
)

from edgekit.report.files import write_report
from edgekit.report.html.page import render_html
from edgekit.report.merge import merge, read_report
from edgekit.results.agreement import Agreement
from edgekit.results.results import load_results

pytestmark = pytest.mark.browser

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
FP32 = noisy_row("tflite/fp32", 220_000, 70_000, accuracy=made_accuracy(980))
INT8 = noisy_row(
    "tflite/int8",
    87_000,
    40_000,
    ratio_to_fp32=made_ratio(0.567),
    accuracy=made_accuracy(950),
    agreement_with_host=Agreement(8, 0.0, 0.0, exact=True),
)
ROWS = (
    noisy_row("original", None, 400_000, accuracy=made_accuracy(980)),
    FP32,
    INT8,
    noisy_row(
        "onnx/fp16",
        117_000,
        121_000,
        ratio_to_fp32=made_ratio(1.24),
        fidelity=made_fidelity(1.0, math.inf),
        agreement_with_host=Agreement(8, 1e-3, 2e-3, exact=False),
    ),
    failed_row("onnx/int8"),
    noisy_row(EVIL, 60_000, 90_000),
    counted(FP32),
    counted(INT8),
)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    from edgekit_runtimes.devices.browser.launch import find_chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report with two devices, failures and names to be wary of."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(merge({"a.json": results_of(*ROWS)})), encoding="utf-8")
    return path


@pytest.fixture
def open_page(chromium):
    """Open a file; what the browser says or asks for meanwhile is an error at the end."""
    complaints, pages = [], []

    def open_file(path, **options):
        page = chromium.new_page(**{"viewport": {"width": 1300, "height": 900}, **options})
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_file
    # The file itself is all that was asked for.
    outside = [text for text in complaints if not text.startswith(("file:", "data:,"))]
    for page in pages:
        page.close()
    assert outside == []
    assert sum(text.startswith("file:") for text in complaints) == len(pages)


def names(page):
    return page.locator("table").first.locator("tbody th").all_inner_texts()


def test_a_real_report_opens_without_a_complaint(open_page, results_file, tmp_path):
    write_report(read_report([results_file]), tmp_path / "report.html")
    page = open_page(tmp_path / "report.html")
    ids = [row.id for row in load_results(results_file).rows if row.status == "ok"]
    assert names(page) == ids
    picture = page.screenshot(full_page=True)
    assert picture.startswith(b"\x89PNG")
    assert page.locator(".scatter use").count() == len(ids) - 1


def test_a_heading_sorts_up_then_down_and_rows_without_a_value_stay_last(open_page, report):
    page = open_page(report)
    # The first table is that of all devices' ratios; without one, the first device's.
    table = page.get_by_role("region", name="Measurements on host").locator("table")
    rows = table.locator("tbody th")
    heading = table.get_by_role("button", name="size")
    heading.click()
    assert rows.all_inner_texts() == [EVIL, "tflite/int8", "onnx/fp16", "tflite/fp32", "original"]
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    heading.click()
    assert rows.all_inner_texts() == ["tflite/fp32", "onnx/fp16", "tflite/int8", EVIL, "original"]
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_sorting_needs_no_mouse(open_page, report):
    page = open_page(report)
    table = page.get_by_role("region", name="Measurements on host").locator("table")
    table.get_by_role("button", name="artifact").focus()
    page.keyboard.press("Enter")
    assert table.locator("tbody th").all_inner_texts() == sorted(
        [EVIL, "tflite/int8", "onnx/fp16", "tflite/fp32", "original"]
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert table.locator("th[aria-sort]").inner_text().startswith("size")


def test_text_columns_sort_as_text_and_ratios_by_their_value(open_page, report):
    page = open_page(report)
    table = page.get_by_role("region", name="Measurements on host").locator("table")
    table.get_by_role("button", name="ratio to fp32").click()
    assert table.locator("tbody th").all_inner_texts()[:2] == ["tflite/int8", "onnx/fp16"]
    table.get_by_role("button", name="verdict").click()
    assert table.locator("tbody th").all_inner_texts()[:2] == ["tflite/int8", "onnx/fp16"]
    assert table.locator("th[aria-sort]").count() == 1


def test_no_error_at_all_is_the_most_sqnr_and_the_least_difference(open_page, report):
    page = open_page(report)
    table = page.get_by_role("region", name="Measurements on host").locator("table")
    table.get_by_role("button", name="SQNR").click()
    assert table.locator("tbody th").all_inner_texts()[-1] == "onnx/fp16"
    table.get_by_role("button", name="vs host").click()
    assert table.locator("tbody th").all_inner_texts()[:2] == ["tflite/int8", "onnx/fp16"]


def test_an_artifact_under_the_pointer_is_marked_everywhere_and_read_out(open_page, report):
    page = open_page(report)
    figure = page.locator(".scatter").first
    figure.locator("use").nth(1).hover()
    assert page.locator("tr.lit th").all_inner_texts() == ["tflite/int8", "tflite/int8"]
    readout = figure.locator(".readout")
    assert readout.inner_text().startswith("tflite/int8 (87.0 KB, ")
    assert readout.inner_text().endswith("accuracy 95.0 %")
    page.get_by_role("heading", level=1).hover()
    assert page.locator(".lit").count() == 0


def test_a_mark_is_reached_by_the_keyboard_and_read_out(open_page, report):
    page = open_page(report)
    figure = page.locator(".scatter").first
    figure.locator("use").first.focus()
    page.keyboard.press("Tab")
    assert figure.locator(".readout").inner_text().startswith("tflite/int8 (87.0 KB, ")


@pytest.mark.parametrize("width", [360, 1300])
def test_the_page_never_scrolls_sideways(open_page, report, width):
    page = open_page(report, viewport={"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_light_dark_and_print_have_their_own_paper(open_page, report):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert paper(open_page(report, color_scheme="light")) == "rgb(255, 255, 255)"
    dark = open_page(report, color_scheme="dark")
    assert paper(dark) == "rgb(20, 23, 26)"
    dark.emulate_media(media="print")
    assert paper(dark) == "rgb(255, 255, 255)"


def test_without_scripts_everything_is_there(chromium, report):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("table tbody th").count() > len(ROWS)
    assert page.locator("button").count() == 0
    assert page.locator(".readout").count() == 0
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, report, scheme):
    page = open_page(report, color_scheme=scheme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert len(found["passes"]) > 20
