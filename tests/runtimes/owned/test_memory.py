"""A worker takes no more memory than it may, and says so in its row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit_runtimes.devices.host.device import Host
from edgekit_runtimes.owned.memory import available_bytes, hint
from edgekit_runtimes.protocol.job import Job, JobModel

GREEDY_BYTES = 6_400_000_000


def write_greedy(path: Path) -> Path:
    """Write an ONNX of under 1 KB that makes 6.4 GB of zeros of its input x: float32 [1]."""
    shape = numpy_helper.from_array(np.array([40_000, 40_000], np.int64), "shape")
    nodes = [
        helper.make_node("Expand", ["x", "shape"], ["large"]),
        helper.make_node("ReduceSum", ["large"], ["y"], keepdims=0),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    graph = helper.make_graph(nodes, "greedy", [x], [y], [shape])
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
    return path


def test_a_model_that_asks_for_more_than_a_worker_may_take_is_an_error_that_says_so(
    tmp_path: Path,
) -> None:
    path = write_greedy(tmp_path / "greedy.onnx")
    assert path.stat().st_size < 1000
    np.save(tmp_path / "x.npy", np.zeros((1, 1), np.float32))
    engine = "edgekit_runtimes.engines.onnxruntime"
    job = Job((JobModel("greedy", engine, str(path)),), {"x": str(tmp_path / "x.npy")}, outputs=1)
    with Host(memory_bytes=1_000_000_000) as device:
        events = list(device.run(job))
    (error,) = (event for event in events if event["event"] == "error")
    assert error["model"] == "greedy"
    assert error["message"].endswith("(a worker may take 1.0 GB here; --memory says how much)")
    assert events[-1]["event"] == "done"
    assert events[-1]["peak_memory_bytes"] < 1_000_000_000 < GREEDY_BYTES


def test_by_default_the_limit_is_what_is_available_less_a_reserve() -> None:
    program = "import sys; from edgekit_runtimes.owned.memory import *; print(limit_memory('auto'))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    available = available_bytes()
    assert available
    assert 400_000_000 < int(answer.stdout) < available


def test_only_messages_about_memory_get_the_hint() -> None:
    assert hint("std::bad_alloc", 2 * 10**9).endswith(
        "(a worker may take 2.0 GB here; --memory says how much)"
    )
    assert hint("std::bad_alloc", None) == "std::bad_alloc"
    assert hint("no such operator", 10**9) == "no such operator"
