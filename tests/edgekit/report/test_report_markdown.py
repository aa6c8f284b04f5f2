"""The report as Markdown, to the letter."""

from dataclasses import replace

from results_by_hand import (
    EVIL,
    counted,
    failed_row,
    made_ratio,
    noisy_row,
    results_of,
)

from edgekit.report.columns import is_in_table, table_columns
from edgekit.report.markdown import render_markdown
from edgekit.report.merge import merge
from edgekit.results.results import load_results
from edgekit.results.statistics import Statistics

FP32 = noisy_row(
    "tflite/fp32",
    220_000,
    statistics=Statistics(64, 70_000.0, 71_000.0, 1e3, 69_000.0, 0),
    ratio_to_original=made_ratio(0.1),
)
INT8 = replace(
    FP32,
    id="tflite/int8",
    recipe="int8",
    bytes=87_000,
    wire_bytes={},
    statistics=Statistics(64, 40_000.0, 41_000.0, 1e3, 39_000.0, 0),
    ratio_to_fp32=made_ratio(0.567),
    ratio_to_original=replace(made_ratio(0.0567), derived=True),
)

TEXT = """\
## host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0

digits, 2026-11-21 08:37 UTC, edgekit 0.1.0

Best on host: tflite/int8: 0.567 of tflite/fp32's time [0.547, 0.587], 0.395 of its size, fidelity 40.0 dB.

| artifact | size KB | brotli KB | load ms | first run µs | median µs | p90 µs | ratio to fp32 [95 %] | verdict | to original | top-1 % | SQNR dB |
| --- | --: | --: | --: | --: | --: | --: | --: | --- | --: | --: | --: |
| tflite/fp32 | 220 | 218 | 1.00 | 200 | 70.0 | 71.0 |  |  | 0.100 | 100.0 | 40.0 |
| tflite/int8 | 87.0 |  | 1.00 | 200 | 40.0 | 41.0 | 0.567 [0.547, 0.587] | faster | 0.0567\\* | 100.0 | 40.0 |

- onnx/int8: failed: the interpreter died (signal 11, SIGSEGV)
- \\* derived: the ratio to fp32 times fp32's own ratio to the original
"""  # noqa: E501


def rendered(*rows):
    return render_markdown(merge({"results.json": results_of(*rows)}))


def test_a_device_is_a_heading_its_table_and_its_notes():
    assert rendered(FP32, INT8, failed_row("onnx/int8")) == TEXT


def test_the_cells_of_a_real_bench_are_the_terminals(results_file):
    results = load_results(results_file)
    lines = render_markdown(merge({"results.json": results})).splitlines()
    columns = table_columns([row for row in results.rows if is_in_table(row)])
    rows = zip(*(column.cells for column in columns), strict=True)
    wanted = [f"| {' | '.join(cell.strip() for cell in row)} |" for row in rows]
    written = [line.replace("\\*", "*") for line in lines if line.startswith("| ")]
    assert written[2:] == wanted


def test_all_devices_stand_side_by_side_first():
    text = rendered(FP32, INT8, counted(replace(INT8, ratio_to_fp32=made_ratio(0.432))))
    assert text.startswith(
        "## Ratio to fp32 on each device\n\n"
        "| artifact | host | board:pi5 |\n"
        "| --- | --: | --: |\n"
        "| tflite/int8 | 0.567 [0.547, 0.587] | 0.432 [0.412, 0.452] |\n"
    )
    assert [line for line in text.splitlines() if line.startswith("## board")] == [
        "## board:pi5: Cortex-A76, 2 cores, 1 thread; litert 2.3.0"
    ]


def test_markup_in_names_and_reasons_is_text():
    text = rendered(noisy_row(EVIL), failed_row("onnx/int8", "see [this](http://x) __init__\n# no"))
    assert "| tflite/&lt;script>alert(1)&lt;/script>\\|\"'&amp;\\`\\* | 100 |" in text
    assert "failed: see [this\\](http://x) \\_\\_init\\_\\_ # no" in text


def test_a_note_about_the_files_comes_first():
    other = replace(FP32, device="phone", bytes=1)
    report = merge({"a.json": results_of(FP32), "b.json": results_of(other)})
    assert render_markdown(report).startswith("> these results are not of the same bundle: ")
