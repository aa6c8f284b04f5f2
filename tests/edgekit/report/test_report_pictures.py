"""What the report's pictures are made of, against examples worked out by hand."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from html_page import Page
from results_by_hand import counted, made_accuracy, made_fidelity, made_ratio, noisy_row

from edgekit.conclusion.between import Timing
from edgekit.report.html.distributions import BARS, HEIGHT, count_spread, distributions
from edgekit.report.html.labels import Named, labels
from edgekit.report.html.pareto import front
from edgekit.report.html.quality import quality_of
from edgekit.report.html.scale import scale_of, ticks
from edgekit.report.html.scatter import marks
from edgekit.report.html.whisker import WIDTH, ratio_scale, whiskers
from edgekit.results.accuracy import Accuracy, AccuracyDifference
from edgekit.results.results import Block
from edgekit.results.statistics import Ratio


@pytest.mark.parametrize(
    ("points", "numbers"),
    [
        ([], []),
        ([(5, 5)], [0]),
        # c is beaten by b (smaller, faster), e by d (as large, faster), f by all but a.
        ([(1, 9), (2, 5), (3, 6), (4, 2), (4, 3), (9, 9)], [0, 1, 3]),
        ([(2, 1), (1, 2), (2, 1)], [1, 0, 2]),
        # Larger and faster by half a percent is noise, and so is twice that in two steps of one.
        ([(1, 100), (2, 99.5), (3, 98.9)], [0, 2]),
    ],
)
def test_the_front_is_what_nothing_else_beats(points, numbers):
    def is_faster(one, other):
        return points[one][1] < 0.99 * points[other][1]

    assert front([size for size, _ in points], is_faster) == numbers


def test_over_a_thousand_simulated_results_no_row_on_the_front_contradicts_a_verdict():
    generator = np.random.default_rng(3)
    fp32 = noisy_row("tflite/fp32", 400_000)
    for _ in range(1000):
        rows = [fp32]
        for number in range(5):
            value, width = generator.lognormal(0, 0.3), generator.uniform(0, 0.3)
            ratio = Ratio(value, value * (1 - width), value * (1 + width))
            size = int(generator.integers(50_000, 420_000))
            rows.append(replace(fp32, id=f"r{number}", recipe="r", bytes=size, ratio_to_fp32=ratio))
        timing = Timing(rows)

        def verdict(one, other, timing=timing, rows=rows):
            return timing.ratio(rows[one], rows[other]).verdict

        found = front([row.bytes for row in rows], lambda a, b: verdict(a, b) == "faster")
        for place, number in enumerate(found):
            assert all(verdict(number, smaller) == "faster" for smaller in found[:place])
        for number in set(range(len(rows))) - set(found):
            assert any(
                rows[other].bytes <= rows[number].bytes and verdict(number, other) != "faster"
                for other in set(range(len(rows))) - {number}
            )


def test_marks_stand_where_the_ratio_says_with_their_interval():
    fp32 = noisy_row("tflite/fp32", 400_000, time=100_000)
    drifted = noisy_row("tflite/fp16", 200_000, time=50_000, ratio_to_fp32=Ratio(1.0, 0.7, 1.4))
    rows = [fp32, drifted]
    mark = marks(rows, "ab", Timing(rows))[1]
    assert mark.times == pytest.approx([100_000, 70_000, 140_000], rel=0.02)


def test_every_mark_has_its_name_and_none_covers_another():
    generator = np.random.default_rng(2)
    centers = generator.uniform(100, 200, (12, 2))
    wanted = [Named(f"tflite/recipe{number}", *at) for number, at in enumerate(centers)]
    x, y = scale_of([1, 10], 46, 350), scale_of([1, 10], 230, 10)
    texts = labels(wanted, x, y)
    assert len(texts) == len(wanted)
    boxes = []
    for text in texts:
        found = re.search(r'class="name ?(end|)" x="([\d.]+)" y="([\d.]+)">(\S+)</text>', text)
        anchor, edge, base, name = found.groups()
        width = 5.4 * len(name)
        left = float(edge) - (width if anchor else 0)
        boxes.append((left, float(base) - 9, left + width, float(base)))
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (38, 420, [50, 70, 100, 150, 200, 300]),
        (30, 5000, [50, 100, 200, 500, 1000, 2000, 5000]),
        (1, 1e6, [10**power for power in range(7)]),
        (100, 140, [100, 110, 120, 130, 140]),
        (0.9, 1.1, [0.9, 0.95, 1.0, 1.05, 1.1]),
    ],
)
def test_axes_have_round_values_and_not_too_many(low, high, values):
    assert ticks(low, high) == pytest.approx(values)


def test_equal_ratios_are_equally_long():
    scale = scale_of([10, 1000], 0, 100)
    assert [scale.place(value) for value in (10, 100, 1000)] == pytest.approx([0, 50, 100])


def test_a_single_value_is_in_the_middle():
    assert scale_of([7.0], 0, 100).place(7.0) == pytest.approx(50)


def grades(rows, others=()):
    quality = quality_of(rows, [*rows, *others])
    return quality.title, [quality.grade(row) for row in rows]


def test_accuracy_is_graded_by_the_points_lost_against_the_best():
    original = noisy_row("original", None, accuracy=made_accuracy(980))
    rows = [
        noisy_row("tflite/int8", accuracy=made_accuracy(correct))
        for correct in (980, 970, 969, 960, 930, 880, 879)
    ]
    assert grades(rows, [original]) == ("accuracy", [0, 0, 1, 1, 2, 3, 4])


def test_without_labels_colour_is_top_1_agreement_and_without_classes_sqnr():
    shares = [noisy_row("a/b", fidelity=made_fidelity(share, 9.0)) for share in (1, 0.985, 0.5)]
    assert grades(shares) == ("top-1 agreement", [0, 1, 4])
    decibels = [
        noisy_row("a/b", fidelity=made_fidelity(None, value))
        for value in (math.inf, 40, 31, 5, -math.inf)
    ]
    assert grades(decibels) == ("SQNR", [0, 0, 1, 4, 4])


def test_regression_is_graded_by_rmse_and_nan_is_the_worst():
    rows = [
        noisy_row("a/b", accuracy=Accuracy("age", 9, mae=1.0, rmse=rmse))
        for rmse in (2.0, 2.03, None)
    ]
    assert grades(rows) == ("RMSE", [0, 1, 4])


@pytest.mark.parametrize(
    ("name", "higher_is_better", "values", "wanted"),
    [
        ("mine:iou", True, (0.800, 0.791, 0.70, None), [0, 1, 4, 4]),
        ("mine:hinge_loss", False, (0.800, 0.809, 0.9, None), [0, 1, 4, 4]),
    ],
)
def test_a_users_metric_is_graded_by_its_share_of_the_best(name, higher_is_better, values, wanted):
    same = AccuracyDifference("original", 0, 0, 0, "same", higher_is_better, "paired bootstrap")
    rows = [
        noisy_row(
            "a/b", accuracy=Accuracy("y", 9, metric=name, value=value, differences={"metric": same})
        )
        for value in values
    ]
    assert grades(rows) == (name.partition(":")[2], wanted)


def test_what_was_not_judged_has_no_grade():
    bare = noisy_row("a/b", fidelity=None)
    assert quality_of([bare], [bare]) is None
    judged = noisy_row("a/c", fidelity=made_fidelity(1.0, 40))
    assert grades([judged, bare]) == ("top-1 agreement", [0, None])


def test_times_are_shown_by_the_median_and_counts_by_the_fewest_as_in_the_table():
    fp32 = noisy_row("tflite/fp32")
    count = counted(fp32)
    assert marks([fp32], ["0"], Timing([fp32]))[0].time == fp32.statistics.median
    assert marks([count], ["0"], Timing([count]))[0].time == count.statistics.min


def test_what_has_no_size_or_no_time_is_not_in_the_picture():
    nan = noisy_row("a/nan")
    nan = replace(nan, statistics=replace(nan.statistics, median=math.nan))
    rows = [noisy_row("original", None), noisy_row("a/b", statistics=None), nan]
    assert marks(rows, ["0", "1", "2"], Timing(rows)) == []


def test_the_whisker_spans_the_interval_around_its_dot():
    ratios = [made_ratio(0.5, 0.1), None, made_ratio(2.0, 0.1)]
    scale = ratio_scale(ratios)
    first, none, last = whiskers(ratios, scale).cells
    assert none == ""
    one = f"M{scale.place(1):.1f} 0"
    assert one in first
    assert one in last
    assert f"M{scale.place(0.4):.1f} 9H{scale.place(0.6):.1f}" in first
    assert f'cx="{scale.place(2):.1f}"' in last
    assert 'class="good"' in first
    assert 'class="bad"' in last
    assert 0 < scale.place(0.4) < scale.place(2.1) < WIDTH


def test_a_ratio_that_is_not_a_number_has_no_picture():
    broken = made_ratio(math.nan)
    assert whiskers([broken], ratio_scale([broken])).cells == ("",)


def test_bars_stand_where_the_runs_are_and_a_single_slow_run_shows():
    samples = (100_000,) * 1000 + (1_000_000,)
    row = noisy_row("tflite/int8", blocks=(Block(0, "measure", samples),))
    page = Page(distributions([row], ["0"], "runs"))
    bars, median = (element.attributes for element in page.all("path"))
    single = math.ceil(math.log(2) / math.log(1001) * HEIGHT)
    first = f"M0 {HEIGHT}v-{HEIGHT}h1v{HEIGHT}z"
    last = f"M{BARS - 1} {HEIGHT}v-{single}h1v{single}z"
    assert bars["d"] == first + last
    assert median["d"] == f"M0.0 0V{HEIGHT}"
    assert page.texts("td")[1:5] == ["100", "100", "1000", "1,001"]


def test_runs_shorter_than_a_coarse_clocks_tick_stand_at_the_beginning():
    samples = (0,) * 10 + (100_000,) * 5 + (1_000_000,)
    row = noisy_row("tfjs/fp32", blocks=(Block(0, "measure", samples),))
    page = Page(distributions([row], ["0"], "runs"))
    bars, median = (element.attributes for element in page.all("path"))
    assert bars["d"].startswith("M0 ")
    assert median["d"] == f"M0.0 0V{HEIGHT}"
    assert page.texts("td")[1:4] == ["0", "865", "1000"]
    assert page.texts("span", class_="ticks") == ["1001502003005007001000"]


def test_warm_up_is_not_in_the_distribution():
    row = noisy_row("tflite/int8")
    slow = Block(0, "warmup", (10**10,))
    assert distributions([row], ["0"], "runs") == distributions(
        [replace(row, blocks=(slow, *row.blocks))], ["0"], "runs"
    )


def test_counts_have_no_distribution_but_a_spread():
    row = counted(noisy_row("tflite/int8"))
    assert distributions([row], ["0"], "runs") == ""
    least = row.statistics.min
    assert count_spread([row]) == pytest.approx((least + 200) / least - 1)
    assert count_spread([noisy_row("tflite/int8")]) is None
