"""What is right: the rules by which artifacts are judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.bundle.manifest import ArtifactRecord
from edgekit.bundle.notes import Note
from edgekit.convert.answers import artifact_answers, one_sample, ready_samples
from edgekit.convert.closeness import NEAR_ZERO, closeness
from edgekit.convert.differing import Differing, first_differing
from edgekit.convert.reference import Reference
from edgekit_runtimes.devices import Device
from edgekit_runtimes.errors import EdgekitError, NotAvailableError
from edgekit_runtimes.tensors import Arrays

if TYPE_CHECKING:
    from edgekit.results.fidelity import Fidelity, OutputFidelity
    from edgekit_converters.graph.frozen import FrozenGraph

# Returns the graph that an artifact was written from. Raises NotAvailableError where it was written
# from the source itself, of which there is no graph.
LazyGraph = Callable[[], "FrozenGraph"]

FLOAT = "fp32"
HALF = "fp16"

# Two float32 computations of one graph, each in its own order, agree to 100 dB and more (the nets
# of benchmarks/fidelity_fresh.py: 120 and more); what was computed wrongly had 25 and less.
FLOAT_SQNR_DB = 60.0
# float16 has 11 binary places, which is 66 dB for one number; a net keeps 50 to 70 of it. Half of
# the decibels gone means that somewhere numbers cancel or leave float16's range.
HALF_SQNR_DB = 30.0
# Below 10 dB the error has more than a tenth of the signal's power: the outputs are no longer
# those of the same model, even if top-1 is right by luck.
LOW_SQNR_DB = 10.0

# A graph whose outputs move as much when its numbers are rounded anew has no better answer than
# that in float32. Artifacts that are right came out 2 dB below to 10 above what one such rounding
# leaves (six small nets: 131 to 139 dB where it left 129 to 135). EfficientNetB0 with statistics of
# images, on noise, which it blows up to outputs of 1,460: 79 where it left 81, and rounding the
# input alone 86; TensorFlow's own two ways of running it are 82 apart. A fault is 50 dB below.
ROUNDING_MARGIN_DB = 12.0
# The figure of the note that says so.
ROUNDING = "rounding_db"


HALF_NOTE = Note(
    "note",
    "the original computes in half precision and this in float32: they differ by what half "
    "precision rounds off",
)


def least_sqnr_db(quantization: str) -> float:
    """Return the SQNR under which an artifact of a quantization is not as it should be."""
    return {FLOAT: FLOAT_SQNR_DB, HALF: HALF_SQNR_DB}.get(quantization, LOW_SQNR_DB)


@dataclass(frozen=True)
class Verdict:
    """What a judge found of a float model.

    notes: what the user should know. fault: how it differs from what it should be; "" if it does
    not.
    """

    notes: tuple[Note, ...] = ()
    fault: str = ""


class Judge:
    """Judges the float models of one conversion, and says where an artifact goes wrong.

    golden: the samples, and the original's outputs for them. device: where artifacts are run.
    work: a folder for what is only made to find a fault.
    """

    def __init__(self, golden: GoldenSamples, device: Device, work: Path) -> None:
        self._golden = golden
        self._device = device
        self._work = work
        self._references: dict[int, Reference] = {}

    def judge_float(
        self, record: ArtifactRecord, path: Path, graph: LazyGraph, fidelity: Fidelity | None
    ) -> Verdict:
        """Return whether a float model computes what its graph does.

        graph: returns what it was written from. fidelity: to the original; None where the graph was
        modified, and is itself what the artifact is compared with. So it is where the original
        computes in half precision.
        """
        golden = self._golden
        if fidelity is not None and all(
            self._is_float(one) and _is_exact(it) for one, it in fidelity.outputs.items()
        ):
            return Verdict()
        frozen = _known(graph)
        is_half = frozen is not None and frozen.half
        if frozen and (fidelity is None or is_half):
            golden = replace(golden, outputs=self._reference(frozen).answers)
        found = artifact_answers(path, record.format, record.engine_options, golden, self._device)
        levels = {one: closeness(array, found[one]) for one, array in golden.outputs.items()}
        wrong = {one: level for one, level in levels.items() if level < self._limit_db(one)}
        if not wrong:
            return Verdict((HALF_NOTE,) if is_half else ())
        if frozen is None:
            worst = min(wrong, key=lambda one: wrong[one])
            return Verdict(fault=_difference(worst, wrong[worst], self._limit_db(worst), None))
        own = self._reference(frozen).rounding_levels
        worst = max(wrong, key=lambda one: _shortfall(wrong[one], own[one]))
        if _shortfall(wrong[worst], own[worst]) <= ROUNDING_MARGIN_DB:
            return Verdict((_rounding_note(worst, wrong[worst], own[worst]),))
        place = self._where(record, path, frozen, found, FLOAT_SQNR_DB)
        return Verdict(fault=_difference(worst, wrong[worst], self._limit_db(worst), place))

    def where_it_falls(
        self, record: ArtifactRecord, path: Path, graph: LazyGraph, limit_db: float
    ) -> Differing | None:
        """Return the first tensor of an artifact under a limit; None where none can be named."""
        try:
            golden = self._golden
            found = artifact_answers(
                path, record.format, record.engine_options, golden, self._device
            )
            return self._where(record, path, graph(), found, limit_db)
        except EdgekitError:
            return None

    def _where(
        self,
        record: ArtifactRecord,
        path: Path,
        graph: FrozenGraph,
        found: Arrays,
        limit_db: float,
    ) -> Differing | None:
        from edgekit_converters.inner.frozen import FrozenValues

        index = _worst_sample(self._golden.outputs, found)
        sample = one_sample(self._golden, index, self._work)
        values = FrozenValues(graph, next(ready_samples(sample)))

        def run(copy: Path) -> Arrays:
            return artifact_answers(
                copy, record.format, record.engine_options, sample, self._device
            )

        return first_differing(record.format, path, values, limit_db, run)

    def _reference(self, graph: FrozenGraph) -> Reference:
        return self._references.setdefault(id(graph), Reference(graph, self._golden))

    def _is_float(self, name: str) -> bool:
        return self._golden.outputs[name].dtype.kind == "f"

    def _limit_db(self, name: str) -> float:
        """Return what an output must reach: integers and truth values must be the same."""
        return FLOAT_SQNR_DB if self._is_float(name) else math.inf


def _known(graph: LazyGraph) -> FrozenGraph | None:
    try:
        return graph()
    except NotAvailableError:
        return None


def _is_exact(output: OutputFidelity) -> bool:
    is_close = output.sqnr_db >= FLOAT_SQNR_DB or output.max_abs_error <= NEAR_ZERO
    return is_close and not output.nan and not output.original_nan


def _shortfall(level: float, own: float) -> float:
    """Return how many dB `level` is under `own`; both may be infinite."""
    return own - level if level < own else 0.0


def _worst_sample(expected: Arrays, found: Arrays) -> int:
    """Return the number of the sample with the lowest level."""
    count = len(next(iter(expected.values())))
    levels = [
        min(closeness(array[place], found[name][place]) for name, array in expected.items())
        for place in range(count)
    ]
    return int(np.argmin(levels))


def _rounding_note(name: str, level: float, own: float) -> Note:
    return Note(
        "note",
        f"SQNR of '{name}' is {level:.1f} dB, and more is not to be had in float32: rounding the "
        f"model's own numbers anew changes it as much ({own:.1f} dB)",
        {"sqnr_db": level, ROUNDING: own},
    )


def _difference(name: str, level: float, limit_db: float, place: Differing | None) -> str:
    wanted = f"{limit_db:.0f} dB" if math.isfinite(limit_db) else "the same values"
    where = f" The first tensor that differs is {place}." if place else ""
    return (
        f"differs from the original: output '{name}' has an SQNR of {level:.1f} dB, and float32 "
        f"must give {wanted}.{where} Replace that layer, or leave the format out with --to."
    )
