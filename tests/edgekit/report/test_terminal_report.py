"""The table of a bench, to the letter."""

import io
from dataclasses import replace

import pytest
from results_by_hand import blocks_around, noisy_row, results_of
from rich.console import Console

from edgekit.report.columns import table_columns
from edgekit.report.lines import heading, legend, row_notes
from edgekit.report.terminal.tables import print_results
from edgekit.results.accuracy import Accuracy
from edgekit.results.agreement import Agreement
from edgekit.results.fidelity import Fidelity, OutputFidelity
from edgekit.results.figures.ratios import ratio_cell
from edgekit.results.results import Row
from edgekit.results.statistics import Ratio, Statistics
from edgekit.text.units import (
    BYTE_UNITS,
    TIME_UNITS,
    percent,
    pick_unit,
    significant,
)

ENVIRONMENT = {"cpu": "AMD EPYC", "logical_cores": 2, "engines": {"litert": "2.3.0"}}


def fidelity(top1, sqnr_db, nan=0):
    return Fidelity({"class": OutputFidelity(64, top1, 0.999, sqnr_db, 0.1, nan)})


ORIGINAL = Row(
    device="host",
    id="original",
    format="source",
    recipe="original",
    engine="tensorflow",
    status="ok",
    load_ns=(2_350_000_000,),
    first_run_ns=(95_100_000,),
    statistics=Statistics(60, 4_210_000.0, 4_380_000.0, 1e4, 4_100_000.0, 1),
    fidelity=fidelity(1.0, float("inf")),
    accuracy=Accuracy("class", 1000, 0.985, 0.9754, 0.9909, 985),
)
FP32 = Row(
    device="host",
    id="tflite/fp32",
    format="tflite",
    recipe="fp32",
    engine="litert",
    status="ok",
    bytes=344_064,
    wire_bytes={"gzip": 320_000, "brotli": 317_400},
    load_ns=(4_100_000, 4_300_000),
    first_run_ns=(210_000,),
    statistics=Statistics(60, 104_000.0, 109_000.0, 1e3, 101_000.0, 0),
    ratio_to_original=Ratio(0.0247, 0.0241, 0.0253),
    fidelity=fidelity(1.0, 131.2),
    accuracy=Accuracy("class", 1000, 0.985, 0.9754, 0.9909, 985),
)
INT8 = replace(
    FP32,
    id="tflite/int8",
    recipe="int8",
    bytes=98_512,
    wire_bytes={"gzip": 80_000, "brotli": 78_930},
    load_ns=(3_200_000,),
    statistics=Statistics(60, 53_300.0, 55_000.0, 1e3, 51_000.0, 0),
    ratio_to_fp32=Ratio(0.5123, 0.4984, 0.5266),
    ratio_to_original=Ratio(0.01265, 0.0122, 0.0131, derived=True),
    fidelity=fidelity(0.96875, 31.44),
    accuracy=Accuracy("class", 1000, 0.981, 0.9705, 0.9878, 981),
)
FP16 = replace(
    INT8,
    id="tflite/fp16",
    recipe="fp16",
    bytes=173_500,
    wire_bytes={},
    statistics=Statistics(60, 104_500.0, 110_000.0, 1e3, 101_000.0, 0),
    ratio_to_fp32=Ratio(1.004, 0.9931, 1.0152),
    ratio_to_original=Ratio(0.0248, 0.0242, 0.0254, derived=True),
    fidelity=fidelity(1.0, 68.0),
)
BROKEN = replace(
    ORIGINAL,
    id="onnx/int8",
    format="onnx",
    status="failed",
    reason="the interpreter died (signal 11, SIGSEGV)",
    load_ns=(),
    first_run_ns=(),
    statistics=None,
    fidelity=None,
    accuracy=None,
)
TFJS = [
    replace(
        BROKEN,
        id=f"tfjs/{recipe}",
        status="not available",
        reason="needs browser:webgl, browser:wasm, browser:webgpu or browser:cpu",
    )
    for recipe in ("fp32", "fp16")
]


def results(*rows, noise=False):
    return results_of(*rows, noise=noise, environments={"host": ENVIRONMENT})


def printed(results, width, is_wide=True):
    stream = io.StringIO()
    print_results(results, Console(file=stream, width=width, soft_wrap=True), is_wide)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def columns(*rows):
    return {column.header.replace("\n", " "): column.cells for column in table_columns(rows)}


