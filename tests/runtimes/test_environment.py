"""The facts about the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np

from edgekit_runtimes.environment import describe_environment, peak_memory_bytes

PRINT_PEAK = "from edgekit_runtimes.environment import *; print(peak_memory_bytes())"


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
    before = peak_memory_bytes()
    np.ones(before // 4 + 50_000_000, np.float64)
    assert peak_memory_bytes() >= 2 * before


def test_peak_memory_is_not_inherited_from_a_big_parent() -> None:
    parent = np.ones(50_000_000, np.float64)
    result = subprocess.run(
        [sys.executable, "-c", PRINT_PEAK], check=True, capture_output=True, text=True
    )
    assert int(result.stdout) < parent.nbytes / 2
