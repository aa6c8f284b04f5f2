"""Gates: how they are written, and what they say of rows made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from results_by_hand import (
    absent_row,
    blocks_around,
    classified,
    counted_row,
    failed_row,
    fidelity,
    results_of,
    row,
)

from edgekit.gates.gate import merge_gates, parse_gate
from edgekit.gates.goals import goals
from edgekit.gates.judging import Outcome, judge
from edgekit.report.gates import broken_lines, table_lines
from edgekit.results.accuracy import Accuracy, AccuracyDifference
from edgekit.results.fidelity import Fidelity, OutputFidelity
from edgekit.results.statistics import Ratio
from edgekit_runtimes.errors import UsageError

FP32 = row("tflite/fp32", bytes=400_000)
INT8 = row("tflite/int8", accuracy=classified(985, lost=5), peak_memory_bytes=50_000_000)
ORIGINAL = row("original", accuracy=classified(990))
BOARD = counted_row("tflite/int8", 1_290_000)
WHOLE = results_of(ORIGINAL, FP32, INT8, absent_row("tfjs/int8"), BOARD)


def verdicts(text: str, *rows: object) -> list[Outcome]:
    return judge([parse_gate(text)], [results_of(*rows) if rows else WHOLE])


def verdict(text: str, *rows: object) -> Outcome:
    (only,) = verdicts(text, *rows)
    return only


# --- The grammar --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        *(("size<=300B", 300), ("size<=300KB", 3e5), ("size<=1.5MB", 1.5e6), ("size<=2GB", 2e9)),
        *(("size<=300kb", 3e5), ("size<=1KiB", 1024), ("size<=1MiB", 2**20)),
        *(("size<=.5GiB", 2**29), ("size <= 300 KB ", 3e5), ("size<=3e2KB", 3e5)),
        *(("latency.p90<=5ms", 5e6), ("latency.p90<=70us", 7e4), ("latency.p90<=70µs", 7e4)),
        *(("latency.p90<=70\N{GREEK SMALL LETTER MU}s", 7e4), ("latency.p90<9ns", 9)),
        *(("latency.p90<=1.5s", 1.5e9), ("instructions<=2M", 2e6), ("instructions<=2k", 2e3)),
        *(("instructions<=1G", 1e9), ("instructions<=1290000", 1_290_000)),
        *(("ratio<=0.6", 0.6), ("ratio<=60%", 0.6), ("accuracy>=98%", 0.98)),
        *(("accuracy>=0.98", 0.98), ("fidelity.sqnr>=30dB", 30), ("fidelity.sqnr>=30", 30)),
        *(("fidelity.cosine>=0.99", 0.99), ("accuracy.percent_max_degradation<=1%", 0.01)),
        *(("latency.max_regression<=5%", 0.05), ("accuracy.top1>=98%", 0.98)),
    ],
)
def test_a_limit_is_read_with_its_unit(text, limit):
    assert parse_gate(text).limit.value == pytest.approx(limit, rel=1e-12)


def test_words_in_front_limit_a_gate():
    gate = parse_gate("  board:pi5 tflite/int8  instructions <= 2M")
    assert gate.words == ("board:pi5", "tflite/int8")
    assert gate.goal.name == "instructions"
    assert gate.text == "board:pi5 tflite/int8 instructions <= 2M"


BYTE_UNITS = "B, KB, MB, GB, KiB, MiB or GiB"
TIME_UNITS = "ns, µs (or us), ms or s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "latncy.p90<=5ms",
            "Unknown figure 'latncy.p90' in gate 'latncy.p90<=5ms'. Did you mean 'latency.p90'? "
            "`edgekit check --help` lists them.",
        ),
        (
            "xyz<=5",
            "Unknown figure 'xyz' in gate 'xyz<=5'. `edgekit check --help` lists them.",
        ),
        (
            "size<=5ms",
            f"Gate 'size<=5ms': 5ms is a time. size takes {BYTE_UNITS}, as in 5KB.",
        ),
        (
            "latency.p90<=300KB",
            "Gate 'latency.p90<=300KB': 300KB is a size. latency.p90 takes "
            f"{TIME_UNITS}, as in 300ms.",
        ),
        (
            "size<=300",
            f"Gate 'size<=300': 300 has no unit. size takes {BYTE_UNITS}, as in 300KB.",
        ),
        (
            "latency.p90<=5mss",
            "Gate 'latency.p90<=5mss': Unknown unit 'mss'. Did you mean 5ms? latency.p90 takes "
            f"{TIME_UNITS}, as in 5ms.",
        ),
        (
            "instructions<=2m",
            "Gate 'instructions<=2m': Unknown unit 'm'. instructions takes plain numbers, K, M or "
            "G, as in 2M.",
        ),
        (
            "ratio<=5ms",
            "Gate 'ratio<=5ms': 5ms is a time. ratio takes plain numbers or %, as in 5.",
        ),
        (
            "accuracy>=98",
            "Gate 'accuracy>=98': 98 is not a share. accuracy takes shares from 0 to 1, or %, as "
            "in 98%.",
        ),
        (
            "accuracy.percent_max_degradation<=1",
            "Gate 'accuracy.percent_max_degradation<=1': 1 has no unit. "
            "accuracy.percent_max_degradation takes %, as in 1%.",
        ),
        (
            "accuracy.max_degradation<=1",
            "Gate 'accuracy.max_degradation<=1' could never break: 1 is 100 %. Write 1% or 0.01.",
        ),
        (
            "accuracy.max_degradation>=1%",
            "Gate 'accuracy.max_degradation>=1%': accuracy.max_degradation is an upper "
            "bound. Write <=.",
        ),
        (
            "size.min_improvement<=1KB",
            "Gate 'size.min_improvement<=1KB': size.min_improvement is a lower bound. Write >=.",
        ),
        (
            "latency.p90<=nan",
            f"Gate 'latency.p90<=nan': 'nan' is not a number. latency.p90 takes {TIME_UNITS}.",
        ),
        ("size<=", f"Gate 'size<=': there is no value. size takes {BYTE_UNITS}."),
        (
            "ratio<=1e999",
            "Gate 'ratio<=1e999': '1e999' is not a number. ratio takes plain numbers or %.",
        ),
        *(
            (
                text,
                f"Gate '{text}' is not understood. Write FIGURE<=VALUE, as in size<=300KB, with "
                "<=, >=, < or >.",
            )
            for text in ("size=300KB", "size==300KB", "<=300KB", "size", "", "1KB<size<300KB")
        ),
    ],
)
def test_a_gate_that_is_not_understood_is_answered_with_the_remedy(text, message):
    with pytest.raises(UsageError) as error:
        parse_gate(text)
    assert str(error.value) == message


def test_a_special_gate_replaces_a_general_one_of_the_same_words_figure_and_direction():
    general = [
        parse_gate(text)
        for text in ("size<=3KB", "size>=1KB", "int8 size<=2KB", "host int8 size<=9KB")
    ]
    special = [parse_gate("size<5KB"), parse_gate("int8 host size<=7KB")]
    merged = [gate.text for gate in merge_gates(general, special)]
    assert merged == ["size>=1KB", "int8 size<=2KB", "size<5KB", "int8 host size<=7KB"]


# --- Each figure --------------------------------------------------------------------------------

# Of tflite/int8 in WHOLE: a limit that just holds, and one that just breaks.
AT_THE_LIMIT = [
    ("size", "<=100KB", "<=99.9KB"),
    ("size", ">=100KB", ">100KB"),
    ("wire.gzip", "<=80KB", "<80KB"),
    ("wire.brotli", "<=70KB", "<=69.9KB"),
    ("memory", "<=50MB", "<50MB"),
    ("size.min_improvement", ">=300KB", ">=301KB"),
    ("size.percent_min_improvement", ">=75%", ">=75.1%"),
    ("latency.median", "<=5ms", "<5ms"),
    ("latency.p90", "<=5ms", "<5ms"),
    ("latency.min", "<=5ms", "<5ms"),
    ("load", "<=3ms", "<=2.9ms"),
    ("load", ">=1ms", ">1ms"),
    ("first_run", "<=8ms", "<8ms"),
    ("ratio", "<=0.55", "<=0.54"),
    ("ratio", ">=0.45", ">=0.46"),
    ("latency.max_degradation", "<=-4.5ms", "<=-4.51ms"),
    ("latency.percent_max_degradation", "<=-45%", "<=-45.1%"),
    ("latency.min_improvement", ">=4.5ms", ">=4.51ms"),
    ("latency.percent_min_improvement", ">=45%", ">=45.1%"),
    ("fidelity.top1", ">=1", "<1"),
    ("fidelity.cosine", ">=0.999", ">=0.9991"),
    ("fidelity.sqnr", ">=31dB", ">31dB"),
    ("fidelity.max_error", "<=0.25", "<0.25"),
    ("accuracy", ">=97.5%", ">=97.6%"),
    ("accuracy", "<=99.1%", "<=99%"),
    ("accuracy.max_degradation", "<=0.9%", "<=0.89%"),
    ("accuracy.percent_max_degradation", "<=0.91%", "<=0.9%"),
]


@pytest.mark.parametrize(("figure", "holds", "breaks"), AT_THE_LIMIT)
def test_each_figure_is_judged_at_the_pessimistic_end(figure, holds, breaks):
    assert verdict(f"host tflite/int8 {figure}{holds}").is_held
    assert not verdict(f"host tflite/int8 {figure}{breaks}").is_held


def test_instructions_are_judged_by_the_fewest():
    assert verdict("instructions<=1.29M").is_held
    broken = verdict("instructions<1.29M")
    assert (broken.place, broken.judged) == ("tflite/int8 on board:pi5", 1_290_000)


def test_a_ratio_to_the_original_is_judged_where_the_original_was_measured():
    fast = replace(FP32, ratio_to_original=Ratio(0.1, 0.09, 0.12))
    assert verdict("fp32 ratio_to_original<=0.12", ORIGINAL, fast).is_held
    assert not verdict("fp32 ratio_to_original<=0.11", ORIGINAL, fast).is_held
    assert verdict("ratio_to_original<=1", FP32).reason == (
        "no row has ratio_to_original: the original was not measured"
    )


def regression(**more: object) -> Accuracy:
    difference = AccuracyDifference("original", 0.2, 0.1, 0.4, "worse", False, "paired bootstrap")
    return Accuracy(
        "age", 500, low=1.8, high=2.3, mae=2.0, rmse=2.5, differences={"mae": difference}, **more
    )


@pytest.mark.parametrize(
    ("holds", "breaks"),
    [
        ("accuracy.mae<=2.3", "accuracy.mae<=2.2"),
        ("accuracy.rmse<=2.5", "accuracy.rmse<=2.4"),
        ("accuracy.mae.max_degradation<=0.4", "accuracy.mae.max_degradation<=0.3"),
        # The original's MAE is 1.8: .4 of it is 22.2 %.
        ("accuracy.mae.percent_max_degradation<=23%", "accuracy.mae.percent_max_degradation<=22%"),
    ],
)
def test_a_regression_is_judged_by_its_errors(holds, breaks):
    judged = row("tflite/int8", accuracy=regression())
    assert verdict(holds, judged).is_held
    assert not verdict(breaks, judged).is_held


def test_a_metric_of_the_users_own_is_judged_by_its_lower_end():
    own = Accuracy("box", 500, low=0.7, high=0.9, metric="judges:iou", value=0.8)
    assert verdict("accuracy.metric>=0.7", row("tflite/int8", accuracy=own)).is_held
    assert not verdict("accuracy.metric>=0.75", row("tflite/int8", accuracy=own)).is_held


def test_every_figure_is_tried_in_this_file():
    tried = {name for name, _, _ in AT_THE_LIMIT}
    elsewhere = {
        *("instructions", "ratio_to_original", "accuracy.metric", "accuracy.mae", "accuracy.rmse"),
        *("accuracy.mae.max_degradation", "accuracy.mae.percent_max_degradation"),
        "fidelity.sqnr_p5",
    }
    same_reader = {
        f"accuracy.{figure}.{word}"
        for figure in ("rmse", "metric")
        for word in ("max_degradation", "percent_max_degradation")
    }
    assert tried | elsewhere | same_reader == set(goals())


@pytest.mark.parametrize(("text", "held"), [(">=27dB", True), (">27dB", False)])
def test_the_5th_percentile_of_sqnr_has_a_gate(text, held):
    output = OutputFidelity(64, 1.0, 0.999, 31.0, 0.25, sqnr_p5_db=27.0)
    judged = row("tflite/int8", fidelity=Fidelity({"class": output}))
    assert verdict(f"fidelity.sqnr_p5{text}", judged).is_held == held


def test_noise_moves_the_end_that_is_judged_and_not_the_value():
    noisy = row("tflite/int8", blocks=blocks_around(5e6, spread=0.1))
    found = verdict("latency.p90<=9ms", noisy)
    assert found.value == noisy.statistics.p90
    assert found.value * 1.005 < found.judged < found.value * 1.2


# --- Which rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("", ["host tflite/fp32", "host tflite/int8", "board:pi5 tflite/int8"]),
        ("host", ["host tflite/fp32", "host tflite/int8"]),
        ("board:*", ["board:pi5 tflite/int8"]),
        ("int8", ["host tflite/int8", "board:pi5 tflite/int8"]),
        ("tflite/int*", ["host tflite/int8", "board:pi5 tflite/int8"]),
        ("tflite host", ["host tflite/fp32", "host tflite/int8"]),
        ("int8 board:pi5", ["board:pi5 tflite/int8"]),
    ],
)
def test_words_name_a_device_an_artifact_a_format_or_a_recipe(words, places):
    found = verdicts(f"{words} size<=1GB")
    assert [f"{one.row.device} {one.row.id}" for one in found] == places
    assert all(one.is_held for one in found)


def test_the_original_is_judged_only_where_it_is_named():
    assert {one.name for one in verdicts("latency.p90<=1s")} == {"tflite/fp32", "tflite/int8"}
    assert verdict("original latency.p90<=1s").name == "original"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("int9 size<=1KB", "no row is called 'int9'; did you mean 'int8'?"),
        ("zzz size<=1KB", "no row is called 'zzz'"),
        ("onnx* size<=1KB", "no row is called 'onnx*'"),
        ("fp32 board:pi5 size<=1KB", "no row is 'fp32' and 'board:pi5' at once"),
        ("tfjs size<=1KB", "no row was measured: tfjs/int8 on host is not available there"),
        (
            "host instructions<=1M",
            "no row has instructions: an emulated board counts them (bench --on board:pi5)",
        ),
        (
            "board:pi5 accuracy>=1%",
            "no row has accuracy: accuracy needs labelled samples (bench --data)",
        ),
        ("original size<=1KB", "no row has size"),
    ],
)
def test_a_gate_that_meets_no_row_is_broken(text, reason):
    found = verdict(text)
    assert (found.is_held, found.row, found.reason) == (False, None, reason)


def test_results_of_the_original_alone_hold_no_artifact_to_gate():
    assert verdict("latency.p90<=1s", ORIGINAL).reason == "the results hold no artifact"


def test_a_row_that_failed_breaks_the_gates_that_concern_it():
    failed = failed_row("tflite/int8", "signal 8")
    broken = verdict("int8 latency.p90<=1s", FP32, failed)
    assert (broken.is_held, broken.reason) == (False, "it failed: signal 8")
    (fp32,) = verdicts("fp32 latency.p90<=1s", FP32, failed)
    assert fp32.is_held
    # A host counts no instructions, whether it works or not.
    assert verdict("instructions<=1G", failed, BOARD).row.device == "board:pi5"


def test_a_row_that_is_not_available_breaks_none():
    assert [one.name for one in verdicts("size<=1GB", absent_row("tfjs/int8"), INT8)] == [
        "tflite/int8"
    ]


def test_without_fp32_a_gate_on_the_ratio_is_broken_with_the_reason():
    alone = replace(
        INT8, ratio_to_fp32=None, ratio_reason="the bundle has no tflite/fp32 to compare with"
    )
    for text in ("ratio<=2", "latency.min_improvement>=0ms"):
        found = verdict(text, alone)
        assert (found.is_held, found.reason) == (False, alone.ratio_reason)
    assert verdict("size.min_improvement>=0B", alone).reason == (
        "there is no tflite/fp32 to compare with"
    )


@pytest.mark.parametrize("text", ["fidelity.top1>=0", "fidelity.sqnr<=0", "fidelity.max_error>=0"])
def test_nan_outputs_break_gates_on_fidelity(text):
    found = verdict(text, row("tflite/int8", fidelity=fidelity(nan=3)))
    assert (found.is_held, found.reason) == (False, "3 of its outputs are NaN or infinite")


def test_nan_outputs_break_gates_on_accuracy():
    found = verdict("accuracy>=0", row("tflite/int8", accuracy=classified(900, nan=1)))
    assert (found.is_held, found.reason) == (False, "1 of its outputs is NaN or infinite")


def test_a_figure_that_is_nan_breaks_its_gate():
    odd = row("tflite/int8", ratio_to_fp32=Ratio(math.nan, math.nan, math.nan))
    found = verdict("ratio<=2", odd)
    assert (found.is_held, found.reason) == (False, "it is NaN")


def test_an_sqnr_without_any_error_holds():
    lossless = fidelity()
    output = replace(lossless.outputs["class"], sqnr_db=math.inf)
    found = verdict(
        "fidelity.sqnr>=30",
        row("tflite/fp16", fidelity=replace(lossless, outputs={"class": output})),
    )
    assert found.is_held


def test_outputs_without_classes_have_no_top1_to_gate():
    found = verdict("fidelity.top1>=0.9", row("tflite/int8", fidelity=fidelity(top1=None)))
    assert found.reason == "no row has fidelity.top1"


def test_without_an_interval_a_gate_is_broken():
    one_process = row("tflite/int8", blocks=blocks_around(5e6, processes=1, runs=8))
    found = verdict("latency.median<=1s", one_process)
    assert not found.is_held
    assert found.reason.startswith("it has no interval")


def test_accuracy_without_a_baseline_breaks_a_gate_on_degradation():
    alone = replace(INT8, accuracy=replace(INT8.accuracy, differences={}))
    found = verdict("accuracy.max_degradation<=1%", alone)
    assert found.reason == "neither the original nor tflite/fp32 was judged beside it"
    # fp32 is itself what others are compared with.
    fp32 = replace(FP32, accuracy=alone.accuracy)
    assert verdict("accuracy.max_degradation<=1%", fp32, INT8).name == "tflite/int8"


def test_several_results_are_judged_alike():
    gates = [parse_gate("size<=150KB"), parse_gate("instructions<=2M")]
    found = judge(gates, [results_of(FP32, INT8), results_of(BOARD)])
    assert [(one.run, one.name, one.is_held) for one in found] == [
        (0, "tflite/fp32", False),
        (0, "tflite/int8", True),
        (1, "tflite/int8", True),
        (1, "tflite/int8", True),
    ]


# --- What is printed ----------------------------------------------------------------------------


def test_a_broken_gate_is_one_line_with_its_rows_the_worst_first():
    found = judge([parse_gate("size<=50KB"), parse_gate("host size<=1MB")], [WHOLE])
    assert broken_lines(found) == [
        "Gate broken: size<=50KB: tflite/fp32 on host has 400 KB, tflite/int8 on host has 100 KB, "
        "tflite/int8 on board:pi5 has 100 KB"
    ]


def test_a_line_names_a_few_rows_and_counts_the_others():
    rows = [row(f"tflite/int8+prune{percent}") for percent in range(10, 80, 10)]
    (line,) = broken_lines(verdicts("size<=50KB", *rows))
    assert line.count(" has ") == 4
    assert line.endswith(" and 3 more")


def test_a_line_tells_the_pessimistic_end_from_the_value():
    (line,) = broken_lines(verdicts("host int8 ratio<=0.5"))
    assert line == (
        "Gate broken: host int8 ratio<=0.5: tflite/int8 on host has 0.550 at worst (0.500 measured)"
    )


def test_a_value_beside_its_limit_has_digits_enough_to_tell_them_apart():
    (line,) = broken_lines(verdicts("size<=100KB", row("tflite/int8", bytes=100_001)))
    assert line.endswith("has 100.001 KB")


@pytest.mark.parametrize(
    ("text", "value"),
    [("latency.p90>=1s", "5.00 ms"), ("latency.p90<=1ns", "5.00 ms"), ("size>=1GB", "100 KB")],
)
def test_a_value_far_from_its_limit_has_a_unit_of_its_own(text, value):
    (line,) = broken_lines(verdicts(text, row("tflite/int8")))
    assert line.endswith(f"tflite/int8 on host has {value}")


def test_a_line_names_the_results_where_there_are_several():
    found = judge([parse_gate("size<=50KB")], [results_of(INT8), results_of(BOARD)])
    (line,) = broken_lines(found, ["a.json", "b.json"])
    assert line.endswith(
        "tflite/int8 on host in a.json has 100 KB, tflite/int8 on board:pi5 in b.json has 100 KB"
    )


def test_the_table_has_each_broken_row_and_the_closest_of_those_that_hold():
    found = judge([parse_gate("size<=150KB"), parse_gate("size<=1MB")], [WHOLE])
    assert [line.cells for line in table_lines(found)] == [
        ("size<=150KB", "broken", "tflite/fp32 on host", "400 KB"),
        ("size<=1MB", "held", "tflite/fp32 on host (closest of 3)", "0.400 MB"),
    ]
