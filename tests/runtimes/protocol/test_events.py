"""What the events of one worker process come to."""

import numpy as np

from edgekit_runtimes.errors import ArtifactError, DeviceError
from edgekit_runtimes.protocol.events import read_events
from edgekit_runtimes.tensors import encode_array

ENVIRONMENT = {"event": "environment", "cpu": "fast one"}
DONE = {"event": "done"}


def loaded(model):
    engine = {"engine": "litert", "engine_version": "2", "inputs": [], "outputs": []}
    return {"event": "loaded", "model": model, "ns": 5, **engine}


def block(model, phase, samples):
    return {"event": "block", "model": model, "phase": phase, "samples": samples}


def test_events_are_sorted_by_model_and_phase():
    record = read_events(
        [
            ENVIRONMENT,
            loaded("a"),
            {"event": "first_run", "model": "a", "ns": 7},
            loaded("b"),
            block("a", "warmup", [9]),
            block("a", "measure", [3, 4]),
            block("b", "measure", [5]),
            block("a", "measure", [6]),
            DONE,
        ]
    )
    assert record.environment == {"cpu": "fast one"}
    assert (record.models["a"].load_ns, record.models["a"].first_run_ns) == (5, 7)
    assert record.models["a"].blocks == {"warmup": [[9]], "measure": [[3, 4], [6]]}
    assert record.models["b"].blocks["measure"] == [[5]]
    assert record.models["b"].engine == "litert"
    assert record.errors == {}


def test_a_stream_without_its_end_is_an_error_of_the_model_that_was_named_last():
    record = read_events([ENVIRONMENT, loaded("a"), {"event": "loading", "model": "b"}])
    assert record.errors == {"b": "the worker stopped in the middle of its job"}


def test_the_workers_own_reason_is_kept_for_a_stream_that_ends_with_it():
    record = read_events([ENVIRONMENT, {"event": "error", "model": "a", "message": "died"}])
    assert record.errors == {"a": "died"}


def test_a_second_model_that_dies_after_another_failed_is_an_error_too():
    events = [
        {"event": "error", "model": "a", "message": "refused"},
        {"event": "running", "model": "b"},
    ]
    assert set(read_events(events).errors) == {"a", "b"}


def test_a_device_that_fails_is_an_error_of_the_process():
    def events():
        raise DeviceError("no worker")
        yield

    assert read_events(events()).errors == {"": "no worker"}


def test_an_error_of_the_job_names_no_model():
    record = read_events([{"event": "error", "model": None, "message": "no samples"}, DONE])
    assert record.errors == {"": "no samples"}


def test_outputs_are_handed_on_and_a_refusal_is_the_models_error():
    taken = []

    def take(model, start, arrays):
        if start:
            raise ArtifactError("too wide")
        taken.append((model, arrays["y"].tolist()))

    def outputs(start):
        arrays = {"y": encode_array(np.array([[1.0, 2.0]], np.float32))}
        return {"event": "outputs", "model": "a", "start": start, "arrays": arrays}

    record = read_events([outputs(0), outputs(1), outputs(2), DONE], take)
    assert taken == [("a", [[1.0, 2.0]])]
    assert record.errors == {"a": "too wide"}
