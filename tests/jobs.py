"""Jobs and their events, for the tests of engines, workers and devices."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

import edgekit_runtimes
from edgekit_runtimes.devices import Device, open_device
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.job import Event, Job, JobModel
from edgekit_runtimes.tensors import Array, Arrays, decode_array

LITERT = "edgekit_runtimes.engines.litert"
TFLITE_RUNTIME = "edgekit_runtimes.engines.tflite_runtime"
ONNXRUNTIME = "edgekit_runtimes.engines.onnxruntime"
NUMPY = "numpy_engine"

SCHEMA: dict[str, Any] = json.loads(
    (Path(edgekit_runtimes.__file__).parent / "protocol" / "job.schema.json").read_text()
)


def save_inputs(folder: Path, **arrays: Any) -> dict[str, str]:
    """Write each array as a .npy file and return the paths by name, as a job wants them."""
    paths = {}
    for name, array in arrays.items():
        paths[name] = str(folder / f"{name}.npy")
        np.save(paths[name], array)
    return paths


def write_numpy_model(path: Path, does: str = "", **arguments: Any) -> str:
    """Write a model for numpy_engine and return its path."""
    path.write_text(json.dumps({"does": does, **arguments}))
    return str(path)


def run_job(device: Device, job: Job) -> list[Event]:
    """Run a job; the job and each event must fit the schema."""
    Draft202012Validator(SCHEMA).validate(json.loads(job.to_json()))
    events = list(device.run(job))
    check_events(events)
    return events


def executions_of(bundle: Path, **samples: Any) -> dict[str, Execution]:
    """Return how the TFLite and ONNX artifacts of a bundle are run on this machine, by id."""
    models = [
        JobModel(
            f"{form}/{path.stem}",
            engine,
            str(path),
            {"disable_quant_qdq": path.stem == "int8-weights"} if form == "onnx" else {},
        )
        for form, engine in (("tflite", LITERT), ("onnx", ONNXRUNTIME))
        for path in sorted((bundle / form).iterdir())
    ]
    with tempfile.TemporaryDirectory() as folder, open_device("host") as host:
        inputs = save_inputs(Path(folder), **samples)
        events = run_job(host, Job(tuple(models), inputs, explain=True))
    told = of_kind(events, "execution")
    return {event["model"]: Execution.from_json(event) for event in told}


def check_events(events: Iterable[Event]) -> None:
    """Raise jsonschema's ValidationError where an event does not fit the schema of its kind."""
    kinds = {
        SCHEMA["$defs"][entry["$ref"].split("/")[-1]]["properties"]["event"]["const"]: entry
        for entry in SCHEMA["$defs"]["Event"]["anyOf"]
    }
    for event in events:
        Draft202012Validator({**kinds[event["event"]], "$defs": SCHEMA["$defs"]}).validate(event)


def of_kind(events: Iterable[Event], kind: str, model: str | None = None) -> list[Event]:
    """Return the events of a kind, of one model or of all."""
    return [
        event for event in events if event["event"] == kind and model in (None, event.get("model"))
    ]


def outputs_of(events: Iterable[Event], model: str) -> Arrays:
    """Return the outputs that a model reported, chunks put together."""
    chunks = of_kind(events, "outputs", model)
    pieces: dict[str, list[Array]] = {name: [] for name in chunks[0]["arrays"]}
    for chunk in chunks:
        arrays: Mapping[str, Any] = chunk["arrays"]
        for name, form in arrays.items():
            pieces[name].append(decode_array(form))
    return {name: np.concatenate(arrays) for name, arrays in pieces.items()}