WIDE = """\
host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0
Best on host: tflite/int8: 0.512 of tflite/fp32's time [0.498, 0.527], 0.286 of its size, fidelity 31.4 dB.

                                 first
             size  brotli  load    run  median   p90         ratio to fp32                             to  top-1   SQNR           accuracy
artifact       KB      KB    ms     µs      µs    µs                [95 %]  verdict              original      %     dB           % [95 %]
original                   2350  95100    4210  4380                                                       100.0  exact  98.5 [97.5, 99.0]
tflite/fp32   344     317  4.20    210     104   109                                               0.0247  100.0    131  98.5 [97.5, 99.0]
tflite/int8  98.5    78.9  3.20    210    53.3  55.0  0.512 [0.498, 0.527]  faster                0.0126*   96.8   31.4  98.1 [97.0, 98.7]
tflite/fp16   174          3.20    210     104   110    1.00 [0.993, 1.02]  not distinguishable   0.0248*  100.0   68.0  98.1 [97.0, 98.7]

onnx/int8: failed: the interpreter died (signal 11, SIGSEGV)
tfjs/fp32, tfjs/fp16: not available: needs browser:webgl, browser:wasm, browser:webgpu or browser:cpu
* derived: the ratio to fp32 times fp32's own ratio to the original
"""  # noqa: E501

NARROW = """\
host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0
Best on host: tflite/int8: 0.512 of tflite/fp32's time [0.498, 0.527], 0.286 of its size, fidelity 31.4 dB.

                   first
             load    run  median   p90         ratio to fp32                             to
artifact       ms     µs      µs    µs                [95 %]  verdict              original
original     2350  95100    4210  4380
tflite/fp32  4.20    210     104   109                                               0.0247
tflite/int8  3.20    210    53.3  55.0  0.512 [0.498, 0.527]  faster                0.0126*
tflite/fp16  3.20    210     104   110    1.00 [0.993, 1.02]  not distinguishable   0.0248*

             size  brotli  top-1   SQNR           accuracy
artifact       KB      KB      %     dB           % [95 %]
original                   100.0  exact  98.5 [97.5, 99.0]
tflite/fp32   344     317  100.0    131  98.5 [97.5, 99.0]
tflite/int8  98.5    78.9   96.8   31.4  98.1 [97.0, 98.7]
tflite/fp16   174          100.0   68.0  98.1 [97.0, 98.7]

onnx/int8: failed: the interpreter died (signal 11, SIGSEGV)
tfjs/fp32, tfjs/fp16: not available: needs browser:webgl, browser:wasm, browser:webgpu or browser:cpu
* derived: the ratio to fp32 times fp32's own ratio to the original
"""  # noqa: E501


@pytest.mark.parametrize(("width", "text"), [(200, WIDE), (100, NARROW)])
def test_the_table_is_whole_where_it_fits_and_is_cut_in_two_where_not(width, text):
    rows = (ORIGINAL, FP32, INT8, FP16, BROKEN, *TFJS)
    assert printed(results(*rows), width) == text.splitlines()


NARROW_80 = """\
host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0
Best on host: tflite/int8: 0.512 of tflite/fp32's time [0.498, 0.527], 0.286 of its size, fidelity 31.4 dB.

             size  median         ratio to fp32           accuracy
artifact       KB      µs                [95 %]  verdict  %
original             4210                                 98.5
tflite/fp32   344     104                                 98.5
tflite/int8  98.5    53.3  0.512 [0.498, 0.527]  faster   98.1
tflite/fp16   174     104    1.00 [0.993, 1.02]  ≈        98.1

onnx/int8: failed: the interpreter died (signal 11, SIGSEGV)
"""  # noqa: E501


def test_what_a_choice_needs_fits_80_columns():
    rows = (ORIGINAL, FP32, INT8, FP16, BROKEN)
    lines = printed(results(*rows), 80, is_wide=False)
    assert lines[:-1] == NARROW_80.splitlines()
    assert lines[-1] == (
        "≈ not distinguishable from fp32: less than 1 % lies between 1 and the interval, or it "
        "holds 1"
    )


def test_without_labels_the_narrow_table_has_fidelity():
    rows = [replace(row, accuracy=None) for row in (FP32, INT8)]
    lines = printed(results(*rows), 80, is_wide=False)
    assert lines[3].split() == ["size", "median", "ratio", "to", "fp32", "top-1", "SQNR"]
    assert lines[6].split()[-2:] == ["96.8", "31.4"]


def test_a_long_name_is_folded_in_the_narrow_table():
    names = ("tflite/int8-weights+prune50+cluster16", "tflite/int8-dynamic+prune50")
    rows = [FP32, *(replace(INT8, id=name, recipe=name[7:]) for name in names)]
    lines = printed(results(*rows), 80, is_wide=False)
    table = lines[3:]
    assert all(len(line) <= 80 for line in table)
    assert [line.strip() for line in table if line.strip().startswith("+")] == [
        *("+prune50", "+cluster16", "+prune50"),
    ]


