"""Which models are measured beside which, and in what order."""

from pathlib import Path

from edgekit.bench.candidates import Candidate, reference_of
from edgekit.bench.schedule import TimedGroup, groups, schedule
from edgekit.inspect.subject import Subject
from edgekit.results.plan import QUICK, THOROUGH
from edgekit_runtimes.devices import EngineChoice
from edgekit_runtimes.timing import plan_blocks


def candidate(name, engine="litert", worker=""):
    subject = Subject(name, *name.split("/"), path=Path(name), bytes=1)
    choice = EngineChoice(engine, engine, worker=worker)
    return Candidate(f"{name} ({engine})" if engine != "litert" else name, subject, choice)


ALL = [
    candidate(name)
    for name in ("tflite/fp32", "tflite/int8", "onnx/fp32", "onnx/fp32+prune50", "tfjs/fp16")
]


def test_the_original_is_measured_beside_the_fp32_artifact_of_each_format():
    first = groups(ALL, with_original=True)[0]
    assert first.members == first.timed == ("original", "tflite/fp32", "onnx/fp32")


def test_every_other_artifact_is_paired_with_the_fp32_artifact_of_its_format():
    assert groups(ALL, with_original=False)[1:] == [
        TimedGroup(("tflite/fp32", "tflite/int8"), ("tflite/int8",)),
        TimedGroup(("onnx/fp32", "onnx/fp32+prune50"), ("onnx/fp32+prune50",)),
        TimedGroup(("tfjs/fp16",), ("tfjs/fp16",)),
    ]


def test_what_another_worker_runs_is_measured_in_a_group_of_its_own():
    in_python = ("original", "tflite/fp32", "onnx/fp32")
    under_node = [candidate(f"tfjs/{recipe}", worker="node") for recipe in ("fp32", "fp16")]
    assert groups([*ALL[:3], *under_node], with_original=True) == [
        TimedGroup(in_python, in_python),
        TimedGroup(("tfjs/fp32",), ("tfjs/fp32",)),
        TimedGroup(("tflite/fp32", "tflite/int8"), ("tflite/int8",)),
        TimedGroup(("tfjs/fp32", "tfjs/fp16"), ("tfjs/fp16",)),
    ]


def test_without_original_and_fp32_there_is_no_first_group():
    assert groups([candidate("tflite/int8")], with_original=False) == [
        TimedGroup(("tflite/int8",), ("tflite/int8",))
    ]


def test_every_artifact_is_paired_with_the_fp32_artifact_of_its_engine():
    other = [candidate(name, "other") for name in ("tflite/fp32", "tflite/int8")]
    assert groups([*ALL[:2], *other], with_original=False) == [
        TimedGroup(("tflite/fp32", "tflite/fp32 (other)"), ("tflite/fp32", "tflite/fp32 (other)")),
        TimedGroup(("tflite/fp32", "tflite/int8"), ("tflite/int8",)),
        TimedGroup(("tflite/fp32 (other)", "tflite/int8 (other)"), ("tflite/int8 (other)",)),
    ]


def test_a_pruned_fp32_artifact_is_not_a_reference():
    assert reference_of(ALL[3], ALL) == ALL[2]
    assert reference_of(ALL[2], ALL) is None
    assert reference_of(ALL[4], ALL) is None


def test_groups_take_turns_and_every_other_process_begins_with_the_other_model():
    pair = TimedGroup(("tflite/fp32", "tflite/int8"), ("tflite/int8",))
    single = TimedGroup(("tfjs/fp16",), ("tfjs/fp16",))
    turned = TimedGroup(("tflite/int8", "tflite/fp32"), ("tflite/int8",))
    assert list(schedule([pair, single], 3)) == [
        *((0, pair), (0, single)),
        *((1, turned), (1, single)),
        *((2, pair), (2, single)),
    ]


def test_a_quick_plan_has_fifty_runs_and_a_second_a_side_over_three_processes():
    worker = QUICK.worker
    assert QUICK.processes >= 3
    assert QUICK.processes * worker.min_runs >= 50
    assert QUICK.processes * worker.min_s >= 1
    assert worker.warmup_runs >= 1
    assert worker.warmup_s >= 0.5


def test_a_thorough_plan_has_1024_runs_and_a_minute_a_side_over_five_processes():
    worker = THOROUGH.worker
    assert THOROUGH.processes >= 5
    assert THOROUGH.processes * worker.min_runs >= 1_024
    assert THOROUGH.processes * worker.min_s >= 60
    # However slow a model is, it has its runs.
    rounds, runs = plan_blocks(worker, {"a": [60 * 10**9]})
    assert 2 * rounds * runs["a"] >= worker.min_runs
