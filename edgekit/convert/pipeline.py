"""The pipeline: a frozen graph becomes the artifacts of a bundle.

    frozen graph -> (modified) -> prepared once per format -> one artifact per recipe -> checked

Each artifact is run on the golden samples right after it is written, and only then takes its
place in the bundle.
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
from edgekit.convert.check import check
from edgekit.convert.wire import wire_size
from edgekit.files import disk_fault, remove
from edgekit.results.results import Status
from edgekit_converters.calibration import CALIBRATION_SAMPLES, Calibration
from edgekit_converters.formats import RECIPES, FormatWriter
from edgekit_converters.graph.modifiers import Modification, modifiers, modify
from edgekit_runtimes.artifact import sha256_of, size_of
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import EdgekitError, NotAvailableError, UsageError, first_line
from edgekit_runtimes.formats import FORMATS

if TYPE_CHECKING:
    from edgekit.bundle.recipe import Recipe
    from edgekit.convert.request import ConvertRequest
    from edgekit.data import Dataset
    from edgekit.results.fidelity import Fidelity
    from edgekit_converters.graph.frozen import FrozenGraph

# Below 10 dB the error has more than a tenth of the signal's power: the outputs are no longer
# those of the same model, even if top-1 is right by luck.
LOW_SQNR_DB = 10.0


Check = Callable[[Path, ArtifactRecord], "Fidelity"]


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
        dataset: Dataset | None,
        work: Path,
    ) -> None:
        self.bundle = bundle
        self.rows: list[ArtifactRecord] = []
        self._request = request
        self._writers = writers
        self._dataset = dataset
        self._work = work

    def run(self, graph: FrozenGraph) -> None:
        """Make every artifact that is not there yet."""
        golden = store_golden(self.bundle, self._work)
        with open_device("host") as device:

            def run_check(path: Path, record: ArtifactRecord) -> Fidelity:
                return check(path, record.format, record.engine_options, golden, device)

            groups: dict[tuple[Modification, ...], list[Recipe]] = {}
            for recipe in self._request.effective_recipes:
                groups.setdefault(recipe.modifications, []).append(recipe)
            for modifications, group in groups.items():
                modified = _Once(functools.partial(modify, graph, modifications))
                for name in self._writers:
                    self._run_format(name, modified, group, run_check)

    @functools.cached_property
    def _calibration(self) -> Calibration | None:
        dataset = self._dataset
        if dataset is None:
            return None
        return Calibration(samples=lambda: dataset.model_inputs(CALIBRATION_SAMPLES))

    def _run_format(
        self,
        name: str,
        modified: Callable[[], FrozenGraph],
        recipes: Sequence[Recipe],
        run_check: Check,
    ) -> None:
        writer = self._writers[name]
        prepare = _Once(lambda: writer.prepare(modified()))
        for recipe in recipes:
            record = self._new_record(name, recipe)
            if (finished := self._finished(record)) is not None:
                self._tell(finished)
                continue
            self._request.progress(record.id)
            place = self.bundle.folder / str(record.path)
            try:
                RECIPES[name].find(recipe.quantization)
                partial = self._work / str(record.path)
                record = self._make(record, recipe, prepare(), partial, run_check)
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

    def _new_record(self, name: str, recipe: Recipe) -> ArtifactRecord:
        declared = RECIPES[name].get(recipe.quantization)
        return ArtifactRecord(
            id=f"{name}/{recipe}",
            format=name,
            recipe=str(recipe),
            status="ok",
            path=FORMATS[name].path(str(recipe)),
            engine_options=declared.engine_options if declared else {},
            io=self._request.io if declared and declared.integer_io else "float",
        )

    def _finished(self, record: ArtifactRecord) -> ArtifactRecord | None:
        """Return the row of an artifact that an earlier conversion finished."""
        for made in self.bundle.artifacts:
            if made.id == record.id and made.status == "ok":
                path = self.bundle.artifact_path(made)
                return made if path.exists() and sha256_of(path) == made.sha256 else None
        return None

    def _make(
        self, record: ArtifactRecord, recipe: Recipe, prepared: Any, partial: Path, run_check: Check
    ) -> ArtifactRecord:
        """Write one artifact to `partial`, check it and return its row."""
        partial.parent.mkdir(parents=True, exist_ok=True)
        notes = self._writers[record.format].write(
            prepared, recipe.quantization, partial, self._calibration, record.io
        )
        fidelity = run_check(partial, record)
        return replace(
            record,
            sha256=sha256_of(partial),
            bytes=size_of(partial),
            wire=wire_size(partial),
            fidelity=fidelity,
            notes=(
                *(Note("note", text) for text in notes),
                *fidelity_warning(record.format, recipe, fidelity),
            ),
        )

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


def fidelity_warning(format_name: str, recipe: Recipe, fidelity: Fidelity) -> tuple[Note, ...]:
    """Return what to tell the user about a low fidelity, with what to try, or nothing."""
    if fidelity.sqnr_db >= LOW_SQNR_DB:
        return ()
    advice = [modifiers()[one.word].advice for one in recipe.modifications]
    warning = Note(
        kind="low fidelity",
        text=f"fidelity is low (SQNR {fidelity.sqnr_db:.1f} dB, under {LOW_SQNR_DB:.0f} dB)",
        figures={"sqnr_db": fidelity.sqnr_db, "limit_db": LOW_SQNR_DB},
        advice=" or ".join(advice) or RECIPES[format_name][recipe.quantization].advice,
    )
    return (warning,)


def _reason(error: Exception) -> str:
    """Return the engine's or converter's reason; for an error that is not ours, its class too."""
    if isinstance(error, EdgekitError):
        return str(error)
    return f"{type(error).__name__}: {first_line(error)}"
