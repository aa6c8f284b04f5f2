"""Blocks during which a Raspberry Pi holds its clock back are void.

The firmware is a script named vcgencmd on PATH: each call answers with the next line of a file,
and from its last line on with that one.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from jobs import NUMPY, check_events, of_kind, run_job, save_inputs, write_numpy_model
from ssh_server import write_script

from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.protocol.job import Event, Job, JobModel, Plan
from edgekit_runtimes.throttling import Conditions, Reading, measure_fit, read_firmware
from edgekit_runtimes.worker import Worker

FINE, NOW, SINCE_BOOT = "0x0", "0x50005", "0x50000"

SCRIPT = """
case $1 in
measure_temp) echo "temp=81.5'C" ;;
get_throttled)
    echo "throttled=$(head -n 1 {file})"
    if [ $(wc -l < {file}) -gt 1 ]; then sed -i 1d {file}; fi ;;
esac"""


@pytest.fixture
def firmware(tmp_path, monkeypatch):
    """Install a vcgencmd that answers get_throttled with these words, one after the other."""

    def install(*answers: str) -> None:
        file = tmp_path / "answers"
        file.write_text("".join(f"{answer}\n" for answer in answers))
        write_script(tmp_path / "firmware" / "vcgencmd", SCRIPT.format(file=file))
        monkeypatch.setenv("PATH", str(tmp_path / "firmware"), prepend=os.pathsep)

    return install


def measure(tries: int = 3) -> tuple[list[int], int, Conditions | None]:
    """Return the samples of what counted, how often it was measured, and the conditions."""
    runs: list[int] = []

    def block() -> list[int]:
        runs.append(1)
        return [len(runs)]

    samples, conditions = measure_fit(block, lambda: None, cool_down_s=0.0, tries=tries)
    return samples, len(runs), conditions


def test_a_machine_without_the_firmware_has_no_conditions():
    assert read_firmware() is None
    assert measure() == ([1], 1, None)


def test_a_firmware_that_does_not_answer_counts_as_none(tmp_path, monkeypatch):
    write_script(tmp_path / "bin" / "vcgencmd", "echo 'VCHI initialization failed'; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert measure() == ([1], 1, None)


def test_a_fit_board_is_measured_once_and_its_readings_are_kept(firmware):
    firmware(FINE)
    samples, runs, conditions = measure()
    assert (samples, runs) == ([1], 1)
    assert conditions.before.temperature_c == 81.5
    assert conditions.to_json()["after"]["throttled"] == "0x0"


def test_what_happened_before_the_block_does_not_void_it(firmware):
    firmware(SINCE_BOOT)
    assert measure()[:2] == ([1], 1)


@pytest.mark.parametrize(
    "answers",
    [
        (NOW, SINCE_BOOT, SINCE_BOOT),  # held back when it began
        (SINCE_BOOT, NOW, SINCE_BOOT),  # and when it ended
        (FINE, "0x80000", "0x80000"),  # in the middle: a bit since boot that was not there
    ],
)
def test_a_block_in_which_the_clock_was_held_back_is_measured_again(firmware, answers):
    firmware(*answers)
    assert measure()[:2] == ([2], 2)


def test_a_board_that_stays_throttled_is_given_up_with_the_reason(firmware):
    firmware(NOW)
    with pytest.raises(EngineError) as caught:
        measure(tries=2)
    assert str(caught.value) == (
        "throttled: under-voltage, throttled at 81.5 C, after 2 tries with 0 s of rest between "
        "them. Cool the board, or give it a power supply that holds its voltage, and bench again"
    )


def test_each_of_the_four_conditions_has_its_word():
    reading = Reading(0b1111, None, None, None)
    assert Conditions(reading, reading).held_back == 0b1111


def small_job(folder: Path) -> Job:
    model = write_numpy_model(folder / "model.json")
    inputs = save_inputs(folder, x=np.ones((1, 3), np.float32))
    plan = Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=2)
    return Job((JobModel("model", NUMPY, model),), inputs, plan=plan)


def run_worker(job: Job) -> list[Event]:
    events: list[Event] = []
    Worker(job, events.append, cool_down_s=0.0).run()
    check_events(events)
    return events


def test_a_worker_reports_each_block_once_with_its_conditions(firmware, tmp_path):
    # One for the environment, two for a block that is void, four for the blocks that count.
    firmware(FINE, FINE, NOW, SINCE_BOOT)
    events = run_worker(small_job(tmp_path))
    blocks = [event for event in of_kind(events, "block") if event["phase"] == "measure"]
    assert [block["conditions"]["after"]["throttled"] for block in blocks] == [SINCE_BOOT] * 2
    (environment,) = of_kind(events, "environment")
    assert environment["firmware"]["throttled"] == "0x0"


def test_a_worker_reports_a_throttled_model_as_an_error_of_that_model(firmware, tmp_path):
    firmware(NOW)
    events = run_worker(small_job(tmp_path))
    (error,) = of_kind(events, "error", "model")
    assert error["message"].startswith("throttled: under-voltage, throttled at 81.5 C, after 6")
    assert [event["phase"] for event in of_kind(events, "block")] == ["warmup"]


@pytest.mark.slow
def test_a_worker_process_rests_and_goes_on(firmware, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    firmware(FINE, NOW, FINE)
    with open_device("host") as host:
        events = run_job(host, small_job(tmp_path))
    assert of_kind(events, "error") == []
    assert len(of_kind(events, "block")) == 3
