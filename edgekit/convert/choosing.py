"""Which form of a graph a quantized artifact is made from: what measures best is kept.

Each form is written as an artifact and run by its own engine on calibration samples that are set
apart; one that does not load is not chosen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.bundle.notes import Note
from edgekit.convert.answers import graph_answers
from edgekit.convert.check import check
from edgekit.files import disk_fault, remove
from edgekit_converters.effort import Effort
from edgekit_converters.formats import RECIPES, FormatWriter
from edgekit_runtimes.devices import Device
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.reordered import OPTION
from edgekit_runtimes.tensors import Arrays, Preprocessing, unbatch

if TYPE_CHECKING:
    from edgekit.bundle.manifest import ArtifactRecord
    from edgekit.bundle.recipe import Recipe
    from edgekit_converters.calibration import Calibration
    from edgekit_converters.graph.frozen import FrozenGraph
    from edgekit_converters.quantize.attempts import Attempts

# Less than this is what other samples would show by chance.
LEAST_GAIN_DB = 0.5
# Nobody misses what is lost beyond it, and nothing is tried.
GOOD_DB = 45.0
# Ranges of attempts are learned from at most so many samples: they are compared with each other.
ATTEMPT_SAMPLES = 100
# Rounded, and equalized and rounded.
MOST_FORMS = 2
# Nothing is tried while an attempt is written.
ONCE: Effort = "low"


@dataclass(frozen=True)
class Chosen:
    """What an artifact is made from. prepared: by its format. notes: what was done to it."""

    prepared: Any
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class _Form:
    """A form of a graph, prepared by a format. done: what was done to it."""

    done: tuple[str, ...]
    prepared: Any


class Chooser:
    """Chooses forms of the graphs of one conversion.

    calibration: None where there is none: then nothing is tried. work: a folder for attempts.
    """

    def __init__(
        self, calibration: Calibration | None, effort: Effort, device: Device, work: Path
    ) -> None:
        self._calibration = calibration
        self._effort = effort
        self._device = device
        self._work = work
        self._attempts: dict[int, Attempts] = {}
        self._samples: dict[int, GoldenSamples] = {}
        # Those of the last format and grid: a form of a large model is as large as that.
        self._forms: tuple[Any, list[_Form]] = (None, [])

    def choose(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
        graph: FrozenGraph,
        prepared: Any,
    ) -> Chosen:
        """Return what to make an artifact from: `prepared`, or what did better than that."""
        declared = RECIPES[record.format][recipe.quantization]
        calibration = self._calibration
        if self._effort == "low" or not declared.grid or calibration is None:
            return Chosen(prepared)
        choosing = calibration.choosing
        if choosing is None:
            return Chosen(prepared)
        attempts = self._attempts_of(graph, calibration)
        if not attempts.covers(declared.grid):
            return Chosen(prepared)
        samples = self._samples_of(graph, choosing)
        first = self._level(record, recipe, writer, prepared, samples)
        if not math.isfinite(first) or first >= GOOD_DB:
            return Chosen(prepared)
        done: tuple[str, ...] = ()
        best, level = prepared, first
        for form in self._forms_of(record.format, writer, attempts, declared.grid):
            found = self._level(record, recipe, writer, form.prepared, samples)
            if found > max(level, first + LEAST_GAIN_DB):
                best, level, done = form.prepared, found, form.done
        return Chosen(best, _notes(done, first, level, self._count(samples)))

    def _forms_of(
        self, name: str, writer: FormatWriter, attempts: Attempts, grid: Mapping[str, int]
    ) -> list[_Form]:
        """Return what to try, prepared once for all recipes of a format that have this grid.

        Where there is no time for all, what hardly ever is the best is left out.
        """
        key = (name, id(attempts), tuple(sorted(grid.items())))
        if self._forms[0] != key:
            made = attempts.made(grid)
            if self._effort != "high":
                made = itertools.islice(made, MOST_FORMS)
            self._forms = (key, [_Form(one.done, writer.prepare(one.graph)) for one in made])
        return self._forms[1]

    def _attempts_of(self, graph: FrozenGraph, calibration: Calibration) -> Attempts:
        from edgekit_converters.quantize.attempts import Attempts

        return self._attempts.setdefault(id(graph), Attempts(graph, calibration.fitting))

    def _samples_of(self, graph: FrozenGraph, choosing: Calibration) -> GoldenSamples:
        """Return the samples that choose, with what the graph answers to them."""
        if id(graph) not in self._samples:
            samples = list(choosing)
            folder = self._work / f"choosing{len(self._samples)}"
            folder.mkdir(parents=True, exist_ok=True)
            files = {}
            for number, spec in enumerate(graph.input_specs):
                files[spec.name] = (folder / f"{number}.npy").resolve()
                np.save(files[spec.name], _stacked(samples, spec.name, graph))
            self._samples[id(graph)] = GoldenSamples(
                graph.input_specs, files, graph_answers(graph, iter(samples)), Preprocessing()
            )
        return self._samples[id(graph)]

    def _level(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
        prepared: Any,
        samples: GoldenSamples,
    ) -> float:
        """Return the SQNR of an artifact; -inf where it cannot be made, loaded or run."""
        path = self._work / FORMATS[record.format].path("attempt")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fitting = self._fitting().reordered(record.engine_options.get(OPTION, {}))
            writer.write(prepared, recipe.quantization, path, fitting, record.io, ONCE)
            found = check(path, record.format, record.engine_options, samples, self._device)
        except Exception as error:
            if disk_fault(error):
                raise
            return -math.inf
        finally:
            remove(path)
        return found.fidelity.sqnr_db if found.fidelity is not None else -math.inf

    def _fitting(self) -> Calibration:
        from edgekit_converters.calibration import Calibration

        assert self._calibration is not None
        fitting = self._calibration.fitting
        return Calibration(lambda: itertools.islice(fitting, ATTEMPT_SAMPLES))

    @staticmethod
    def _count(samples: GoldenSamples) -> int:
        return len(next(iter(samples.outputs.values())))


def _stacked(samples: list[Arrays], name: str, graph: FrozenGraph) -> Any:
    return np.stack([unbatch(sample[name], graph.batched) for sample in samples])


def _notes(done: tuple[str, ...], before: float, after: float, samples: int) -> tuple[Note, ...]:
    if not done:
        return ()
    return (
        Note(
            "note",
            f"{' and '.join(done)}: {after:.1f} dB instead of {before:.1f} on {samples} samples "
            "that were set apart to choose by",
            {"chosen_db": after, "plain_db": before},
        ),
    )
