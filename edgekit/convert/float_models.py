"""The float models of a conversion: each is judged before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.bundle.manifest import ArtifactRecord
from edgekit.bundle.notes import Note
from edgekit.bundle.recipe import Recipe
from edgekit.convert.advice import low_fidelity
from edgekit.convert.check import Checked
from edgekit.convert.judging import (
    FLOAT,
    FLOAT_SQNR_DB,
    HALF,
    ROUNDING,
    Judge,
    LazyGraph,
    least_sqnr_db,
)
from edgekit.files import remove
from edgekit_converters.formats import FormatWriter
from edgekit_converters.graph.modifiers import Modification
from edgekit_runtimes.errors import ConversionError
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.reordered import OPTION

if TYPE_CHECKING:
    from edgekit.results.fidelity import Fidelity

Check = Callable[[Path, ArtifactRecord], Checked]
_Key = tuple[str, tuple[Modification, ...]]


class FloatModels:
    """What is known of the float models, by format and modifications.

    run_check: runs an artifact on the golden samples.
    work: a folder for float models that nobody asked for.
    """

    def __init__(self, judge: Judge, run_check: Check, work: Path) -> None:
        self.run_check = run_check
        self._judge = judge
        self._work = work
        # What is wrong with each, as its dependents say it; "" for those that are right.
        self._faults: dict[_Key, str] = {}

    def take(self, finished: ArtifactRecord, recipe: Recipe) -> None:
        """Take in a row that an earlier conversion finished: its float model was right."""
        if recipe.quantization == FLOAT:
            self._faults[finished.format, recipe.modifications] = ""

    def judge(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        path: Path,
        graph: LazyGraph,
        fidelity: Fidelity | None,
    ) -> tuple[Note, ...]:
        """Return what is to be said of an artifact's fidelity.

        graph: what it was written from. fidelity: None where nothing here could run it.
        Raises ConversionError where a float model computes something else.
        """
        if fidelity is None:
            return ()
        if recipe.quantization == FLOAT:
            compared = None if recipe.modifications else fidelity
            verdict = self._judge.judge_float(record, path, graph, compared)
            if verdict.fault:
                told = f"not made: its float model differs from the original (see {record.id})"
                self._faults[record.format, recipe.modifications] = told
                raise ConversionError(verdict.fault)
            self._faults[record.format, recipe.modifications] = ""
            if verdict.notes or not recipe.modifications:
                return verdict.notes
        limit = least_sqnr_db(recipe.quantization if not recipe.modifications else "")
        if fidelity.sqnr_db >= limit:
            return ()
        place = None
        if recipe.quantization == HALF:
            place = self._judge.where_it_falls(record, path, graph, limit)
        return (low_fidelity(fidelity.sqnr_db, limit, place),)

    def prove(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        writer: FormatWriter,
        prepared: Any,
        graph: LazyGraph,
    ) -> None:
        """Raise ConversionError if the float model that an artifact is made from is wrong.

        One that was not asked for is written and judged here, once for each format: what
        modifiers change are its numbers and sizes, not what it is made of.
        """
        name = record.format
        keys: list[_Key] = [(name, recipe.modifications), (name, ())]
        known = [self._faults[key] for key in keys if key in self._faults]
        if not known:
            kept = {key: value for key, value in record.engine_options.items() if key == OPTION}
            known = [self._fault(name, recipe, writer, prepared, graph, kept)]
            self._faults[name, ()] = known[0]
        if known[0]:
            raise ConversionError(known[0])

    def _fault(
        self,
        name: str,
        recipe: Recipe,
        writer: FormatWriter,
        prepared: Any,
        graph: LazyGraph,
        options: Mapping[str, Any],
    ) -> str:
        record = ArtifactRecord(f"{name}/{FLOAT}", name, FLOAT, "ok", engine_options=options)
        path = self._work / FORMATS[name].path("float")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            writer.write(prepared, FLOAT, path, None, record.io, "low")
            found = self.run_check(path, record).fidelity
            if found is None:
                return ""
            compared = None if recipe.modifications else found
            verdict = self._judge.judge_float(record, path, graph, compared)
        finally:
            remove(path)
        return f"not made: its float model {verdict.fault}" if verdict.fault else ""


def is_doubtful(made: ArtifactRecord, recipe: Recipe) -> bool:
    """Return whether a finished row is of a float model that may be wrong.

    An edgekit that did not judge them may have made it.
    """
    if recipe.quantization != FLOAT or recipe.modifications or made.fidelity is None:
        return False
    is_judged = any(ROUNDING in note.figures for note in made.notes)
    return made.fidelity.sqnr_db < FLOAT_SQNR_DB and not is_judged