def test_columns_without_a_value_are_absent():
    bare = replace(FP32, ratio_to_original=None, accuracy=None, wire_bytes={})
    assert list(columns(bare)) == [
        *("artifact", "size KB", "load ms", "first run µs", "median µs", "p90 µs"),
        *("top-1 %", "SQNR dB"),
    ]


COUNTED_FP32 = replace(
    FP32,
    device="board:pi5",
    unit="instructions",
    load_ns=(3_430_000,),
    first_run_ns=(3_050_000,),
    statistics=Statistics(5, 2_989_000.0, 2_997_000.0, 3e3, 2_986_000.0, 1),
    ratio_to_original=None,
    accuracy=None,
)
COUNTED_INT8 = replace(
    COUNTED_FP32,
    id="tflite/int8",
    statistics=Statistics(5, 1_290_600.0, 1_301_000.0, 3e2, 1_290_300.0, 1),
    ratio_to_fp32=Ratio(0.4321, 0.4305, 0.4357, counted=True),
)


def test_counts_are_labelled_as_instructions_and_never_as_time():
    table = columns(COUNTED_FP32, COUNTED_INT8)
    assert table["fewest M instr."] == ("2.99", "1.29")
    assert table["load M instr."] == ("3.43", "3.43")
    assert table["first run M instr."] == ("3.05", "3.05")
    assert table["ratio to fp32 [min, max]"] == ("", "0.432 [0.430, 0.436]")
    assert table["verdict"] == ("", "fewer")
    assert not any(word in name for name in table for word in ("ms", "µs", "median", "p90"))


def test_below_counts_it_says_what_they_are_and_how_many_samples_were_judged():
    judged = Fidelity({"class": OutputFidelity(8, 1.0, 0.999, 30.0, 0.1, 0)})
    lines = legend(results(), [replace(COUNTED_FP32, fidelity=judged)])
    assert lines[0].startswith("instr.: instructions per inference, the fewest of five; not time")
    assert lines[1] == "top-1 and SQNR were judged on the first 8 samples"


@pytest.mark.parametrize(
    ("beside", "told"), [(245_000, ()), (313_000, ("251 µs", "313 µs")), (200_000, ("200", "251"))]
)
def test_medians_of_a_machine_that_changed_its_pace_are_not_to_be_compared(beside, told):
    fp32 = noisy_row("tflite/fp32", time=251_000)
    int8 = noisy_row("tflite/int8", reference_blocks=blocks_around(beside), time=251_000)
    elsewhere = noisy_row("onnx/int8", reference_blocks=blocks_around(9 * beside))
    notes = [line for line in legend(results(), [fp32, int8, elsewhere]) if "pace" in line]
    assert len(notes) == bool(told)
    assert all(time in note for note in notes for time in told)


def test_agreement_with_the_host_is_a_share_or_the_word_exact():
    near, exact = Agreement(8, 0.5, 3.14e-7, exact=False), Agreement(8, 0, 0, exact=True)
    rows = [replace(FP32, agreement_with_host=each) for each in (near, exact, None)]
    assert columns(*rows)["vs host"] == ("3e-07", "exact", "")
    (line,) = [line for line in legend(results(), rows) if line.startswith("vs host: ")]
    assert line.endswith("as a share of the largest of them, on the first 8 samples")
    assert not any("vs host" in line for line in legend(results(), [FP32]))


def test_accuracy_that_was_not_judged_is_said_in_one_line_for_all_rows():
    reason = "a labelled set would take hours"
    rows = [replace(row, accuracy=None, accuracy_reason=reason) for row in (FP32, INT8)]
    assert row_notes(rows) == [f"tflite/fp32, tflite/int8: no accuracy: {reason}"]


def test_a_device_that_counts_has_one_thread_whatever_was_asked_for():
    environment = {**ENVIRONMENT, "cpu": "Cortex-A76", "logical_cores": 1, "unit": "instructions"}
    wanted = replace(results(), threads=4, environments={"board:pi5": environment})
    assert heading("board:pi5", wanted) == "board:pi5: Cortex-A76, 1 core, 1 thread; litert 2.3.0"


def test_a_column_has_one_unit():
    table = columns(ORIGINAL, FP32)
    assert table["median µs"] == ("4210", "104")
    assert table["p90 µs"] == ("4380", "109")
    assert table["load ms"] == ("2350", "4.20")


