"""What is to be tuned, and what of it can be refused before anything heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from edgekit.convert.request import ConvertRequest
from edgekit.tune.candidate import MEASURED, Objective
from edgekit.tune.limit import Limit
from edgekit_runtimes.devices import CountingDevice, open_device
from edgekit_runtimes.errors import UsageError, unknown_name

SECONDS = {"s": 1, "min": 60, "h": 3600}
MOST_OBJECTIVES = 2


def _silent(_: object) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class TuneRequest:
    """What to look for.

    convert: the source, the output and how they are converted. data: labelled samples; None for
    those of the calibration data. on: the device of time and instructions; None for bytes alone.
    within: seconds; None for as long as it takes. labels_of: which output the labels are about.
    progress: called with each step; front: called with each line about what was found so far.
    """

    convert: ConvertRequest
    data: str | None
    objectives: tuple[Objective, ...]
    limit: Limit
    on: str | None = None
    within: float | None = None
    jobs: int = 1
    labels_of: str | None = None
    front: Callable[[str], None] = field(default=_silent)

    @property
    def work(self) -> Path:
        """Where an interrupted search is kept: beside the output, hidden."""
        folder = self.convert.folder
        return folder.parent / f".{folder.name}.search"


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Return one or two objectives of a list with commas. Raises UsageError."""
    known: tuple[Objective, ...] = get_args(Objective)
    found = []
    for word in dict.fromkeys(one.strip() for one in text.split(",")):
        match = next((one for one in known if one == word), None)
        if match is None:
            raise unknown_name("objective", word, known)
        found.append(match)
    if len(found) > MOST_OBJECTIVES:
        raise UsageError(
            f"--minimize {text} names {len(found)} objectives. Give one, or two with a comma."
        )
    if {*found} >= {*MEASURED}:
        raise UsageError(
            "--minimize time,instructions needs two devices, and --on is one. Give one of them."
        )
    return tuple(found)


def parse_limit(max_drop: str | None, min_sqnr: float | None) -> Limit:
    """Return what may be lost. Raises UsageError."""
    if max_drop is None:
        return Limit(None if min_sqnr is not None else 0.01, min_sqnr)
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", max_drop.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 < share < 1:
        raise UsageError(
            f"--max-drop {max_drop} is not a share of answers that may be lost. Write it as 1% or "
            "0.01."
        )
    return Limit(share, min_sqnr)


def parse_span(text: str | None) -> float | None:
    """Return the seconds of a span of time: 90s, 15min, 2h. Raises UsageError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(s|min|h)", text.strip())
    if not match or not float(match[1]):
        raise UsageError(f"--within {text} is not understood. Write it as 90s, 15min or 2h.")
    return float(match[1]) * SECONDS[match[2]]


def check_tuning(request: TuneRequest) -> None:
    """Raise UsageError for what can be refused from the words alone."""
    measured = [one for one in request.objectives if one in MEASURED]
    if measured and request.on is None:
        example = "host" if measured[0] == "time" else "board:pi5"
        raise UsageError(
            f"--minimize {measured[0]} is measured on a device. Say which: --on {example}"
        )
    if request.on is not None and not measured:
        raise UsageError(
            f"--on {request.on} measures time or instructions, and --minimize "
            f"{','.join(request.objectives)} asks for neither. Leave it out."
        )
    if request.data is None and request.convert.calibration is None:
        raise UsageError(
            "A search needs samples: without them nobody knows what an artifact loses. Give "
            "--calibration DATA, and labelled ones with --data."
        )
    if request.jobs < 1:
        raise UsageError(f"--jobs {request.jobs} is not a number of processes. Give 1 or more.")
    if request.on is not None:
        with open_device(request.on) as device:
            counts = isinstance(device, CountingDevice)
        if counts != (measured[0] == "instructions"):
            word, other = ("instructions", "time") if counts else ("time", "instructions")
            raise UsageError(
                f"{request.on} measures {word}, not {other}. Ask for --minimize {word}, or name "
                "another device."
            )
