"""The report as a page: what it contains, and that it is one well-formed file."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from html_page import Page
from results_by_hand import (
    ENVIRONMENT,
    EVIL,
    counted,
    failed_row,
    made_accuracy,
    made_fidelity,
    made_ratio,
    noisy_row,
    results_of,
)

from edgekit.report.html.page import render_html
from edgekit.report.merge import merge
from edgekit.results.results import Block, load_results
from edgekit.results.statistics import Statistics

MOST_BYTES = 500_000
# What makes a browser fetch something.
FETCHING = {"href", "src", "srcset", "data", "action", "poster", "background", "xlink:href"}

ORIGINAL = noisy_row("original", None, 400_000, engine="tensorflow")
FP32 = noisy_row("tflite/fp32", 220_000, 70_000)
INT8 = noisy_row("tflite/int8", 87_000, 40_000, ratio_to_fp32=made_ratio(0.567))
FP16 = noisy_row("tflite/fp16", 117_000, 71_000, ratio_to_fp32=made_ratio(1.003))


def page_of(*rows, **more):
    return Page(render_html(merge({"results.json": results_of(*rows, **more)})))


def test_every_artifact_of_a_real_bench_is_in_the_page(results_file):
    results = load_results(results_file)
    text = render_html(merge({str(results_file): results}))
    page = Page(text)
    measured = [row.id for row in results.rows if row.status == "ok"]
    names = page.texts("th", scope="row")
    # In the measurements, among the single runs, and with the fidelity of the one output.
    assert sorted(names) == sorted(measured * 3)
    assert len(measured) == len(results.rows)
    assert len(page.all("circle", r="2.5")) == sum(bool(row.ratio_to_fp32) for row in results.rows)


def test_the_page_asks_for_nothing_from_outside(results_file):
    text = render_html(merge({str(results_file): load_results(results_file)}))
    page = Page(text)
    values = [
        value
        for element in page.elements
        for name, value in element.attributes.items()
        if name in FETCHING
    ]
    assert values
    assert all(value.startswith("#") or value == "data:," for value in values)
    assert not re.search(r"//\w", text), "no address of any kind"
    assert "url(" not in text
    assert "@import" not in text


def test_only_our_own_script_may_run():
    import base64
    import hashlib

    page = page_of(FP32)
    (script,) = page.texts("script")
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy.attributes["content"]
    assert policy.attributes["content"].startswith("default-src 'none'")


def test_names_with_html_in_them_are_text():
    evil = replace(noisy_row(EVIL, ratio_to_fp32=made_ratio(0.5)), device=EVIL)
    named = {EVIL: evil.fidelity.outputs["class"]}
    evil = replace(evil, fidelity=replace(evil.fidelity, outputs=named))
    broken = replace(failed_row("onnx/int8", f"died of {EVIL}"), device=EVIL)
    environment = {**ENVIRONMENT, "cpu": EVIL, EVIL: EVIL, "engines": {EVIL: EVIL}}
    results = results_of(evil, broken, environments={EVIL: environment}, created=EVIL, edgekit=EVIL)
    results = replace(results, bundle=EVIL)
    page = Page(render_html(merge({EVIL: results, "other.json": results_of(INT8)})))
    assert len(page.all("script")) == 1
    assert page.texts("h1") == [f"edgekit report: {EVIL} on {EVIL}, digits on host"]
    assert page.texts("th", scope="row").count(EVIL) == 4
    assert f"onnx/int8: failed: died of {EVIL}" in page.texts("li")
    assert page.texts("dd").count(EVIL) == 3
    assert Path(EVIL).name in page.texts("dd")


def test_the_table_has_the_terminals_cells():
    from edgekit.report.columns import table_columns

    rows = (ORIGINAL, FP32, INT8, FP16)
    page = page_of(*rows)
    columns = table_columns(rows)
    heads = [head.text for head in page.all("th", scope="col")]
    # Line breaks of a heading are elements here.
    assert [column.header.replace("\n", "") for column in columns] == [
        head for head in heads[: len(columns) + 1] if "‹" not in head
    ]
    cells = [cell for column in columns[1:] for cell in column.cells]
    # A picture has no text.
    found = page.texts("td")[: len(cells) + len(rows)]
    assert sorted(found) == sorted([*cells, *[""] * len(rows)])


def test_the_front_is_named_below_the_picture():
    smaller = noisy_row("onnx/int8", 71_000, 70_000)
    beaten = noisy_row("onnx/fp16", 90_000, 80_000)
    page = page_of(ORIGINAL, FP32, INT8, FP16, smaller, beaten)
    (caption,) = page.texts("figcaption")
    assert re.findall(r"\w+/\w+", caption) == ["onnx/int8", "tflite/int8"]
    (picture,) = page.all("svg", role="group")
    assert "On the Pareto front: onnx/int8 (71.0 KB, " in picture.attributes["aria-label"]
    points = [use for use in page.all("use") if "data-k" in use.attributes]
    assert [use.text.split(" ")[0] for use in points] == [
        *("tflite/fp32", "tflite/int8", "tflite/fp16", "onnx/int8", "onnx/fp16")
    ]
    assert [use.attributes["href"] for use in points] == ["#circle"] * 3 + ["#square"] * 2


def test_marks_stand_where_size_and_time_say():
    page = page_of(
        noisy_row("tflite/fp32", 200_000, 80_000), noisy_row("tflite/int8", 50_000, 20_000)
    )
    large, small = (use.attributes for use in page.all("use") if "data-k" in use.attributes)
    assert float(small["x"]) < float(large["x"])
    # Downwards in SVG: the faster one is lower.
    assert float(small["y"]) > float(large["y"])


def test_the_same_artifact_has_one_key_in_table_picture_and_runs():
    page = page_of(ORIGINAL, FP32, INT8)
    keys = {
        tag: [one.attributes["data-k"] for one in page.all(tag) if "data-k" in one.attributes]
        for tag in ("tr", "use")
    }
    assert keys == {"tr": ["0.0", "0.1", "0.2"] * 2, "use": ["0.1", "0.2"]}


def test_times_and_counts_have_a_picture_each():
    on_board = [counted(FP32), counted(replace(INT8, accuracy=None))]
    accurate = [replace(row, accuracy=made_accuracy(980)) for row in (FP32, INT8)]
    page = page_of(*accurate, *on_board)
    assert page.texts("h3")[:2] == ["host", "board:pi5"]
    assert any("median, µs" in text for text in page.texts("text"))
    assert any("fewest, k instr." in text for text in page.texts("text"))
    colours = [text for text in page.texts("dd") if text.startswith(("accuracy", "top-1"))]
    assert [text.split(":")[0] for text in colours] == ["accuracy (host)", "top-1 agreement (board"]
    assert "so there is no distribution to show" in "".join(page.texts("p"))


def test_each_output_has_its_fidelity():
    nan = made_fidelity(None, -math.inf, nan=3).outputs["class"]
    both = {**made_fidelity(0.98, math.inf).outputs, "age": replace(nan, max_abs_error=math.inf)}
    fidelity = replace(made_fidelity(1.0, 1.0), outputs=both)
    page = page_of(replace(FP32, fidelity=fidelity))
    table = page.texts("table")[-1]
    assert (
        re.sub(r"\s+", " ", table)
        .strip()
        .endswith("tflite/fp32class98.00.999000exact0.10064 tflite/fp32age0.999000NaNinf364")
    )


def test_the_environment_of_each_device_is_told():
    phone = {
        "platform": "browser",
        "browser": "Chromium 156.0",
        "renderer": "SwiftShader",
        "software_renderer": True,
        "webgpu": None,
        "cross_origin_isolated": False,
        "engines": {"tfjs": "4.22.0"},
    }
    row = replace(FP32, device="browser:webgl")
    page = page_of(FP32, row, environments={"host": ENVIRONMENT, "browser:webgl": phone})
    told = list(zip(page.texts("dt"), page.texts("dd"), strict=True))
    # A fact that both state: the host's comes first.
    host, browser = dict(told[::-1]), dict(told)
    assert browser["renderer"] == "SwiftShader"
    assert browser["software renderer"] == "yes"
    assert browser["cross origin isolated"] == "no"
    assert browser["plan"].startswith("quick: 4 processes, 0.3 s per model in each, ")
    assert "WebGPU" not in browser
    assert host["memory"] == "8.00 GB"
    assert host["engines"] == "litert 2.3.0"


def test_rows_of_only_errors_are_a_page_with_their_reasons():
    page = page_of(failed_row("tflite/fp32"), failed_row("tflite/int8"))
    assert "Nothing could be measured." in page.texts("p")
    assert page.texts("li") == [
        "tflite/fp32, tflite/int8: failed: the interpreter died (signal 11, SIGSEGV)"
    ]
    assert page.all("table") == []


def test_without_fp32_there_is_a_page_without_ratios():
    page = page_of(replace(INT8, ratio_to_fp32=None, ratio_reason="the bundle has no tflite/fp32"))
    assert page.texts("li") == ["tflite/int8: no ratio: the bundle has no tflite/fp32"]
    assert not any("ratio to fp32" in head for head in page.texts("th"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_figures_that_are_not_numbers_break_nothing(value):
    fidelity = made_fidelity(None, value)
    odd = replace(
        INT8,
        statistics=Statistics(9, value, value, value, value, 0),
        fidelity=fidelity,
        ratio_to_fp32=made_ratio(value),
        blocks=(),
    )
    page = page_of(odd)
    assert page.texts("th", scope="row") == ["tflite/int8"] * 2
    assert page.all("figure") == []


def test_a_note_about_the_files_is_at_the_top():
    other = replace(FP32, device="phone", bytes=1)
    report = merge({"a.json": results_of(FP32), "b.json": results_of(other)})
    (note,) = Page(render_html(report)).texts("p", class_="note")
    assert note.startswith("these results are not of the same bundle")


def test_two_hundred_rows_weigh_under_half_a_megabyte():
    times = np.random.default_rng(1)
    rows = [
        noisy_row(
            f"{form}/int8-dynamic+prune{number}",
            40_000 + 4_000 * number,
            300_000 * (1 + number % 7),
            # Widely spread: hardly a bar is empty, and each is as high as no other beside it.
            blocks=(Block(0, "measure", tuple(times.lognormal(13, 0.5, 5000).astype(int))),),
            device=device,
            ratio_to_fp32=made_ratio(0.5 + number / 50),
            ratio_to_original=made_ratio(0.1),
            accuracy=made_accuracy(980 - 4 * number),
        )
        for device in ("host", "phone", "browser:webgl", "browser:wasm")
        for form in ("tflite", "onnx")
        for number in range(25)
    ]
    page = render_html(merge({"results.json": results_of(*rows)}))
    assert len(rows) == 200
    assert len(page.encode()) < MOST_BYTES
