"""What changed between two results, and gates on it, through the command line and by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from results_by_hand import (
    ENVIRONMENT,
    absent_row,
    blocks_around,
    classified,
    counted_row,
    failed_row,
    fidelity,
    results_of,
    row,
    store,
)

from edgekit.compare.change import difference_of
from edgekit.compare.changes import compare_results, judge_changes
from edgekit.gates.gate import parse_gate
from edgekit.results.accuracy import Accuracy
from edgekit.results.fidelity import Fidelity
from edgekit.results.figures.measured import Measured, exact
from edgekit.results.statistics import Ratio

WRONG_USE = 2
INT8 = row("tflite/int8", accuracy=classified(985))


def change(old, new, figure):
    (found,) = compare_results(results_of(old), results_of(new)).rows
    return found.changes[figure]


def timed(median, **more):
    return row("tflite/int8", blocks=blocks_around(median, spread=0.02, **more))


# --- Figures ------------------------------------------------------------------------------------


def test_sizes_are_compared_to_the_byte():
    found = change(INT8, replace(INT8, bytes=100_001), "size")
    assert (found.old, found.new, found.verdict) == (100_000, 100_001, "larger")
    assert found.regression == exact(pytest.approx(1e-5))
    assert change(INT8, INT8, "wire.brotli").verdict == "same"


def test_a_time_is_slower_only_if_the_whole_interval_is():
    slower = change(timed(5e6), timed(5.5e6, seed=2), "latency")
    assert slower.verdict == "slower"
    assert slower.ratio.low < 1.1 < slower.ratio.high
    assert slower.regression.high == pytest.approx(slower.ratio.high - 1)
    alike = change(timed(5e6), timed(5.02e6, seed=2), "latency")
    assert alike.verdict == "not distinguishable"


@pytest.mark.parametrize(
    ("count", "verdict"), [(1_290_900, "same"), (1_292_000, "more"), (1_288_000, "fewer")]
)
def test_counts_are_the_same_within_one_in_a_thousand(count, verdict):
    found = change(
        counted_row("tflite/int8", 1_290_000), counted_row("tflite/int8", count), "instructions"
    )
    assert found.verdict == verdict
    assert found.regression == exact(
        pytest.approx(0 if verdict == "same" else count / 1_290_000 - 1)
    )


def test_the_ratio_to_fp32_is_compared_as_a_ratio_of_ratios():
    new = replace(INT8, ratio_to_fp32=Ratio(0.75, 0.74, 0.76))
    found = change(INT8, new, "ratio")
    half = math.hypot(math.log(0.55 / 0.45) / 2, math.log(0.76 / 0.74) / 2)
    assert found.ratio.value == pytest.approx(1.5)
    assert found.ratio.high == pytest.approx(1.5 * math.exp(half))
    assert found.verdict == "slower"


def test_agreement_lost_is_worse_as_a_share_of_what_it_was():
    found = change(INT8, replace(INT8, fidelity=fidelity(top1=0.75)), "fidelity.top1")
    assert (found.verdict, found.regression) == ("worse", exact(0.25))


@pytest.mark.parametrize(
    ("old", "new", "regression"),
    [
        (31.0, 31.05, 0.0),
        (40.0, 20.0, 9.0),
        (20.0, 40.0, -0.9),
        (math.inf, math.inf, 0.0),
        (math.inf, 90.0, math.inf),
        (90.0, math.inf, -1.0),
        (-math.inf, 20.0, -1.0),
    ],
)
def test_sqnr_is_compared_by_how_much_larger_the_error_became(old, new, regression):
    output = fidelity().outputs["class"]
    rows = [
        replace(INT8, fidelity=Fidelity({"class": replace(output, sqnr_db=level)}))
        for level in (old, new)
    ]
    assert change(*rows, "fidelity.sqnr").regression == exact(pytest.approx(regression))


def test_accuracies_differ_only_beyond_newcombes_interval():
    # Newcombe's own example: 56 of 70 and 48 of 80, .2 (.0524 to .3339).
    found = change(
        replace(INT8, accuracy=classified(56, 70)),
        replace(INT8, accuracy=classified(48, 80)),
        "accuracy",
    )
    assert found.verdict == "worse"
    assert found.regression.low * 0.8 == pytest.approx(0.0524, abs=5e-5)
    assert found.regression.high * 0.8 == pytest.approx(0.3339, abs=5e-5)
    assert change(INT8, replace(INT8, accuracy=classified(980)), "accuracy").verdict == "same"


def test_the_same_artifact_has_the_same_accuracy_without_any_doubt():
    assert change(INT8, INT8, "accuracy").regression == exact(0.0)
    trained_again = replace(INT8, bytes=100_004)
    assert change(INT8, trained_again, "accuracy").regression.high > 0.01


@pytest.mark.parametrize(
    ("name", "verdict"), [("judges:iou", "better"), ("judges:box_error", "worse")]
)
def test_a_metric_of_the_users_own_points_where_its_name_says(name, verdict):
    rows = [
        replace(
            INT8, accuracy=Accuracy("box", 500, metric=name, value=value, low=value, high=value)
        )
        for value in (0.5, 0.6)
    ]
    found = change(*rows, "accuracy.metric")
    assert (found.verdict, abs(found.regression.value)) == (verdict, pytest.approx(0.2))


def test_an_error_that_was_zero_may_not_grow_at_all():
    rows = [replace(INT8, accuracy=Accuracy("age", 500, mae=mae, rmse=0.0)) for mae in (0.0, 0.1)]
    assert change(*rows, "accuracy.rmse").regression == exact(0.0)
    assert change(*rows, "accuracy.mae").regression.value == math.inf


def test_a_difference_without_both_intervals_has_none():
    assert difference_of(Measured(3, None, None), exact(1)) == Measured(2, None, None)


# --- Rows ---------------------------------------------------------------------------------------


def test_rows_that_come_go_and_fail_are_told_apart():
    names = ("fp32", "int8", "int4-dynamic", "int8+prune10", "int8+prune20", "int8+prune30")
    rows = {name: row(f"tflite/{name}") for name in names}
    failed, absent = failed_row("tflite/int8"), absent_row("tflite/int8")

    def named(what, name):
        return replace(what, id=f"tflite/{name}", recipe=name)

    old = results_of(
        *(rows["fp32"], rows["int8"], rows["int8+prune10"]),
        *(named(failed, "int8+prune20"), named(absent, "int8+prune30")),
    )
    new = results_of(
        *(rows["fp32"], failed, named(absent, "int8+prune10")),
        *(rows["int8+prune20"], rows["int8+prune30"], rows["int4-dynamic"]),
    )
    assert {found.id: found.state for found in compare_results(old, new).rows} == {
        "tflite/fp32": "compared",
        "tflite/int8": "fails",
        "tflite/int8+prune10": "not available",
        "tflite/int8+prune20": "works again",
        "tflite/int8+prune30": "available again",
        "tflite/int4-dynamic": "appeared",
    }
    assert compare_results(new, old).rows[-1].state == "vanished"


def verdicts(text, old, new):
    return judge_changes([parse_gate(text)], compare_results(results_of(*old), results_of(*new)))


@pytest.mark.parametrize(
    ("figure", "worse"),
    [
        ("size", {"bytes": 110_000}),
        ("wire.gzip", {"wire_bytes": {"gzip": 88_000}}),
        ("wire.brotli", {"wire_bytes": {"brotli": 77_000}}),
        ("latency", {"blocks": blocks_around(5.5e6)}),
        ("ratio", {"ratio_to_fp32": Ratio(0.55, 0.55, 0.55)}),
        ("fidelity.top1", {"fidelity": fidelity(top1=0.9)}),
        ("accuracy.mae", {"accuracy": Accuracy("age", 9, mae=1.1, rmse=1.1, low=1.1, high=1.1)}),
        ("accuracy.rmse", {"accuracy": Accuracy("age", 9, mae=1.1, rmse=1.1, low=1.1, high=1.1)}),
    ],
)
def test_a_regression_of_ten_percent_breaks_a_gate_at_nine(figure, worse):
    old = row(
        "tflite/int8",
        ratio_to_fp32=Ratio(0.5, 0.5, 0.5),
        accuracy=Accuracy("age", 9, mae=1.0, rmse=1.0, low=1.0, high=1.0),
    )
    new = row(
        "tflite/int8", **{"ratio_to_fp32": old.ratio_to_fp32, "accuracy": old.accuracy, **worse}
    )
    (held,) = verdicts(f"{figure}.max_regression<=10.1%", [old], [new])
    (broken,) = verdicts(f"{figure}.max_regression<=9.9%", [old], [new])
    (improved,) = verdicts(f"{figure}.max_regression<=0%", [new], [old])
    assert (held.is_held, broken.is_held, improved.is_held) == (True, False, True)
    assert broken.value == pytest.approx(0.1)


def test_a_gate_on_counts_allows_one_in_a_thousand():
    old = [counted_row("tflite/int8", 1_290_000)]
    (held,) = verdicts(
        "instructions.max_regression<=0%", old, [counted_row("tflite/int8", 1_291_000)]
    )
    (broken,) = verdicts(
        "instructions.max_regression<=0%", old, [counted_row("tflite/int8", 1_293_000)]
    )
    assert (held.is_held, broken.is_held) == (True, False)


def test_a_time_is_gated_at_the_pessimistic_end():
    (found,) = verdicts("latency.max_regression<=0.2%", [timed(5e6)], [timed(5e6, seed=2)])
    assert not found.is_held
    assert found.value < 0.002 < found.judged


def test_a_row_that_fails_now_breaks_gates_on_regressions():
    old = [INT8, row("tflite/fp32")]
    new = [failed_row("tflite/int8", "signal 8"), row("tflite/fp32")]
    broken, held = verdicts("size.max_regression<=5%", old, new)
    assert (broken.is_held, broken.reason) == (False, "it failed: signal 8")
    assert held.is_held


def test_nan_outputs_of_the_new_artifact_break_gates_on_regressions():
    new = [replace(INT8, fidelity=fidelity(nan=2), accuracy=classified(985, nan=2))]
    for figure in ("fidelity.top1", "accuracy"):
        (found,) = verdicts(f"{figure}.max_regression<=99%", [INT8], new)
        assert (found.is_held, found.reason) == (False, "2 of its outputs are NaN or infinite")


def test_a_gate_that_meets_no_compared_row_is_broken():
    (found,) = verdicts("instructions.max_regression<=5%", [INT8], [INT8])
    assert not found.is_held
    assert found.reason.startswith("no row has instructions.max_regression")


# --- The command --------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """Results before and after: int8 is a tenth larger and half as fast, fp16 is new."""
    before = [row("tflite/fp32", bytes=400_000, blocks=blocks_around(10e6)), INT8]
    slower = row("tflite/int8", bytes=110_000, blocks=blocks_around(10e6), accuracy=classified(985))
    return (
        store(tmp_path / "old.json", [*before, row("onnx/fp32"), absent_row("tfjs/int8")]),
        store(
            tmp_path / "new.json",
            [before[0], slower, row("tflite/fp16"), absent_row("tfjs/int8")],
            environments={"host": {**ENVIRONMENT, "engines": {"litert": "2.4.0"}}},
        ),
    )


def test_compare_prints_what_changed_to_the_letter(cli, files):
    answer = cli("compare", *files)
    assert (answer.exit_code, answer.err) == (0, "")
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines == [
        "host: AMD EPYC, 2 cores, 1 thread; litert 2.4.0",
        "                  size  brotli       median       now / before"
        "                         ratio  top-1  SQNR  accuracy",
        "artifact            KB      KB           ms             [95 %]"
        "  verdict              to fp32      %    dB         %",
        "tflite/fp32        400    70.0         10.0  1.00 [1.00, 1.00]"
        "  not distinguishable           100.0  31.0",
        "tflite/int8  100 → 110    70.0  5.00 → 10.0  2.00 [2.00, 2.00]"
        "  slower                 0.500  100.0  31.0      98.5",
        "",
        "onnx/fp32 on host: only in the old results",
        "tflite/fp16 on host: only in the new results",
        "note: host: litert 2.3.0, now 2.4.0",
    ]


def test_compare_prints_json_for_programs(cli, files):
    answer = cli("compare", *files, "--json", "--gate", "size.max_regression<=5%")
    form = json.loads(answer.out)
    assert form["notes"] == ["host: litert 2.3.0, now 2.4.0"]
    int8 = next(entry for entry in form["rows"] if entry["id"] == "tflite/int8")
    assert int8["state"] == "compared"
    latency = next(entry for entry in int8["changes"] if entry["figure"] == "latency")
    assert (latency["old"], latency["new"], latency["verdict"]) == (5e6, 10e6, "slower")
    assert [entry["held"] for entry in form["verdicts"]] == [True, False]


@pytest.mark.parametrize(
    ("words", "exit_code", "lines"),
    [
        (("--max-regression", "100.1%"), 0, []),
        (
            ("--max-regression", "50%"),
            1,
            ["Gate broken: latency.max_regression<=50%: tflite/int8 on host has 100 %"],
        ),
        (
            ("--max-regression", "5%"),
            1,
            [
                "Gate broken: size.max_regression<=5%: tflite/int8 on host has 10.0 %",
                "Gate broken: latency.max_regression<=5%: tflite/int8 on host has 100 %",
            ],
        ),
        (
            ("--max-regression", "5%", "--gate", "latency.max_regression<=200%"),
            1,
            ["Gate broken: size.max_regression<=5%: tflite/int8 on host has 10.0 %"],
        ),
        (("--gate", "fp32 size.max_regression<=0%"), 0, []),
    ],
)
def test_regressions_are_gated_with_one_line_each(cli, files, words, exit_code, lines):
    answer = cli("compare", *files, *words)
    assert (answer.exit_code, answer.err.splitlines()) == (exit_code, lines)


def test_compare_appends_its_tables_to_a_summary(cli, files, tmp_path):
    cli("compare", *files, "--max-regression", "5%", "--summary", "summary.md")
    text = (tmp_path / "summary.md").read_text()
    assert "## edgekit: 2 of 6 gates broken" in text
    assert "## edgekit: what changed" in text
    assert "| tflite/int8 | 100 → 110 |" in text
    assert "- note: host: litert 2.3.0, now 2.4.0" in text


ANOTHER_CPU = {**ENVIRONMENT, "cpu": "Intel Xeon", "cpu_features": ["avx2", "amx_int8"]}


@pytest.mark.parametrize(
    ("more", "obstacle"),
    [
        (
            {"environments": {"host": ANOTHER_CPU}},
            "host is another machine (CPU AMD EPYC, now Intel Xeon, CPU features -avx_vnni "
            "+amx_int8)",
        ),
        (
            {"environments": {"host": {**ENVIRONMENT, "governor": "powersave"}}},
            "host is another machine (governor unknown, now powersave)",
        ),
        (
            {"environments": {"host": {**ENVIRONMENT, "logical_cores": 8}}},
            "host is another machine (cores 2, now 8)",
        ),
        ({"threads": 4}, "host is another machine (threads 1, now 4)"),
    ],
)
def test_results_of_different_machines_are_refused_unless_forced(
    cli, refused, tmp_path, more, obstacle
):
    store(tmp_path / "old.json", [INT8])
    store(tmp_path / "new.json", [INT8], **more)
    assert refused("compare", "old.json", "new.json") == (
        f"old.json and new.json should not be compared: {obstacle}. Bench both alike, or give "
        "--force.",
        WRONG_USE,
    )
    forced = cli("compare", "old.json", "new.json", "--force")
    assert forced.exit_code == 0
    assert f"compared nevertheless: {obstacle}" in forced.out


def test_cpus_of_one_name_that_webassembly_uses_differently_are_refused(refused, tmp_path):
    for name, has_them in (("old.json", True), ("new.json", False)):
        environment = {**ENVIRONMENT, "wasm_int8_dot_products": has_them}
        store(tmp_path / name, [INT8], environments={"host": environment})
    message, exit_code = refused("compare", "old.json", "new.json")
    assert "another machine (WebAssembly int8 dot products yes, now no)" in message
    assert exit_code == WRONG_USE


def test_results_of_different_models_are_refused(refused, tmp_path):
    store(tmp_path / "old.json", [INT8])
    store(tmp_path / "new.json", [replace(INT8, fidelity=fidelity(output="digit"))])
    message, exit_code = refused("compare", "old.json", "new.json")
    assert "the model is another one (outputs class, now digit)" in message
    assert exit_code == WRONG_USE


def test_results_without_a_row_in_common_are_refused(refused, tmp_path):
    store(tmp_path / "old.json", [INT8, row("tflite/fp32"), row("tflite/fp16")])
    store(tmp_path / "new.json", [counted_row("onnx/int8", 1000)])
    assert refused("compare", "old.json", "new.json") == (
        "The two results have no row in common: tflite/int8 on host, tflite/fp32 on host and 1 "
        "more before, onnx/int8 on board:pi5 now. Compare results of the same artifacts on the "
        "same devices.",
        WRONG_USE,
    )


def test_other_versions_and_plans_are_noted_only():
    old = results_of(INT8)
    new = results_of(
        replace(INT8, accuracy=classified(500, 600)),
        environments={"host": {**ENVIRONMENT, "kernel": "6.2", "python": "3.12.1"}},
        bundle="other-name",
        edgekit="0.2.0",
        plan=replace(old.plan, name="thorough"),
        samples=32,
        noise=True,
    )
    comparison = compare_results(old, new)
    assert comparison.obstacles == ()
    assert comparison.notes == (
        "host: kernel 6.1, now 6.2, Python 3.11.7, now 3.12.1",
        "bundle digits, now other-name",
        "edgekit 0.1.0, now 0.2.0",
        "plan quick, now thorough",
        "fidelity was judged on 64 samples, now on 32 samples of noise",
        "accuracy was judged on 1,000 samples, now on 600",
    )


def test_a_fact_that_one_edgekit_did_not_record_is_not_a_difference():
    bare = {name: fact for name, fact in ENVIRONMENT.items() if name != "governor"}
    old = results_of(INT8, environments={"host": bare})
    new = results_of(INT8, environments={"host": {**ENVIRONMENT, "governor": "ondemand"}})
    assert compare_results(old, new).obstacles == ()


def test_threads_of_the_command_line_are_nothing_to_a_board():
    counted = counted_row("tflite/int8", 1_290_000)
    comparison = compare_results(results_of(counted), results_of(counted, threads=4))
    assert comparison.obstacles == ()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--gate", "size<=300KB"),
            "Gate 'size<=300KB' is about one results file. Give it to edgekit check; here write, "
            "say, latency.max_regression<=5%.",
        ),
        (("--max-regression", "5"), "5 has no unit. --max-regression takes %, as in 5%."),
        (("--max-regression", "5ms"), "5ms is a time. --max-regression takes %, as in 5%."),
        (
            ("--junit", "gates.xml"),
            "--junit reports gates, and none are given: add --gate 'latency.max_regression<=5%'.",
        ),
    ],
)
def test_compare_refuses_what_it_cannot_judge(refused, tmp_path, words, message):
    store(tmp_path / "a.json", [INT8])
    assert refused("compare", "a.json", "a.json", *words) == (message, WRONG_USE)
