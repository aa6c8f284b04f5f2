"""What one worker process reported: its events, sorted by model.

The sender of a job reads its events with `read_events`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgekit_runtimes.errors import ConnectionLostError, DeviceError, EdgekitError
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.job import Event
from edgekit_runtimes.tensors import Arrays, TensorSpec, decode_array

Phase = Literal["warmup", "measure"]

# (model, number of the first sample, outputs by name)
TakeOutputs = Callable[[str, int, Arrays], None]


@dataclass
class ModelRecord:
    """What one process said about one model.

    inputs, outputs: what it takes and gives, once it is loaded.
    blocks: samples in ns, one list per block, in the order of time.
    conditions: what the firmware said before and after each block; None if there is none to ask.
    """

    load_ns: int | None = None
    first_run_ns: int | None = None
    download_ns: int | None = None
    start_ns: int | None = None
    engine: str | None = None
    engine_version: str | None = None
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    execution: Execution | None = None
    blocks: dict[Phase, list[list[int]]] = field(
        default_factory=lambda: {"warmup": [], "measure": []}
    )
    conditions: dict[Phase, list[Mapping[str, Any] | None]] = field(
        default_factory=lambda: {"warmup": [], "measure": []}
    )

    def blocks_with_conditions(
        self, phase: Phase
    ) -> Iterable[tuple[list[int], Mapping[str, Any] | None]]:
        """Return each block of a phase with its conditions."""
        return zip(self.blocks[phase], self.conditions[phase], strict=True)


@dataclass
class ProcessRecord:
    """What one process said.

    peak_memory_bytes: None if the process did not end well, or does not know it, as a page.
    errors: the reason of each model that failed; of "" if the process failed as a whole.
    lost: the connection to it, if that dropped: what was said by then counts.
    """

    environment: dict[str, Any] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    models: dict[str, ModelRecord] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    lost: ConnectionLostError | None = None

    def added_to(self, environment: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of the device, with what this process says about it.

        The first process to say something is believed; engines are known as models are loaded.
        """
        loaded = {
            model.engine: model.engine_version for model in self.models.values() if model.engine
        }
        engines = {**environment.get("engines", {}), **loaded}
        return {**self.environment, **environment, "engines": engines}

    @property
    def failure(self) -> str | None:
        """Why the first model that failed did, or the process as a whole; None if none did.

        Raises ConnectionLostError if the connection dropped.
        """
        self.raise_if_lost()
        return next(iter(self.errors.values()), None)

    def raise_if_lost(self) -> None:
        """Raise ConnectionLostError if the connection dropped."""
        if self.lost:
            raise self.lost


def named_last(event: Event, before: str | None) -> str | None:
    """Return the model that was named last, given the one before: a crash is blamed on it."""
    return event.get("model") or before


def read_events(events: Iterable[Event], take_outputs: TakeOutputs | None = None) -> ProcessRecord:
    """Return what the events of one job say; outputs go to `take_outputs` as they arrive.

    Nothing is raised for a model or a process that fails: the last model that was named is the
    one that was running when a process died. What `take_outputs` raises (an EdgekitError) becomes
    that model's error too.
    """
    record = ProcessRecord()
    last: str | None = None
    is_done = False
    try:
        for event in events:
            last = named_last(event, last)
            is_done = is_done or event["event"] == "done"
            _take(event, record, take_outputs)
    except ConnectionLostError as error:
        record.lost = error
    except DeviceError as error:
        record.errors.setdefault(last or "", str(error))
    else:
        if not is_done:
            record.errors.setdefault(last or "", "the worker stopped in the middle of its job")
    return record


def _take(event: Event, record: ProcessRecord, take_outputs: TakeOutputs | None) -> None:
    kind, name = event["event"], event.get("model") or ""
    if kind == "environment":
        record.environment = {key: value for key, value in event.items() if key != "event"}
        return
    if kind == "done":
        record.peak_memory_bytes = event.get("peak_memory_bytes")
        return
    if kind == "error":
        record.errors.setdefault(name, event["message"])
        return
    model = record.models.setdefault(name, ModelRecord()) if name else ModelRecord()
    if kind == "loaded":
        model.load_ns = event["ns"]
        model.download_ns, model.start_ns = event.get("download_ns"), event.get("start_ns")
        model.engine, model.engine_version = event["engine"], event["engine_version"]
        model.inputs, model.outputs = _specs(event["inputs"]), _specs(event["outputs"])
    elif kind == "execution":
        model.execution = Execution.from_json(event)
    elif kind == "first_run":
        model.first_run_ns = event["ns"]
    elif kind == "block":
        model.blocks[event["phase"]].append(event["samples"])
        model.conditions[event["phase"]].append(event.get("conditions"))
    elif kind == "outputs" and take_outputs is not None and name not in record.errors:
        arrays = {output: decode_array(form) for output, form in event["arrays"].items()}
        try:
            take_outputs(name, event["start"], arrays)
        except EdgekitError as error:
            record.errors[name] = str(error)


def _specs(forms: Iterable[Mapping[str, Any]]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec.from_json(form) for form in forms)
