"""Several results files as one report."""

from dataclasses import replace

import pytest
from results_by_hand import ENVIRONMENT, made_ratio, noisy_row, results_of

from edgekit.report.across import across
from edgekit.report.merge import merge

FP32 = noisy_row("tflite/fp32", 220_000)
INT8 = noisy_row("tflite/int8", 87_000, ratio_to_fp32=made_ratio(0.567))
ON_BOARD = replace(INT8, device="board:pi5", ratio_to_fp32=made_ratio(0.432))


def test_devices_stand_in_the_order_of_the_files_and_of_their_rows():
    report = merge({"b.json": results_of(ON_BOARD), "a.json": results_of(FP32, INT8)})
    assert [(section.title, section.file) for section in report.sections] == [
        ("board:pi5", "b.json"),
        ("host", "a.json"),
    ]
    assert [row.id for row in report.sections[1].rows] == ["tflite/fp32", "tflite/int8"]
    assert report.notes == ()


def test_a_file_with_two_devices_is_two_sections_with_their_own_environments():
    both = replace(
        results_of(FP32, ON_BOARD),
        environments={"host": ENVIRONMENT, "board:pi5": {"cpu": "Cortex-A76"}},
    )
    host, board = merge({"both.json": both}).sections
    assert [row.id for row in host.rows] == ["tflite/fp32"]
    assert board.results.environments == {"board:pi5": {"cpu": "Cortex-A76"}}


def test_the_same_device_twice_is_told_apart_by_its_date():
    old, new = results_of(FP32), results_of(FP32, created="2026-11-22T10:00:00+00:00")
    sections = merge({"old.json": old, "new.json": new}).sections
    assert [section.title for section in sections] == [
        "host (2026-11-21 08:37)",
        "host (2026-11-22 10:00)",
    ]
    assert {section.device for section in sections} == {"host"}
    assert all(section.results.environments[section.title] for section in sections)


def test_the_same_device_at_the_same_minute_is_told_apart_by_its_file():
    files = {"a/r.json": results_of(FP32), "b/r.json": results_of(INT8)}
    assert [section.title for section in merge(files).sections] == [
        "host (2026-11-21 08:37, a/r.json)",
        "host (2026-11-21 08:37, b/r.json)",
    ]


def test_artifacts_of_one_name_and_different_sizes_are_noted_as_another_bundle():
    other = [replace(row, device="phone", bytes=row.bytes * 2) for row in (FP32, INT8)]
    report = merge({"a.json": results_of(FP32, INT8), "b.json": results_of(*other)})
    assert report.notes == (
        "these results are not of the same bundle: tflite/fp32 has 220,000 bytes in a.json and "
        "440,000 bytes in b.json (1 more differ)",
    )


def test_files_of_different_bundles_are_told_apart_by_their_names():
    other = results_of(replace(FP32, bytes=14_000_000), ON_BOARD, bundle="mbv2")
    report = merge({"a.json": results_of(FP32), "b.json": other})
    titles = ["digits on host", "mbv2 on host", "mbv2 on board:pi5"]
    assert [section.title for section in report.sections] == titles
    assert report.title == ", ".join(titles)
    assert report.notes == (
        "these results are of different bundles: digits in a.json and mbv2 in b.json",
    )


def test_one_bundle_is_named_once_for_all_devices():
    assert merge({"a.json": results_of(FP32, ON_BOARD)}).title == "digits on host, board:pi5"


def test_ratios_of_all_devices_stand_side_by_side():
    report = merge({"a.json": results_of(FP32, INT8), "b.json": results_of(ON_BOARD)})
    assert [(column.header, column.cells) for column in across(report).columns()] == [
        ("artifact", ("tflite/int8",)),
        ("host", ("0.567 [0.547, 0.587]",)),
        ("board:pi5", ("0.432 [0.412, 0.452]",)),
    ]


@pytest.mark.parametrize("other", [replace(FP32, device="phone"), replace(INT8, device="host")])
def test_one_device_with_ratios_needs_no_table_of_all_devices(other):
    assert across(merge({"a.json": results_of(FP32, INT8, other)})) is None
