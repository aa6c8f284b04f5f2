"""Events are checked where they arrive."""

import pytest

from edgekit.results.events import read_events

DONE = {"event": "done"}
LOADED = {
    **{"event": "loaded", "model": "a", "ns": 5, "engine": "litert", "engine_version": "2"},
    **{"inputs": [{"name": "x", "shape": [None, 2], "dtype": "float32"}], "outputs": []},
}


def test_events_that_are_as_they_should_be_are_read():
    block = {"event": "block", "model": "a", "phase": "measure", "samples": [3, 4]}
    record = read_events([LOADED, block, {**DONE, "peak_memory_bytes": 9}])
    assert record.errors == {}
    assert record.models["a"].inputs[0].shape == (None, 2)
    assert record.models["a"].blocks["measure"] == [[3, 4]]


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({**LOADED, "model": "b", "ns": "5"}, "expected `int`, got `str` at ns"),
        (
            {"event": "block", "model": "b", "phase": "measure", "samples": [-1]},
            "expected `int` >= 0 at samples[0]",
        ),
        ({"event": "outputs", "model": "b", "start": 0, "arrays": {"y": 3}}, "at arrays[...]"),
        ({"model": "b"}, "missing required field `event`"),
        (["done"], "expected `object`, got `array`"),
    ],
)
def test_an_event_that_is_not_one_is_the_fault_of_the_model_at_work(event, fault):
    record = read_events([LOADED, {"event": "running", "model": "b"}, event, DONE])
    assert record.errors.keys() == {"b"}
    assert fault in record.errors["b"]
    assert "another version of edgekit?" in record.errors["b"]


def test_an_event_of_a_kind_that_is_not_known_is_passed_over():
    assert read_events([{"event": "weather", "rain": True}, DONE]).errors == {}
