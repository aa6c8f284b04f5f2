"""Every operator that may be written computes in TF.js what it computes in TensorFlow."""

from __future__ import annotations

import pytest
from tfjs_operators.table import TABLE, Group, fault, job_of, run_cases, written

from edgekit_converters.tfjs.ops import writable_ops


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The table as written models: the groups with their jobs, and the operators in them."""
    folder, groups, jobs, ops = tmp_path_factory.mktemp("table"), [], [], set()
    for name, cases in TABLE.items():
        group = Group(name, cases)
        prepared, found = written(group, folder / name)
        groups.append((group, group.graph.run(group.inputs())))
        jobs.append(job_of(group, prepared, folder / name))
        ops |= found
    return groups, jobs, ops


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["cpu", "wasm"])
def test_every_operator_computes_as_in_tensorflow(table, tmp_path, backend):
    groups, jobs, _ = table
    results = iter(run_cases(backend, jobs, tmp_path / "job.json"))
    faults = {}
    for group, expected in groups:
        for case, names in zip(group.cases, group.outputs, strict=True):
            told = fault(next(results), [expected[name] for name in names], case.tolerance)
            # A row that is skipped must need it: a back end that has learned it is not skipped.
            if bool(told) != (backend in case.skip):
                faults[case.name] = told or "is right, and yet skipped"
    assert faults == {}


@pytest.mark.slow
def test_the_table_has_every_operator_that_may_be_written(table):
    _, _, ops = table
    assert ops == writable_ops()
