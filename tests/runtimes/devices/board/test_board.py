"""The device `board`: the worker in an emulated Raspberry Pi, and boards that break down."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from conftest import int8_samples
from jobs import (
    LITERT,
    ONNXRUNTIME,
    TFLITE_RUNTIME,
    check_events,
    of_kind,
    outputs_of,
    run_job,
    save_inputs,
)

from edgekit_runtimes.devices import CountingDevice, open_device
from edgekit_runtimes.devices.board import guest
from edgekit_runtimes.devices.board.device import Board
from edgekit_runtimes.errors import DeviceError, UsageError
from edgekit_runtimes.protocol.job import Event, Job, JobModel, Plan

MODEL = "int8"
COUNT = Plan(warmup_runs=1, warmup_s=0.0, block_s=0.0, rounds=0, min_runs=5)
MB = 1_000_000
# On a busy machine the guest needs ten seconds to fill its memory, without a word.
SPIN_LIMIT_S = 20.0


def model_job(folder: Path, engine: str, path: Path, **more: object) -> Job:
    inputs = save_inputs(folder, image=int8_samples()[:4])
    return Job((JobModel(MODEL, engine, str(path)),), inputs, **more)


def word_job(folder: Path, word: str) -> Job:
    """A job for board_engine, whose model does what the word says."""
    path = folder / f"{word}.word"
    path.write_text(word)
    inputs = save_inputs(folder, x=np.ones((8, 3), np.float32))
    return Job((JobModel(word, "board_engine", str(path)),), inputs, outputs=-1)


def run_jobs(device: Board, jobs: list[Job]) -> list[list[Event]]:
    """Return the events of each job, each checked against the schema."""
    events: list[list[Event]] = [[] for _ in jobs]
    for number, event in device.run_all(jobs):
        events[number].append(event)
    for found in events:
        check_events(found)
    return events


def reason_of(events: list[Event]) -> str:
    """Return the message of a stream that ends with an error and no done event."""
    assert [event["event"] for event in events[-1:]] == ["error"]
    message: str = events[-1]["message"]
    return message


# --- Opening --------------------------------------------------------------------------------------


def test_an_unknown_board_is_refused_with_the_nearest_word() -> None:
    with pytest.raises(UsageError, match=r"Unknown board 'pi6'. Did you mean 'pi5'\?"):
        open_device("board:pi6")


@pytest.mark.parametrize("spec", ["board", "board:"])
def test_a_board_without_a_name_is_refused_with_the_names_there_are(spec: str) -> None:
    with pytest.raises(UsageError, match="board:pi3, board:pi4, board:pi5"):
        open_device(spec)


def test_without_qemu_the_line_that_installs_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt-get install --no-install-recommends qemu-system-arm"):
        open_device("board:pi5")


@pytest.mark.board
def test_a_board_counts_and_runs_tflite_and_onnx_and_sends_tfjs_to_a_browser() -> None:
    with open_device("board:pi4") as device:
        assert isinstance(device, CountingDevice)
        assert (device.name, device.unit) == ("board:pi4", "instructions")
        assert device.engine_for("tflite").module == LITERT
        assert device.engine_for("onnx").module == ONNXRUNTIME
        assert device.engine_for("tfjs").module is None
        assert "browser:" in device.engine_for("tfjs").reason


# --- Counting -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted(
    tflite_files, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], list[Event], list[Event]]:
    """What a static int8 model does on a board by both engines of TFLite, and on the host."""
    path, folder = tflite_files("conv_net", int8=True), tmp_path_factory.mktemp("counted")
    job = model_job(folder, LITERT, path, plan=COUNT, outputs=-1)
    other = model_job(folder, TFLITE_RUNTIME, path, outputs=1)
    with Board("pi4") as board, open_device("host") as host:
        litert, tflite_runtime = run_jobs(board, [job, other])
        return litert, tflite_runtime, run_job(host, job)


@pytest.mark.board
@pytest.mark.slow
def test_a_static_int8_model_gives_the_hosts_outputs_bit_for_bit(
    counted: tuple[list[Event], ...],
) -> None:
    events, _, expected = counted
    found, wanted = outputs_of(events, MODEL), outputs_of(expected, MODEL)
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[output], wanted[output]) for output in found)
    assert events[-1]["event"] == "done"
    assert events[-1]["peak_memory_bytes"] < 200 * MB


@pytest.mark.board
@pytest.mark.slow
def test_counts_repeat(counted: tuple[list[Event], ...]) -> None:
    (warmup, measured) = of_kind(counted[0], "block")
    assert (len(warmup["samples"]), len(measured["samples"])) == (1, 5)
    # The kernel's timer strikes at one of five runs so short, and takes some thousands.
    fewest, *_ = counts = sorted(measured["samples"])
    assert counts[2] < 1.01 * fewest
    assert counts[4] < fewest + 30_000


@pytest.mark.board
@pytest.mark.slow
def test_tflite_runtime_runs_on_a_board_with_the_numpy_that_it_needs(
    counted: tuple[list[Event], ...],
) -> None:
    _, events, _ = counted
    (environment,) = of_kind(events, "environment")
    (loaded,) = of_kind(events, "loaded")
    assert environment["numpy"].startswith("1.")
    assert loaded["engine"] == "tflite-runtime"
    assert len(of_kind(events, "outputs")) == 1


# --- What goes wrong ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Event]]:
    """Models that die, panic, hang and fill the memory, and good ones between them."""
    words = ["die", "first", "panic", "second", "spin", "fill the memory", "third"]
    jobs = [word_job(tmp_path_factory.mktemp("words"), word) for word in words]
    missing = Job((JobModel("missing", LITERT, "/no/such.tflite"),), jobs[0].inputs)
    with Board("pi5", silence_limit_s=SPIN_LIMIT_S) as board:
        events = run_jobs(board, [*jobs, missing])
    return dict(zip([*words, "missing"], events, strict=True))


@pytest.mark.board
@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("die", "the interpreter died (signal 11, SIGSEGV)"),
        ("panic", "the kernel of pi5 panicked: sysrq triggered crash"),
        ("spin", f"pi5 gave no sign of life for {SPIN_LIMIT_S:g} s and was stopped"),
        (
            "fill the memory",
            "the interpreter was killed (signal 9, SIGKILL); often memory had run out",
        ),
    ],
)
def test_what_breaks_down_is_an_error_with_its_reason(
    broken: dict[str, list[Event]], word: str, reason: str
) -> None:
    assert reason_of(broken[word]) == reason
    assert broken[word][-1]["model"] == word


@pytest.mark.board
@pytest.mark.slow
@pytest.mark.parametrize("word", ["first", "second", "third"])
def test_the_jobs_beside_a_broken_one_are_done_and_megabytes_come_back_whole(
    broken: dict[str, list[Event]], word: str
) -> None:
    assert broken[word][-1]["event"] == "done"
    outputs = outputs_of(broken[word], word)["y"]
    assert outputs.shape == (8, 1_000_002)
    assert np.all(outputs == 1)


@pytest.mark.board
@pytest.mark.slow
def test_a_missing_model_is_the_engines_error_under_the_path_that_the_user_knows(
    broken: dict[str, list[Event]],
) -> None:
    (error,) = of_kind(broken["missing"], "error")
    assert "/no/such.tflite" in error["message"]
    assert broken["missing"][-1]["event"] == "done"


@pytest.mark.board
def test_a_job_larger_than_the_boards_memory_is_an_error_before_any_boot(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as file:
        file.truncate(2_000 * MB)
    job = Job((JobModel("large", LITERT, str(path)),), {})
    start = time.monotonic()
    with Board("pi5") as board:
        board.prepare(lambda step: None)
        (error,) = board.run(job)
    assert "are 2000 MB, and the emulated board has room for" in error["message"]
    assert time.monotonic() - start < 5


@pytest.mark.board
def test_a_board_that_does_not_boot_is_a_device_error_with_qemus_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "MACHINE", "toaster")
    with (
        Board("pi5") as board,
        pytest.raises(DeviceError, match=r"ended with exit code 1: .*machine type"),
    ):
        list(board.run(word_job(tmp_path, "first")))


@pytest.mark.board
def test_closing_the_events_ends_qemu(tmp_path: Path) -> None:
    with Board("pi5") as board:
        events = board.run(word_job(tmp_path, "spin"))
        next(events)
        process = board._guest._process
        assert process.poll() is None
        events.close()
        assert process.poll() is not None
