"""Which form of a graph a quantized artifact is made from: what measures best is kept.

Each form is written as an artifact and run by its own engine on calibration samples that are set
apart; one that does not load is not chosen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.bundle.notes import Note
from edgekit.convert.answers import graph_answers
from edgekit.convert.check import check_all
from edgekit.files import disk_fault, remove
from edgekit_converters.effort import Effort
from edgekit_converters.formats import RECIPES, FormatWriter
from edgekit_runtimes.devices import Device
from edgekit_runtimes.errors import ConversionError
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
LEAST_GAIN_DB = 1.0
# Nobody misses what is lost beyond it, and nothing is tried.
GOOD_DB = 45.0
# Attempts are calibrated by at most so many samples: they are compared with each other.
ATTEMPT_SAMPLES = 100
# Nothing is tried while an attempt is written.
ONCE: Effort = "low"
# Recipes whose numbers lose nothing worth choosing for.
FLOATS = ("fp32", "fp16")
# So many of the attempts are made, the most promising first.
MOST_ATTEMPTS: Mapping[Effort, int] = {"low": 0, "default": 1, "high": 9}


@dataclass(frozen=True)
class Forms:
    """The forms of one graph.

    given: as its source or its modifiers left it. folded: with its scales and offsets in its
    layers; the very same where there are none but those that every format folds.
    """

    given: FrozenGraph
    folded: FrozenGraph


@dataclass(frozen=True)
class Chosen:
    """What an artifact is made from. prepared: by its format. notes: what was done to it."""

    prepared: Any
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class _Candidate:
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
        # Of the graph that was last asked about: those of a large model are as large as that.
        self._graph: FrozenGraph | None = None
        self._attempts: Attempts | None = None
        self._samples: GoldenSamples | None = None
        self._made: dict[Any, list[_Candidate]] = {}

    def choose(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
        forms: Forms,
        prepared: Any,
    ) -> Chosen:
        """Return what to make an artifact from: `prepared`, or what does better than that.

        prepared: the folded form, by the artifact's format.
        """
        choosing = self._calibration.choosing if self._calibration is not None else None
        if self._effort == "low" or recipe.quantization in FLOATS or choosing is None:
            return Chosen(prepared)
        self._turn_to(forms.given)
        candidates = [_Candidate((), prepared)]
        if forms.folded is not forms.given:
            candidates += self._once((record.format,), lambda: [_prepared(writer, (), forms.given)])
        if grid := RECIPES[record.format][recipe.quantization].grid:
            candidates += self._once(
                (record.format, *sorted(grid.items())),
                lambda: self._attempted(writer, forms, grid),
            )
        if len(candidates) == 1:
            return Chosen(prepared)
        return self._best(record, recipe, writer, candidates, self._samples_of(forms, choosing))

    def _best(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
        candidates: Sequence[_Candidate],
        samples: GoldenSamples,
    ) -> Chosen:
        levels = self._levels(record, recipe, writer, candidates, samples)
        plain = max(level for one, level in zip(candidates, levels, strict=True) if not one.done)
        best = max(range(len(levels)), key=lambda place: levels[place])
        if plain >= GOOD_DB or levels[best] < plain + LEAST_GAIN_DB:
            best = levels.index(plain)
        one = candidates[best]
        if not one.done:
            return Chosen(one.prepared)
        count = len(next(iter(samples.outputs.values())))
        text = (
            f"{' and '.join(one.done)}: {levels[best]:.1f} dB instead of {plain:.1f} on {count} "
            "samples that were set apart to choose by"
        )
        figures = {"chosen_db": levels[best], "plain_db": plain}
        return Chosen(one.prepared, (Note("note", text, figures),))

    def _levels(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
        candidates: Sequence[_Candidate],
        samples: GoldenSamples,
    ) -> list[float]:
        """Return the SQNR of each candidate; -inf where it cannot be made, loaded or run."""
        suffix = FORMATS[record.format]
        paths = [self._work / suffix.path(f"attempt{place}") for place in range(len(candidates))]
        written = {}
        try:
            for path, one in zip(paths, candidates, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                if self._is_written(path, one.prepared, record, recipe, writer):
                    written[path] = one
            found = check_all(
                list(written), record.format, record.engine_options, samples, self._device
            )
        finally:
            for path in paths:
                remove(path)
        return [found[path].sqnr_db if path in found else -math.inf for path in paths]

    def _is_written(
        self,
        path: Path,
        prepared: Any,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
    ) -> bool:
        from edgekit_converters.calibration import Calibration

        assert self._calibration is not None
        axes = record.engine_options.get(OPTION, {})
        fitting = self._calibration.fitting.reordered(axes)
        few = Calibration(lambda: itertools.islice(fitting, ATTEMPT_SAMPLES))
        try:
            writer.write(prepared, recipe.quantization, path, few, record.io, ONCE)
        except Exception as error:
            if disk_fault(error):
                raise
            return False
        return True

    def _turn_to(self, graph: FrozenGraph) -> None:
        if self._graph is not graph:
            self._graph, self._attempts, self._samples, self._made = graph, None, None, {}

    def _once(self, key: Any, make: Callable[[], list[_Candidate]]) -> list[_Candidate]:
        if key not in self._made:
            # One format is dealt with after the other: what the last one prepared is not needed.
            self._made = {k: made for k, made in self._made.items() if k[0] == key[0]}
            self._made[key] = make()
        return self._made[key]

    def _attempted(
        self, writer: FormatWriter, forms: Forms, grid: Mapping[str, int]
    ) -> list[_Candidate]:
        """Return what is tried; nothing where no layer has the grid, or no form can be prepared."""
        count = MOST_ATTEMPTS[self._effort]
        try:
            attempts = self._attempts_of(forms)
            made = itertools.islice(attempts.made(grid), count) if attempts.covers(grid) else ()
            return [_prepared(writer, one.done, one.graph) for one in made]
        except ConversionError:
            return []

    def _attempts_of(self, forms: Forms) -> Attempts:
        from edgekit_converters.quantize.attempts import Attempts

        if self._attempts is None:
            assert self._calibration is not None
            self._attempts = Attempts(forms.folded, self._calibration.fitting)
        return self._attempts

    def _samples_of(self, forms: Forms, choosing: Calibration) -> GoldenSamples:
        """Return the samples that choose, with what the graph answers to them."""
        if self._samples is None:
            samples, graph = list(choosing), forms.given
            folder = self._work / "choosing"
            folder.mkdir(parents=True, exist_ok=True)
            files = {}
            for number, spec in enumerate(graph.input_specs):
                files[spec.name] = (folder / f"{number}.npy").resolve()
                np.save(files[spec.name], _stacked(samples, spec.name, graph))
            self._samples = GoldenSamples(
                graph.input_specs, files, graph_answers(graph, iter(samples)), Preprocessing()
            )
        return self._samples


def _prepared(writer: FormatWriter, done: tuple[str, ...], graph: FrozenGraph) -> _Candidate:
    return _Candidate(done, writer.prepare(graph))


def _stacked(samples: list[Arrays], name: str, graph: FrozenGraph) -> Any:
    return np.stack([unbatch(sample[name], graph.batched) for sample in samples])
