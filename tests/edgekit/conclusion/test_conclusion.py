"""The conclusion of a device: what is best, what is a tie, what is left out and what to avoid."""

from dataclasses import replace

import numpy as np
import pytest
from results_by_hand import blocks_around, classified, counted, made_fidelity, row

from edgekit.conclusion.between import Timing
from edgekit.conclusion.conclusion import conclusions
from edgekit.conclusion.sentences import sentences
from edgekit.results.statistics import Ratio

FP32 = row("tflite/fp32", blocks=blocks_around(10e6), bytes=400_000)


def told(*rows):
    return [line for found in conclusions(rows) for line in sentences(found, rows)]


def test_the_fastest_artifact_is_the_best_and_the_smallest_is_named_beside_it():
    int8 = row("tflite/int8", ratio_to_fp32=Ratio(0.54, 0.53, 0.55), bytes=160_000)
    stored = row("tflite/int8-weights", ratio_to_fp32=Ratio(1.0, 0.98, 1.02), bytes=120_000)
    assert told(FP32, int8, stored) == [
        "Best on host: tflite/int8: 0.540 of tflite/fp32's time [0.530, 0.550], 0.400 of its size, "
        "fidelity 31.0 dB.",
        "Smallest: tflite/int8-weights: 0.300 of tflite/fp32's size.",
    ]


def test_a_tie_is_said_as_a_tie_and_its_smallest_is_taken():
    fast = row("tflite/fp16", ratio_to_fp32=Ratio(0.95, 0.85, 1.06), bytes=200_000)
    alike = row("tflite/int8", ratio_to_fp32=Ratio(0.97, 0.90, 1.05), bytes=100_000)
    assert told(FP32, fast, alike) == [
        "Best on host: tflite/int8: 0.970 of tflite/fp32's time [0.900, 1.05], 0.250 of its size, "
        "fidelity 31.0 dB. Not distinguishable from it in time: tflite/fp16, tflite/fp32."
    ]


def test_lost_accuracy_leaves_an_artifact_out_however_fast_it_is():
    judged = classified(900, lost=80)
    worse = replace(judged.differences["top1"], verdict="worse", p=0.001)
    lossy = row("tflite/int8", accuracy=replace(judged, differences={"top1": worse}))
    assert told(FP32, lossy)[-1] == (
        "Left out: tflite/int8 (accuracy worse by 8.0 [7.6, 8.4] points)."
    )


def test_low_fidelity_counts_only_where_labels_do_not_decide():
    poor = made_fidelity(0.99, 12.0)
    assert told(FP32, row("tflite/int8", fidelity=poor))[-1] == (
        "Left out: tflite/int8 (low fidelity (12.0 dB))."
    )
    judged = row("tflite/int8", fidelity=poor, accuracy=classified(985))
    assert "accuracy the same" in told(FP32, judged)[0]


def test_outputs_that_are_nan_are_never_recommended():
    broken = row("tflite/int8", fidelity=made_fidelity(0.0, float("-inf"), nan=3))
    assert told(FP32, broken)[-1] == "Left out: tflite/int8 (outputs are NaN)."


def test_nothing_is_recommended_where_every_artifact_loses_too_much():
    poor = made_fidelity(0.5, 5.0)
    rows = (replace(FP32, fidelity=poor), row("tflite/int8", fidelity=poor))
    assert told(*rows)[0] == "Nothing to recommend on host: every artifact loses too much."


def test_what_is_slower_than_its_fp32_is_to_be_avoided_with_its_ratio():
    slow = row("tflite/fp16", ratio_to_fp32=Ratio(1.32, 1.28, 1.36), bytes=400_000)
    assert "Avoid tflite/fp16, 1.32 of tflite/fp32's time [1.28, 1.36]." in told(FP32, slow)


@pytest.mark.parametrize("rows", [(), (FP32,), (FP32, row("original"))])
def test_a_single_artifact_needs_no_conclusion(rows):
    assert conclusions(rows) == []


def test_counts_of_a_board_are_instructions_and_never_called_faster():
    rows = [counted(FP32), counted(row("tflite/int8", ratio_to_fp32=Ratio(0.5, 0.5, 0.5)))]
    first = told(*rows)[0]
    assert first.startswith("Fewest instructions on board:pi5: tflite/int8: 0.500 of tflite/fp32's")
    assert "time" not in first


def test_each_device_has_its_own_conclusion():
    rows = [FP32, row("tflite/int8"), *(replace(one, device="pi") for one in (FP32, FP32))]
    assert [found.device for found in conclusions(rows)] == ["host", "pi"]


# --- Rows of different formats --------------------------------------------------------------


def test_rows_of_two_formats_are_compared_by_way_of_their_fp32():
    other = row("onnx/fp32", blocks=blocks_around(20e6, spread=0.01))
    near = replace(FP32, blocks=blocks_around(10e6, spread=0.01, seed=2))
    int8 = row("onnx/int8", ratio_to_fp32=Ratio(0.4, 0.39, 0.41))
    timing = Timing([near, other, int8])
    ratio = timing.ratio(int8, near)
    assert ratio.value == pytest.approx(0.8, rel=0.01)
    assert ratio.verdict == "faster"
    assert timing.placed(int8).time == pytest.approx(8e6, rel=0.01)


def test_a_median_that_drifted_does_not_decide():
    # Its own median looks twice as fast: the machine was quicker when it was measured.
    drifted = row("tflite/fp16", blocks=blocks_around(5e6), ratio_to_fp32=Ratio(1.0, 0.97, 1.03))
    assert Timing([FP32, drifted]).placed(drifted).time == pytest.approx(10e6)
    assert len(conclusions([FP32, drifted])[0].best) == 2


def test_rows_without_an_interval_are_never_told_apart():
    single = row("tflite/int8", ratio_to_fp32=Ratio(0.5, None, None))
    assert len(conclusions([FP32, single])[0].best) == 2


def test_over_simulated_results_no_recommended_row_is_slower_than_another_sound_one():
    generator = np.random.default_rng(5)
    for _ in range(300):
        rows = [FP32]
        for number in range(4):
            value = float(generator.lognormal(0, 0.3))
            width = float(generator.uniform(0, 0.3))
            ratio = Ratio(value, value * (1 - width), value * (1 + width))
            size = int(generator.integers(50, 400)) * 1000
            rows.append(row(f"tflite/r{number}", ratio_to_fp32=ratio, bytes=size))
        (found,) = conclusions(rows)
        timing = Timing(rows)
        for other in rows:
            assert timing.ratio(found.best[0], other).verdict != "slower"
        for one in found.best[1:]:
            assert timing.ratio(one, found.best[0]).verdict == "not distinguishable"
