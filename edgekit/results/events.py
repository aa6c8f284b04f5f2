"""What workers send, checked on arrival.

A worker may run on any machine, in a page, and in another version than this one: an event that does
not match `job.schema.json` is that device's fault, not edgekit's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from edgekit.forms import Count, OverZero, fault_of, from_form
from edgekit.results.environment import EnvironmentFacts
from edgekit.results.results import Conditions
from edgekit_runtimes.errors import DeviceError
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol import events as protocol
from edgekit_runtimes.protocol.events import Phase, ProcessRecord, TakeOutputs
from edgekit_runtimes.protocol.job import Event


class _OfModel(msgspec.Struct):
    model: str


class _Quantization(msgspec.Struct):
    scale: OverZero
    zero_point: int


class _Spec(msgspec.Struct):
    name: str
    shape: list[Count | None]
    dtype: str
    quantization: _Quantization | None = None


class _Loaded(_OfModel):
    ns: Count
    engine: str
    engine_version: str
    inputs: list[_Spec]
    outputs: list[_Spec]
    download_ns: Count | None = None
    start_ns: Count | None = None


class _FirstRun(_OfModel):
    ns: Count


class _Array(msgspec.Struct):
    dtype: str
    shape: list[Count]
    data: str


class _Outputs(_OfModel):
    start: Count
    arrays: dict[str, _Array]


class _Block(_OfModel):
    phase: Phase
    samples: list[Count]
    conditions: Conditions | None = None


class _Error(msgspec.Struct):
    message: str
    model: str | None = None


class _Done(msgspec.Struct):
    peak_memory_bytes: Count | None = None


_KINDS: Mapping[str, Any] = {
    "environment": EnvironmentFacts,
    "loading": _OfModel,
    "loaded": _Loaded,
    "first_run": _FirstRun,
    "running": _OfModel,
    "outputs": _Outputs,
    "block": _Block,
    "execution": Execution,
    "error": _Error,
    "done": _Done,
}


class _Named(msgspec.Struct):
    event: str


def read_events(events: Iterable[Event], take_outputs: TakeOutputs | None = None) -> ProcessRecord:
    """Return what the events of one job say, as `protocol.read_events` does, each one checked.

    One that is not as it should be ends the job: it is an error of the model that was named last.
    """
    return protocol.read_events(map(checked, events), take_outputs)


def checked(event: Event) -> Event:
    """Return an event if it matches its kind; unknown kinds pass.

    Raises DeviceError if it is not.
    """
    kind = "an event"
    try:
        kind = from_form(event, _Named).event
        if kind in _KINDS:
            from_form(event, _KINDS[kind])
    except ValueError as error:
        raise DeviceError(
            f"the worker sent '{kind}' as no worker should ({fault_of(error)}). Is it of another "
            "version of edgekit?"
        ) from error
    return event