def test_regression_has_mae_and_rmse_instead_of_accuracy():
    accuracies = (Accuracy("age", 9, mae=1.5, rmse=2.236), Accuracy("age", 9, nan=3))
    table = columns(*(replace(FP32, accuracy=accuracy) for accuracy in accuracies))
    assert (table["MAE [95 %]"], table["RMSE"]) == (("1.50", "NaN"), ("2.24", "NaN"))
    assert "accuracy % [95 %]" not in table


def test_nan_outputs_are_said_instead_of_an_sqnr():
    table = columns(replace(FP32, fidelity=fidelity(0.5, float("-inf"), nan=3)))
    assert table["SQNR dB"] == ("NaN",)


def test_rows_with_the_same_reason_share_a_line():
    alone = replace(INT8, ratio_to_fp32=None, ratio_reason="the bundle has no tflite/fp32")
    assert row_notes([FP32, BROKEN, *TFJS, alone]) == [
        "onnx/int8: failed: the interpreter died (signal 11, SIGSEGV)",
        "tfjs/fp32, tfjs/fp16: not available: needs browser:webgl, browser:wasm, browser:webgpu "
        "or browser:cpu",
        "tflite/int8: no ratio: the bundle has no tflite/fp32",
    ]


def test_noise_is_said_where_fidelity_was_judged_on_it():
    assert printed(results(FP32, noise=True), 200)[-1] == (
        "top-1 and SQNR were judged on 64 samples of noise: the bundle was made without "
        "calibration data"
    )
    assert "noise" not in printed(results(FP32), 200)[-1]
    assert "noise" not in "".join(printed(results(BROKEN, noise=True), 200))


def test_each_device_has_its_own_heading_and_table():
    lines = printed(results(FP32, replace(FP32, device="board:pi5")), 200)
    assert [line for line in lines if line.startswith(("host", "board"))] == [
        "host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0",
        "board:pi5",
    ]
    assert sum("tflite/fp32" in line for line in lines) == 2


def test_threads_are_counted_in_the_heading():
    assert "2 cores, 4 threads;" in heading("host", replace(results(FP32), threads=4))


def test_brackets_in_a_reason_are_not_markup():
    lines = printed(results(replace(BROKEN, reason="shape [1, 2] and [bold]")), 200)
    assert lines[-1] == "onnx/int8: failed: shape [1, 2] and [bold]"


def test_nothing_is_cut_where_the_terminal_is_too_narrow():
    lines = printed(results(replace(FP16, id="tflite/int8-dynamic+prune50")), 60)
    assert [line.split() for line in lines if line.startswith("tflite")] == [
        [
            *("tflite/int8-dynamic+prune50", "3.20", "210", "104", "110"),
            *("1.00", "[0.993,", "1.02]", "not", "0.0248*"),
        ],
        ["tflite/int8-dynamic+prune50", "174", "100.0", "68.0", "98.1", "[97.0,", "98.7]"],
    ]
    assert any(line.split() == ["distinguishable"] for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0, "0"), (0.0123456, "0.0123"), (0.9996, "1.00"), (1, "1.00"), (9.995, "9.99")),
        *((9.996, "10.0"), (12.34, "12.3"), (999.6, "1000"), (12345, "12300"), (-2.5, "-2.50")),
    ],
)
def test_numbers_have_three_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0"), (0.29, "29.0"), (0.98449, "98.4"), (0.9999, "99.9"), (1, "100.0")],
)
def test_only_everything_is_a_hundred_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("values", "units", "word"),
    [
        ([4_100_000, 98_512], BYTE_UNITS, "KB"),
        ([13_900_000, 3_640_000], BYTE_UNITS, "MB"),
        ([344_000, 0], BYTE_UNITS, "KB"),
        ([499], BYTE_UNITS, "B"),
        ([500], BYTE_UNITS, "KB"),
        ([1_100, 104_000], TIME_UNITS, "µs"),
        ([504_000, 4_210_000], TIME_UNITS, "ms"),
        ([0.01], TIME_UNITS, "ns"),
        ([], TIME_UNITS, "ns"),
    ],
)
def test_a_column_takes_the_largest_unit_that_suits_its_smallest_value(values, units, word):
    assert pick_unit(values, units).word == word


def test_a_ratio_without_an_interval_is_alone():
    assert ratio_cell(Ratio(0.5, None, None)) == "0.500"
    assert ratio_cell(Ratio(0.5, 0.44444, 0.5555)) == "0.500 [0.444, 0.555]"
    assert ratio_cell(None) == ""
