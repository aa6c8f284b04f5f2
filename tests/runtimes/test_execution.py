"""What engines tell about how they run a model, and how the worker passes it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jobs
import numpy as np
import pytest
import small_artifacts
from jobs import NUMPY, ONNXRUNTIME, TFLITE_RUNTIME

from edgekit_runtimes.devices import open_device
from edgekit_runtimes.engines.optimized import count_nodes, optimized_execution
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.job import Job, JobModel, Plan

Bundles = Callable[..., Path]

RECIPES = "fp32,fp16,int8-weights,int8-dynamic,int8,int16x8,int4-dynamic,fp32+prune50"


@pytest.fixture(scope="module")
def executions(bundles: Bundles) -> dict[str, Execution]:
    """How each artifact of conv_net is run, by its id."""
    bundle = bundles("conv_net", "--recipe", RECIPES)
    return jobs.executions_of(bundle, image=np.zeros((1, 28, 28, 1), np.float32))


@pytest.mark.parametrize("recipe", ["fp32", "fp16", "int8-weights", "int8", "fp32+prune50"])
def test_xnnpack_takes_all_nodes_of_a_net_of_one_kind(
    executions: dict[str, Execution], recipe: str
) -> None:
    execution = executions[f"tflite/{recipe}"]
    assert (execution.ops, execution.outside) == ({"DELEGATE": 1}, ())


@pytest.mark.parametrize(
    ("recipe", "left"),
    [
        ("int8-dynamic", {"DEPTHWISE_CONV_2D": 1}),
        # It has 4-bit kernels for dense layers, and the depthwise one stayed float.
        ("int4-dynamic", {"CONV_2D": 3}),
    ],
)
def test_what_xnnpack_has_no_kernels_for_is_left_outside(
    executions: dict[str, Execution], recipe: str, left: dict[str, int]
) -> None:
    execution = executions[f"tflite/{recipe}"]
    ops = dict(execution.ops)
    assert ops.pop("DELEGATE") >= 2
    assert ops == left
    assert execution.outside is not None
    assert len(execution.outside) == sum(left.values())


def test_xnnpack_takes_nothing_of_16_bit_activations(executions: dict[str, Execution]) -> None:
    execution = executions["tflite/int16x8"]
    assert "DELEGATE" not in execution.ops
    assert execution.outside == tuple(range(execution.nodes))


def test_onnxruntime_multiplies_int8_kernels_of_a_static_artifact(
    executions: dict[str, Execution],
) -> None:
    execution = executions["onnx/int8"]
    assert execution.ops["QLinearConv"] == 4
    assert execution.kernels.keys() <= {"int8", "uint8"}
    assert sum(execution.kernels.values()) == 5
    assert sum(execution.ops.values()) < execution.nodes


@pytest.mark.parametrize("recipe", ["fp32", "int8-weights"])
def test_onnxruntime_expands_weights_that_are_only_stored_small(
    executions: dict[str, Execution], recipe: str
) -> None:
    execution = executions[f"onnx/{recipe}"]
    assert execution.kernels == {"float32": 5}
    assert execution.ops == executions["onnx/fp32"].ops


def test_onnxruntime_tells_of_what_it_adds_to_half_precision(
    executions: dict[str, Execution],
) -> None:
    half, full = (sum(executions[f"onnx/{recipe}"].ops.values()) for recipe in ("fp16", "fp32"))
    assert half > full
    assert executions["onnx/fp16"].ops["Cast"] >= 2


def test_tflite_runtime_leaves_int8_to_its_interpreter(
    bundles: Bundles, old_python: Path, tmp_path: Path
) -> None:
    bundle = bundles("conv_net", "--recipe", RECIPES)
    path = bundle / "tflite" / "int8.tflite"
    files = jobs.save_inputs(tmp_path, image=np.zeros((1, 28, 28, 1), np.float32))
    with open_device(f"host:{old_python}") as device:
        model = JobModel("int8", TFLITE_RUNTIME, str(path))
        events = jobs.run_job(device, Job((model,), files, explain=True))
    (event,) = jobs.of_kind(events, "execution")
    assert event["outside"] == list(range(event["nodes"]))


def test_nothing_is_told_unless_asked_for(tmp_path: Path) -> None:
    path = small_artifacts.write_onnx(tmp_path / "dense.onnx")
    files = jobs.save_inputs(tmp_path, x=small_artifacts.inputs(1))
    with open_device("host") as host:
        events = jobs.run_job(host, Job((JobModel("dense", ONNXRUNTIME, str(path)),), files))
    assert jobs.of_kind(events, "execution") == []


def test_it_is_told_after_everything_that_is_measured(tmp_path: Path) -> None:
    path = small_artifacts.write_onnx(tmp_path / "dense.onnx")
    files = jobs.save_inputs(tmp_path, x=small_artifacts.inputs(2))
    job = Job(
        (JobModel("dense", ONNXRUNTIME, str(path)),),
        files,
        plan=Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=2),
        outputs=2,
        explain=True,
    )
    with open_device("host") as host:
        kinds = [event["event"] for event in jobs.run_job(host, job)]
    assert kinds[-2:] == ["execution", "done"]
    assert kinds.count("execution") == 1


def test_an_engine_that_tells_nothing_is_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    path = jobs.write_numpy_model(tmp_path / "double.json")
    files = jobs.save_inputs(tmp_path, x=np.ones((1, 3), np.float32))
    with open_device("host") as host:
        job = Job((JobModel("double", NUMPY, path),), files, explain=True)
        events = jobs.run_job(host, job)
    assert [event["event"] for event in events][-2:] == ["first_run", "done"]


def test_the_reader_of_onnx_files_agrees_with_the_onnx_package(tmp_path: Path) -> None:
    import onnx

    path = small_artifacts.write_onnx(tmp_path / "dense.onnx")
    content = path.read_bytes()
    assert count_nodes(content) == len(onnx.load(path).graph.node) == 3
    assert optimized_execution(content, 3) == Execution(
        nodes=3, ops={"MatMul": 2, "Relu": 1}, kernels={"float32": 2}
    )


def test_a_file_that_is_not_a_protobuf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wire type 7"):
        optimized_execution(b"\xff\x01", 0)
    with pytest.raises(ValueError, match="ends in the middle"):
        optimized_execution(b"\xff", 0)


def test_an_execution_survives_json() -> None:
    for execution in (
        Execution(3, {"DELEGATE": 1, "SOFTMAX": 1}, outside=(2,)),
        Execution(3, {"QLinearConv": 2}, kernels={"int8": 2}),
    ):
        assert Execution.from_json(execution.to_json()) == execution
