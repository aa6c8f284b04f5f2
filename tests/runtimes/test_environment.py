"""The facts about the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from edgekit_runtimes.environment import describe_environment


def test_the_environment_tells_what_a_measurement_depends_on() -> None:
    facts = json.loads(json.dumps(describe_environment()))
    assert facts["machine"] == platform.machine()
    assert facts["python"] == platform.python_version()
    assert facts["numpy"] == np.__version__
    assert facts["logical_cores"] == len(os.sched_getaffinity(0))
    assert facts["cpu"]
    assert facts["memory_bytes"] > 1e8
    assert 0 < facts["clock_resolution_ns"] < 1000


def test_the_cores_are_those_that_the_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert describe_environment()["logical_cores"] == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_peak_memory_grows_with_what_is_touched() -> None:
    # In a separate process: what is touched here may stay below this one's peak.
    before, after = printed_by("print(peak_memory_bytes()); np.ones(25_000_000, np.float64)")
    assert after - before == pytest.approx(200e6, rel=0.05)


def test_peak_memory_is_not_inherited_from_a_big_parent() -> None:
    parent = np.ones(50_000_000, np.float64)
    (peak,) = printed_by("")
    assert peak < parent.nbytes / 2


def printed_by(script: str) -> list[int]:
    """Run a script in a fresh Python, and return what it prints and its peak at the end."""
    lines = [
        "import numpy as np",
        "from edgekit_runtimes.environment import peak_memory_bytes",
        script,
        "print(peak_memory_bytes())",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return [int(line) for line in answer.stdout.split()]
