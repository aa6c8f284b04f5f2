"""The report as CSV: raw numbers, and units in the names."""

import csv
import io
import math
from dataclasses import replace

import pytest
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

from edgekit.report.csv_file import render_csv
from edgekit.report.merge import merge
from edgekit.results.results import load_results

INT8 = noisy_row(
    "tflite/int8", 87_654, ratio_to_fp32=made_ratio(0.567), accuracy=made_accuracy(981)
)


def read(*rows):
    text = render_csv(merge({"results.json": results_of(*rows)}))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_real_bench_is_one_line_per_row_with_the_results_own_numbers(results_file):
    results = load_results(results_file)
    lines = read(*results.rows)
    assert [line["id"] for line in lines] == [row.id for row in results.rows]
    for line, row in zip(lines, results.rows, strict=True):
        assert line["size_bytes"] == str(row.bytes or "")
        if row.statistics:
            assert float(line["latency_median_ns"]) == row.statistics.median
            assert float(line["latency_p90_ns"]) == row.statistics.p90
            assert float(line["fidelity_cosine"]) == row.fidelity.cosine
            # Workers measure it: an interpreter with its model takes more than 10 MB.
            assert int(line["peak_memory_bytes"]) == row.peak_memory_bytes > 10_000_000
        if row.ratio_to_fp32:
            assert float(line["ratio_to_fp32_low"]) == row.ratio_to_fp32.low


def test_numbers_are_not_formatted():
    (line,) = read(INT8)
    assert line["size_bytes"] == "87654"
    assert line["brotli_bytes"] == "85654"
    assert line["load_median_ns"] == "1000000.0"
    assert line["verdict"] == "faster"
    assert line["accuracy_top1"] == "0.981"
    assert line["fidelity_sqnr_db"] == "40.0"
    assert line["status"] == "ok"


def test_counts_stand_in_columns_of_their_own():
    time, count = read(INT8, counted(INT8))
    assert time["min_instructions"] == ""
    assert count["latency_median_ns"] == ""
    assert float(count["min_instructions"]) == int(INT8.statistics.min)
    assert float(count["load_median_instructions"]) == 1_000_000
    assert count["load_median_ns"] == ""


def test_what_is_missing_is_empty_and_what_is_infinite_says_so():
    exact = replace(INT8, fidelity=made_fidelity(None, math.inf), ratio_to_fp32=None)
    line, failed = read(exact, failed_row("onnx/int8", "died"))
    assert line["fidelity_sqnr_db"] == "inf"
    assert line["fidelity_top1"] == line["ratio_to_fp32"] == line["verdict"] == ""
    assert (failed["status"], failed["reason"]) == ("failed", "died")
    assert failed["latency_median_ns"] == ""


@pytest.mark.parametrize("text", [EVIL, 'a "quoted", reason\nof two lines'])
def test_the_form_is_rfc_4180(text):
    report = merge({"results.json": results_of(failed_row("onnx/int8", text))})
    written = render_csv(report)
    assert written.endswith("\r\n")
    (line,) = csv.DictReader(io.StringIO(written, newline=""))
    assert line["reason"] == text
    assert '"a ""quoted"", reason\nof two lines"' in written or text == EVIL


def test_devices_of_several_files_keep_their_own_names():
    files = {"a.json": results_of(INT8), "b.json": results_of(INT8)}
    lines = list(csv.DictReader(io.StringIO(render_csv(merge(files)), newline="")))
    assert [(line["file"], line["device"]) for line in lines] == [
        ("a.json", "host"),
        ("b.json", "host"),
    ]
