"""The pipeline: a frozen graph becomes the artifacts of a bundle.

    frozen graph -> (modified) -> prepared once per format -> one artifact per recipe -> checked

What is of a format already is prepared for that format from the source itself, where it is not
modified (Source.own).

Each artifact is run on the golden samples right after it is written, and only then takes its
place in the bundle. The float model of a format comes first: where it is not what the original is,
nothing else is made from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.bundle.golden import store_golden
from edgekit.bundle.manifest import ArtifactRecord
from edgekit.bundle.notes import Note
from edgekit.convert.advice import calibration_notes, with_advice
from edgekit.convert.check import Checked, check
from edgekit.convert.choosing import Chooser, Chosen, Forms
from edgekit.convert.explaining import Explainer
from edgekit.convert.float_models import FloatModels, is_doubtful
from edgekit.convert.judging import FLOAT, Judge
from edgekit.convert.wire import wire_size
from edgekit.files import disk_fault, remove
from edgekit.results.results import Status
from edgekit_converters.formats import RECIPES, FormatWriter
from edgekit_converters.graph.modifiers import Modification, modify
from edgekit_runtimes.artifact import sha256_of, size_of
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import EdgekitError, NotAvailableError, UsageError, first_line
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.reordered import OPTION, Axes

if TYPE_CHECKING:
    from edgekit.bundle.recipe import Recipe
    from edgekit.convert.request import ConvertRequest
    from edgekit_converters.calibration import Calibration
    from edgekit_converters.graph.frozen import FrozenGraph
    from edgekit_converters.sources import OwnModel, Source


class Pipeline:
    """One run of the conversion: what all its artifacts share.

    bundle: as it is now; each artifact replaces it.
    rows: of the artifacts that were asked for, in the order in which they were dealt with.
    work: a folder in the bundle for what is not finished.
    """

    def __init__(
        self,
        bundle: Bundle,
        request: ConvertRequest,
        writers: Mapping[str, FormatWriter],
        calibration: Calibration | None,
        work: Path,
    ) -> None:
        self.bundle = bundle
        self.rows: list[ArtifactRecord] = []
        self._request = request
        self._writers = writers
        self._calibration = calibration
        self._work = work
        self._source_axes: Axes = {}

    def run(self, source: Source) -> None:
        """Make every artifact of a source that is not there yet."""
        self._source_axes = source.graph.source_axes
        golden = store_golden(self.bundle, self._work)
        with open_device("host") as device:

            def run_check(path: Path, record: ArtifactRecord) -> Checked:
                return check(path, record.format, record.engine_options, golden, device)

            self._chooser = Chooser(self._calibration, self._request.effort, device, self._work)
            self._explainer = Explainer(self._calibration, golden, device)
            floats = FloatModels(Judge(golden, device, self._work), run_check, self._work)
            frozen = _Once(source.frozen)
            groups: dict[tuple[Modification, ...], list[Recipe]] = {}
            for recipe in sorted(self._request.effective_recipes, key=_turn):
                groups.setdefault(recipe.modifications, []).append(recipe)
            for modifications, group in groups.items():
                forms = _Once(functools.partial(_forms, frozen, modifications))
                for name in self._writers:
                    own = None if modifications else source.own.get(name)
                    self._run_format(name, forms, own, group, floats)
        self._advise()

    def _run_format(
        self,
        name: str,
        forms: Callable[[], Forms],
        own: OwnModel | None,
        recipes: Sequence[Recipe],
        floats: FloatModels,
    ) -> None:
        writer = self._writers[name]

        def folded() -> FrozenGraph:
            return forms().folded

        axes = self._source_axes if RECIPES[name].keeps_source_axes else {}
        prepare = _Once(own.make if own else lambda: writer.prepare(folded()))
        said = (Note("note", own.note),) if own else ()
        for recipe in recipes:
            record = self._new_record(name, recipe, axes)
            if (finished := self._finished(record, recipe)) is not None:
                floats.take(finished, recipe)
                self._tell(finished)
                continue
            total = len(self._writers) * len(self._request.effective_recipes)
            self._request.progress(f"{record.id} ({len(self.rows) + 1} of {total})")
            place = self.bundle.folder / str(record.path)
            try:
                RECIPES[name].find(recipe.quantization)
                partial = self._work / str(record.path)
                chosen = Chosen(prepare())
                if recipe.quantization != FLOAT:
                    floats.prove(record, recipe, writer, chosen.prepared, folded)
                    if own is None:
                        chosen = self._chooser.choose(
                            record, recipe, writer, forms(), chosen.prepared
                        )
                record = self._make(record, recipe, chosen, partial, floats, folded)
                record = replace(record, notes=(*said, *record.notes))
            except NotAvailableError as error:
                self._give_up(record, place, "not available", str(error))
            except UsageError:
                raise
            except Exception as error:
                if disk_fault(error):
                    raise
                self._give_up(record, place, "failed", _reason(error))
            else:
                self._keep(record, partial, place)

    def _new_record(self, name: str, recipe: Recipe, axes: Axes) -> ArtifactRecord:
        declared = RECIPES[name].get(recipe.quantization)
        options = dict(declared.engine_options) if declared else {}
        if axes:
            options[OPTION] = {name: list(order) for name, order in axes.items()}
        return ArtifactRecord(
            id=f"{name}/{recipe}",
            format=name,
            recipe=str(recipe),
            status="ok",
            path=FORMATS[name].path(str(recipe)),
            engine_options=options,
            io=self._request.io if declared and declared.integer_io else "float",
        )

    def _finished(self, record: ArtifactRecord, recipe: Recipe) -> ArtifactRecord | None:
        """Return the row of an artifact that an earlier conversion finished."""
        for made in self.bundle.artifacts:
            if made.id == record.id and made.status == "ok" and not is_doubtful(made, recipe):
                path = self.bundle.artifact_path(made)
                is_whole = path.exists() and sha256_of(path) == made.sha256
                return made if is_whole and not self._lacks_damage(made, recipe) else None
        return None

    def _lacks_damage(self, made: ArtifactRecord, recipe: Recipe) -> bool:
        """Return whether a finished artifact is to be made again to be explained."""
        is_explained = RECIPES[made.format][recipe.quantization].explained
        return self._request.explain and is_explained and made.damage is None

    def _make(
        self,
        record: ArtifactRecord,
        recipe: Recipe,
        chosen: Chosen,
        partial: Path,
        floats: FloatModels,
        graph: Callable[[], FrozenGraph],
    ) -> ArtifactRecord:
        """Write one artifact to `partial`, check it and return its row."""
        partial.parent.mkdir(parents=True, exist_ok=True)
        calibration = self._calibration
        if calibration is not None:
            calibration = calibration.reordered(record.engine_options.get(OPTION, {}))
        notes = self._writers[record.format].write(
            chosen.prepared,
            recipe.quantization,
            partial,
            calibration,
            record.io,
            self._request.effort,
        )
        checked = floats.run_check(partial, record)
        damage = None
        if self._request.explain:
            damage = self._explainer.damage(
                record,
                recipe.quantization,
                partial,
                chosen.prepared,
                self._writers[record.format],
            )
        return replace(
            record,
            sha256=sha256_of(partial),
            bytes=size_of(partial),
            wire=wire_size(partial),
            fidelity=checked.fidelity,
            damage=damage,
            notes=(
                *(Note("note", text) for text in notes),
                *chosen.notes,
                *checked.notes,
                *floats.judge(record, recipe, partial, graph, checked.fidelity),
                *self._calibration_notes(record, recipe),
            ),
        )

    def _calibration_notes(self, record: ArtifactRecord, recipe: Recipe) -> tuple[Note, ...]:
        calibration = self._calibration
        if calibration is None or not RECIPES[record.format][recipe.quantization].needs_calibration:
            return ()
        return calibration_notes(calibration.count, self.bundle.manifest.golden.held_back)

    def _advise(self) -> None:
        """Say what to try where fidelity is low, now that all others are there to choose from."""
        samples = self._calibration.count if self._calibration else None
        for place, record in enumerate(self.rows):
            advised = with_advice(record, self.bundle.artifacts, samples)
            if advised != record:
                self.rows[place] = advised
                self.bundle = self.bundle.with_artifact(advised)

    def _keep(self, record: ArtifactRecord, partial: Path, place: Path) -> None:
        """Move a finished artifact to its place and add its row: both or none."""
        place.parent.mkdir(parents=True, exist_ok=True)
        remove(place)
        try:
            partial.replace(place)
            self._add(record)
        except BaseException:
            # The manifest on the disk decides: Ctrl-C may come right after it was replaced.
            self.bundle = load_bundle(self.bundle.folder)
            if record not in self.bundle.artifacts:
                remove(place)
            raise

    def _give_up(self, record: ArtifactRecord, place: Path, status: Status, reason: str) -> None:
        """Add the row of an artifact that could not be made; none of its files stay."""
        remove(place)
        self._add(replace(record, status=status, reason=reason, path=None, engine_options={}))

    def _add(self, record: ArtifactRecord) -> None:
        self.bundle = self.bundle.with_artifact(record)
        self._tell(record)

    def _tell(self, record: ArtifactRecord) -> None:
        self.rows.append(record)
        self._request.on_artifact(record)


class _Once:
    """A function called once, whose failure is kept as well as its result."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._error: Exception | None = None

    def __call__(self) -> Any:
        if self._error:
            raise self._error
        try:
            return self._result
        except Exception as error:
            self._error = error
            raise

    @functools.cached_property
    def _result(self) -> Any:
        return self._function()


def _forms(frozen: Callable[[], FrozenGraph], modifications: Sequence[Modification]) -> Forms:
    """Return the forms of a modified graph."""
    from edgekit_converters.quantize.folding import fold_affines

    given = modify(frozen(), modifications)
    return Forms(given, fold_affines(given))


def _turn(recipe: Recipe) -> tuple[bool, bool]:
    """Sort what is not modified first, and each float model before all that is made of it."""
    return bool(recipe.modifications), recipe.quantization != FLOAT


def _reason(error: Exception) -> str:
    """Return the engine's or converter's reason; for an error that is not ours, its class too."""
    if isinstance(error, EdgekitError):
        return str(error)
    return f"{type(error).__name__}: {first_line(error)}"
