"""The pipeline: a frozen graph becomes the artifacts of a bundle.

    frozen graph -> (pruned) -> prepared once a format -> one artifact a recipe -> checked

Each artifact is run on the golden samples right after it is written, and only then takes its
place in the bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.bundle.golden import store_golden
from edgekit.bundle.manifest import ArtifactRecord, Status
from edgekit.convert.check import check
from edgekit.convert.wire import wire_size
from edgekit.files import disk_fault, remove
from edgekit_converters.calibration import CALIBRATION_SAMPLES, Calibration
from edgekit_converters.formats import FormatModule
from edgekit_converters.graph.prune import prune
from edgekit_runtimes.artifact import sha256_of, size_of
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import EdgekitError, NotAvailableError, UsageError, first_line
from edgekit_runtimes.formats import FORMATS

if TYPE_CHECKING:
    from edgekit.bundle.recipe import Recipe
    from edgekit.data import Dataset
    from edgekit.results.fidelity import Fidelity
    from edgekit_converters.graph.frozen import FrozenGraph

# Below 10 dB the error has more than a tenth of the signal's power: the outputs are no longer
# those of the same model, whatever a lucky top-1 says.
LOW_SQNR_DB = 10.0


Judge = Callable[[Path, ArtifactRecord], "Fidelity"]


class Pipeline:
    """One run of the conversion: what all its artifacts share.

    bundle: as it stands; each artifact makes it another.
    work: a folder in the bundle for what is not finished.
    """

    def __init__(
        self,
        bundle: Bundle,
        modules: Mapping[str, FormatModule],
        io: str,
        dataset: Dataset | None,
        work: Path,
        report: Callable[[str], None],
    ) -> None:
        self.bundle = bundle
        self._modules = modules
        self._io = io
        self._dataset = dataset
        self._work = work
        self._report = report

    def run(self, graph: FrozenGraph, recipes: Sequence[Recipe]) -> None:
        """Make every artifact that is not there yet."""
        golden = store_golden(self.bundle, self._work)
        with open_device("host") as device:

            def judge(path: Path, record: ArtifactRecord) -> Fidelity:
                return check(path, record.format, record.engine_options, golden, device)

            for percent in dict.fromkeys(recipe.prune for recipe in recipes):
                pruned = prune(graph, percent) if percent else graph
                group = [recipe for recipe in recipes if recipe.prune == percent]
                for name in self._modules:
                    self._run_format(name, pruned, group, judge)

    @cached_property
    def _calibration(self) -> Calibration | None:
        dataset = self._dataset
        if dataset is None:
            return None
        return Calibration(samples=lambda: dataset.model_inputs(CALIBRATION_SAMPLES))

    def _run_format(
        self, name: str, graph: FrozenGraph, recipes: Sequence[Recipe], judge: Judge
    ) -> None:
        module = self._modules[name]
        prepare = _Once(lambda: module.prepare(graph))
        for recipe in recipes:
            record = self._new_record(name, recipe)
            if self._is_finished(record):
                continue
            self._report(record.id)
            place = self.bundle.folder / str(record.path)
            try:
                if recipe.quantization in module.NOT_AVAILABLE:
                    raise NotAvailableError(module.NOT_AVAILABLE[recipe.quantization])
                partial = self._work / str(record.path)
                record = self._make(record, recipe, prepare(), partial, judge)
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
        return ArtifactRecord(
            id=f"{name}/{recipe}",
            format=name,
            recipe=str(recipe),
            status="ok",
            path=FORMATS[name].path(str(recipe)),
            engine_options=self._modules[name].ENGINE_OPTIONS.get(recipe.quantization, {}),
            io=self._io if name == "tflite" and recipe.quantization == "int8" else "float",
        )

    def _is_finished(self, record: ArtifactRecord) -> bool:
        for made in self.bundle.artifacts:
            if made.id == record.id and made.status == "ok":
                path = self.bundle.artifact_path(made)
                return path.exists() and sha256_of(path) == made.sha256
        return False

    def _make(
        self, record: ArtifactRecord, recipe: Recipe, prepared: Any, partial: Path, judge: Judge
    ) -> ArtifactRecord:
        """Write one artifact to `partial`, check it and return its row."""
        partial.parent.mkdir(parents=True, exist_ok=True)
        notes = self._modules[record.format].write(
            prepared, recipe.quantization, partial, self._calibration, record.io
        )
        fidelity = judge(partial, record)
        return replace(
            record,
            sha256=sha256_of(partial),
            bytes=size_of(partial),
            wire=wire_size(partial),
            fidelity=fidelity.to_json(),
            notes=(*notes, *fidelity_warning(recipe, fidelity)),
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
        """Add the row of an artifact that did not come to be; no file of it stays."""
        remove(place)
        self._add(replace(record, status=status, reason=reason, path=None, engine_options={}))

    def _add(self, record: ArtifactRecord) -> None:
        self.bundle = self.bundle.with_artifact(record)


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

    @cached_property
    def _result(self) -> Any:
        return self._function()


def fidelity_warning(recipe: Recipe, fidelity: Fidelity) -> tuple[str, ...]:
    """Return what to tell the user about a low fidelity, with what to try, or nothing."""
    if fidelity.sqnr_db >= LOW_SQNR_DB:
        return ()
    advice = {
        "fp32": "this should not happen, please report it",
        "fp16": "stay with fp32",
        "int8-weights": "try fp16",
        "int8-dynamic": "try int8-weights or fp16",
        "int4-dynamic": "try int8-weights or fp16",
    }.get(
        recipe.quantization,
        "calibrate with more samples that look like real inputs, or try int8-weights or int16x8",
    )
    return (
        f"warning: fidelity is low (SQNR {fidelity.sqnr_db:.1f} dB, under {LOW_SQNR_DB:.0f} dB): "
        f"{'prune less' if recipe.prune else advice}",
    )


def _reason(error: Exception) -> str:
    """Return the engine's or converter's own reason; of what is none of ours, its class too."""
    if isinstance(error, EdgekitError):
        return str(error)
    return f"{type(error).__name__}: {first_line(error)}"
