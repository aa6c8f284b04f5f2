"""The table of operators on the WebGL back end, in one page of Chromium."""

from __future__ import annotations

from collections import Counter

import browsers
import pytest
from jobs import of_kind, outputs_of, run_job, save_inputs
from tfjs_operators.table import TABLE, Group, fault, written

from edgekit_runtimes.devices import open_device
from edgekit_runtimes.devices.browser.backends import choose_engines
from edgekit_runtimes.protocol.job import Job, JobModel

# Sines, powers and sums of a GPU; WebGL asks no more of them.
TOLERANCE = 1e-3


# Each shape of each operator is a shader to compile: the first uses of each must do.
USES = 2


def for_webgl(cases):
    """Return the cases to run; NaN, infinity and integers beyond 2^24 are left to the driver."""
    counts = Counter()
    for case in cases:
        operator = case.name.partition(" ")[0]
        is_plain = not case.name.endswith(("specials", "overflow", "scalar"))
        if is_plain and "webgl" not in case.skip and counts[operator] < USES:
            counts[operator] += 1
            yield case


@pytest.mark.browser
@pytest.mark.slow
def test_every_operator_computes_on_webgl_as_in_tensorflow(tmp_path):
    browsers.need("chromium")
    groups, models, arrays = {}, [], {}
    choice = choose_engines("tfjs", "webgl")[0]
    options = {"backend": choice.backend, "threads": 1}
    for name, cases in TABLE.items():
        groups[name] = group = Group(name, list(for_webgl(cases)), flat=True)
        written(group, tmp_path / name)
        models.append(JobModel(name, str(choice.module), str(tmp_path / name), options))
        arrays[name] = group.inputs()[name][None]
    inputs = save_inputs(tmp_path, **arrays)
    with open_device("browser:webgl") as device:
        events = run_job(device, Job(tuple(models), inputs, outputs=1))
    faults = {event["model"]: event["message"] for event in of_kind(events, "error")}
    for name in groups.keys() - faults.keys():
        group, made = groups[name], outputs_of(events, name)
        expected = group.graph.run(group.inputs())
        for case, names in zip(group.cases, group.outputs, strict=True):
            wanted = [expected[output] for output in names]
            told = fault(
                [made[output][0] for output in names], wanted, max(TOLERANCE, case.tolerance)
            )
            if told:
                faults[case.name] = told
    assert faults == {}
