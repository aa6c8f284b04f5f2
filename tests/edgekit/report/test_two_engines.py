"""Two engines of one format in one device's table: rows are told apart by their engine."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from html_page import Page
from results_by_hand import blocks_around, failed_row, results_of, row

from edgekit.compare.changes import compare_results
from edgekit.gates.gate import parse_gate
from edgekit.gates.judging import judge
from edgekit.report.across import across
from edgekit.report.columns import fidelity_columns, table_columns
from edgekit.report.compare import change_columns, change_notes
from edgekit.report.csv_file import render_csv
from edgekit.report.gates import broken_lines
from edgekit.report.html.page import render_html
from edgekit.report.junit import junit_xml
from edgekit.report.lines import pace_note, row_notes
from edgekit.report.markdown import render_markdown
from edgekit.report.merge import merge
from edgekit.results.statistics import Ratio

OLD_ENGINE = "tflite-runtime"
FP32, INT8 = row("tflite/fp32", ratio_to_fp32=None), row("tflite/int8")
OLD_FP32, OLD_INT8 = (
    replace(one, engine=OLD_ENGINE, **more)
    for one, more in ((FP32, {}), (INT8, {"ratio_to_fp32": Ratio(0.8, 0.7, 0.9)}))
)
ONNX = row("onnx/int8", engine="onnxruntime")
BOTH = (FP32, INT8, OLD_FP32, OLD_INT8, ONNX)
NAMES = (
    *("tflite/fp32 (litert)", "tflite/int8 (litert)"),
    *("tflite/fp32 (tflite-runtime)", "tflite/int8 (tflite-runtime)", "onnx/int8"),
)


def page_of(*rows):
    return Page(render_html(merge({"results.json": results_of(*rows)})))


def test_a_table_names_the_engine_where_a_format_has_several():
    assert table_columns(BOTH)[0].cells == NAMES
    assert fidelity_columns(BOTH)[0].cells == NAMES


def test_a_table_names_no_engine_where_each_format_has_one():
    assert table_columns((FP32, INT8, ONNX))[0].cells == ("tflite/fp32", "tflite/int8", "onnx/int8")


def test_a_row_that_no_engine_loaded_has_its_own_name():
    unknown = failed_row("tflite/fp16", engine=None)
    assert row_notes([*BOTH, unknown])[0].startswith("tflite/fp16: ")
    assert row_notes([FP32, unknown, ONNX])[0].startswith("tflite/fp16: ")


def test_notes_pictures_and_markdown_use_the_same_names():
    failed = failed_row("tflite/int8+prune50", engine=OLD_ENGINE)
    assert row_notes([*BOTH, failed])[0].startswith("tflite/int8+prune50 (tflite-runtime): ")
    text = render_markdown(merge({"a.json": results_of(*BOTH)}))
    assert all(f"| {name} |" in text for name in NAMES)
    page = page_of(*BOTH)
    marks = [use.text for use in page.all("use") if "data-k" in use.attributes]
    assert [mark.partition(" (1")[0].partition(" (7")[0] for mark in marks] == list(NAMES)


def test_csv_has_the_engine_in_a_field_of_its_own():
    text = render_csv(merge({"a.json": results_of(*BOTH)}))
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(line["id"], line["engine"]) for line in lines] == [
        (one.id, one.engine) for one in BOTH
    ]


def test_ratios_on_several_devices_are_of_one_engine_each():
    found = across(merge({"a.json": results_of(*BOTH, replace(INT8, device="host:old"))}))
    assert found.names == ("tflite/int8 (litert)", NAMES[3], "onnx/int8", "tflite/int8")


def test_the_pace_of_a_machine_is_that_of_one_engines_fp32():
    slow = replace(OLD_INT8, reference_blocks=blocks_around(50e6))
    slow_fp32 = row("tflite/fp32", engine=OLD_ENGINE, blocks=blocks_around(50e6))
    fp32 = replace(FP32, **vars_of(blocks_around(10e6)))
    assert pace_note([fp32, INT8, slow_fp32, slow]) == ""
    assert "changed its pace" in pace_note([fp32, replace(slow, engine="litert")])


def vars_of(blocks):
    made = row("tflite/fp32", blocks=blocks)
    return {"blocks": made.blocks, "statistics": made.statistics}


# --- Gates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "engines"),
    [
        ("litert", ["litert"]),
        ("tflite-runtime", [OLD_ENGINE]),
        ("int8 tflite*", ["litert", OLD_ENGINE]),
        ("host tflite-runtime int8 tflite", [OLD_ENGINE]),
        ("onnxruntime", ["onnxruntime"]),
    ],
)
def test_words_of_a_gate_name_an_engine_as_well(words, engines):
    found = judge([parse_gate(f"{words} ratio<=1")], [results_of(*BOTH)])
    assert [outcome.row.engine for outcome in found] == engines


def test_an_engine_with_a_slip_in_it_is_answered_with_the_nearest():
    (outcome,) = judge([parse_gate("litrt size<=1GB")], [results_of(*BOTH)])
    assert outcome.reason == "no row is called 'litrt'; did you mean 'litert'?"


def test_what_a_gate_says_names_the_engine_where_a_format_has_several():
    outcomes = judge([parse_gate("ratio<=0.6")], [results_of(*BOTH)])
    (line,) = broken_lines(outcomes)
    assert line.startswith("Gate broken: ratio<=0.6: tflite/int8 (tflite-runtime) on host has ")
    assert "tflite/int8 (litert) on host" in junit_xml(outcomes).decode()
    assert {form["engine"] for form in (one.to_json() for one in outcomes)} == {
        *("litert", OLD_ENGINE, "onnxruntime")
    }


# --- Comparisons --------------------------------------------------------------------------------


def names_and_states(old, new):
    comparison = compare_results(results_of(*old), results_of(*new))
    return [(change.name, change.state) for change in comparison.rows]


def test_rows_are_compared_with_those_of_the_same_engine():
    new = (OLD_INT8, replace(INT8, bytes=110_000))
    rows = compare_results(results_of(INT8, OLD_INT8), results_of(*new)).rows
    assert [row.changes["size"].verdict for row in rows] == ["larger", "same"]
    assert change_columns(rows)[0].cells == NAMES[1:4:2]


def test_an_engine_that_comes_or_goes_is_named():
    assert names_and_states([INT8], [INT8, OLD_INT8]) == [
        ("tflite/int8 (litert)", "compared"),
        ("tflite/int8 (tflite-runtime)", "appeared"),
    ]
    comparison = compare_results(results_of(INT8, OLD_INT8), results_of(OLD_INT8))
    assert change_notes(comparison)[0] == ("tflite/int8 (litert) on host: only in the old results")


def test_one_engine_on_each_side_is_compared_whatever_its_name():
    assert names_and_states([INT8], [OLD_INT8]) == [("tflite/int8", "compared")]
    failed = failed_row("tflite/int8", engine=None)
    assert names_and_states([INT8], [failed]) == [("tflite/int8", "fails")]
