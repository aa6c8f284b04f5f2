"""Conversion: one source becomes a bundle of artifacts, formats x recipes.

    source -> frozen graph -> (pruned) -> prepared once a format -> one artifact a recipe -> checked

The source is loaded once. Each artifact is run on the golden samples right after it is written,
and only then takes its place in the bundle.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit import __version__
from edgekit.bundle import (
    BUNDLE_SUFFIX,
    ArtifactRecord,
    Bundle,
    Manifest,
    create_bundle,
    load_bundle,
)
from edgekit.data import DataOptions, open_data
from edgekit.recipe import DEFAULT_RECIPES, DEFAULT_RECIPES_WITH_CALIBRATION, Recipe
from edgekit_converters.formats import FILE_NAMES, FORMATS, FormatModule, format_module
from edgekit_converters.sources import Source, SourceOptions, load_source, source_kind
from edgekit_runtimes.artifact import sha256_of, size_of
from edgekit_runtimes.errors import (
    ConversionError,
    EdgekitError,
    NotAvailableError,
    UsageError,
)

if TYPE_CHECKING:
    from edgekit.bench.fidelity import Fidelity
    from edgekit.golden import GoldenSamples
    from edgekit.data import Dataset
    from edgekit_converters.calibration import Calibration
    from edgekit_converters.frozen import FrozenGraph
    from edgekit_runtimes.devices import Device

TOOLS = (
    "tensorflow",
    "keras",
    "litert-quantizer",
    "ai-edge-litert",
    "tf2onnx",
    "onnx",
    "onnxruntime",
)

# Below 10 dB the error has more than a tenth of the signal's power: the outputs are no longer
# those of the same model, whatever a lucky top-1 says.
LOW_SQNR_DB = 10.0

WORK_FOLDER = ".partial"

Report = Callable[[str], None]


@dataclass(frozen=True)
class ConvertRequest:
    """What is to be converted, and how.

    recipes: None for the default ones. calibration: a path or module:function (edgekit.data).
    io: "int8" gives static int8 TFLite artifacts integer inputs and outputs.
    force: start over where the output folder holds a bundle already.
    """

    source: Path
    output: Path | None = None
    formats: tuple[str, ...] = FORMATS
    recipes: tuple[Recipe, ...] | None = None
    calibration: str | None = None
    data_options: DataOptions = field(default_factory=DataOptions)
    source_options: SourceOptions = field(default_factory=lambda: SourceOptions(input_shapes={}))
    io: str = "float"
    classes: tuple[str, ...] = ()
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where the bundle goes: NAME.edgekit beside the caller, unless said otherwise."""
        return self.output or Path(self.source.resolve().with_suffix(BUNDLE_SUFFIX).name)

    @property
    def effective_recipes(self) -> tuple[Recipe, ...]:
        """The recipes asked for, or the default ones."""
        if self.recipes is not None:
            return self.recipes
        names = DEFAULT_RECIPES_WITH_CALIBRATION if self.calibration else DEFAULT_RECIPES
        return tuple(Recipe(name) for name in names)


def convert(request: ConvertRequest, report: Report = lambda step: None) -> Bundle:
    """Convert a source and return its bundle.

    A recipe that a format does not have, and an artifact that fails, are rows of the bundle; the
    others are made all the same. Finished artifacts of an interrupted conversion are kept.

    Raises UsageError for what cannot be asked, SourceError where the source cannot be read,
    ConversionError where no artifact at all came to be.
    """
    existing = _check_request(request)
    report(f"loading {request.source}")
    modules = {name: format_module(name) for name in request.formats}
    digest = sha256_of(request.source)
    source = load_source(request.source, request.source_options)
    dataset = None
    if request.calibration is not None:
        dataset = open_data(
            request.calibration, source.graph.input_specs, "calibration", request.data_options
        )
    report("asking the original for its answers to the golden samples")
    bundle = _open_bundle(request, existing, source, digest, dataset)
    work = bundle.folder / WORK_FOLDER
    work.mkdir(exist_ok=True)
    try:
        pipeline = _Pipeline(request, bundle, modules, source.graph, dataset, work, report)
        bundle = pipeline.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not any(record.status == "ok" for record in bundle.artifacts):
        reasons = "; ".join(f"{record.id}: {record.reason}" for record in bundle.artifacts)
        raise ConversionError(f"No artifact could be made of {request.source}. {reasons}")
    return bundle


class _Pipeline:
    """One run of the conversion: what all its artifacts share."""

    def __init__(
        self,
        request: ConvertRequest,
        bundle: Bundle,
        modules: dict[str, FormatModule],
        graph: FrozenGraph,
        dataset: Dataset | None,
        work: Path,
        report: Report,
    ) -> None:
        from edgekit.golden import store_golden

        self.request = request
        self.bundle = bundle
        self.modules = modules
        self.graph = graph
        self.work = work
        self.report = report
        self.calibration = _calibration(dataset)
        self.golden = store_golden(bundle, work)

    def run(self) -> Bundle:
        """Make every artifact that is not there yet and return the bundle."""
        from edgekit_runtimes.devices import open_device

        recipes = self.request.effective_recipes
        with open_device("host") as device:
            for percent in dict.fromkeys(recipe.prune for recipe in recipes):
                graph = self._pruned(percent)
                group = [recipe for recipe in recipes if recipe.prune == percent]
                for name in self.request.formats:
                    self._run_format(name, graph, group, device)
        return self.bundle

    def _pruned(self, percent: int) -> FrozenGraph:
        from edgekit_converters.prune import prune

        return prune(self.graph, percent) if percent else self.graph

    def _run_format(
        self, name: str, graph: FrozenGraph, recipes: list[Recipe], device: Device
    ) -> None:
        module = self.modules[name]
        prepared: Any = None
        for recipe in recipes:
            if self._is_finished(name, recipe):
                continue
            record = ArtifactRecord(
                id=f"{name}/{recipe}",
                format=name,
                recipe=str(recipe),
                status="failed",
                engine_options=module.ENGINE_OPTIONS.get(recipe.quantization, {}),
                io=self.request.io if recipe.is_static and name == "tflite" else "float",
            )
            self.report(record.id)
            try:
                if recipe.quantization in module.NOT_AVAILABLE:
                    raise NotAvailableError(module.NOT_AVAILABLE[recipe.quantization])
                if prepared is None:
                    prepared = module.prepare(graph)
                record = self._make(record, recipe, prepared, device)
            except NotAvailableError as error:
                record = _without_artifact(record, "not available", error)
            except UsageError:
                raise
            except EdgekitError as error:
                record = _without_artifact(record, "failed", error)
            self.bundle = self.bundle.with_artifact(record)

    def _make(
        self, record: ArtifactRecord, recipe: Recipe, prepared: Any, device: Device
    ) -> ArtifactRecord:
        """Write one artifact, check it, move it to its place and return its row."""
        from edgekit.check import check
        from edgekit.wire import wire_size

        relative = FILE_NAMES[record.format].format(recipe=recipe)
        partial = self.work / relative
        partial.parent.mkdir(parents=True, exist_ok=True)
        notes = self.modules[record.format].write(
            prepared, recipe.quantization, partial, self.calibration, record.io
        )
        fidelity = check(partial, record.format, record.engine_options, self.golden, device)
        place = self.bundle.folder / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            shutil.rmtree(place)
        partial.replace(place)
        return ArtifactRecord(
            id=record.id,
            format=record.format,
            recipe=record.recipe,
            status="ok",
            path=relative,
            sha256=sha256_of(place),
            bytes=size_of(place),
            wire=wire_size(place),
            io=record.io,
            engine_options=record.engine_options,
            fidelity=fidelity.to_json(),
            notes=(*notes, *self._fidelity_warning(record.format, recipe, fidelity)),
        )

    def _is_finished(self, name: str, recipe: Recipe) -> bool:
        for record in self.bundle.artifacts:
            if record.id == f"{name}/{recipe}" and record.status == "ok":
                path = self.bundle.artifact_path(record)
                return path.exists() and sha256_of(path) == record.sha256
        return False

    def _fidelity_warning(self, name: str, recipe: Recipe, fidelity: Fidelity) -> tuple[str, ...]:
        if recipe.quantization == "fp32" or fidelity.sqnr_db >= LOW_SQNR_DB:
            return ()
        advice = (
            "calibrate with more samples that look like real inputs, or try int8-weights or int16x8"
            if recipe.is_static
            else "try int8-weights or fp16"
        )
        return (
            f"warning: fidelity is low (SQNR {fidelity.sqnr_db:.1f} dB, under "
            f"{LOW_SQNR_DB:.0f} dB): {advice}",
        )


def _check_request(request: ConvertRequest) -> Bundle | None:
    """Refuse what can be refused before TensorFlow is imported; return the bundle to continue."""
    source_kind(request.source)
    static = [str(recipe) for recipe in request.effective_recipes if recipe.is_static]
    if static and request.calibration is None:
        raise UsageError(
            f"{static[0]} needs calibration data: samples that look like real inputs. Type: "
            f"edgekit convert {request.source} --recipe {static[0]} --calibration DATA.npz"
        )
    folder = request.folder
    if not folder.exists():
        return None
    if not folder.is_dir() or (any(folder.iterdir()) and not _is_bundle(folder)):
        raise UsageError(
            f"{folder} exists and is no bundle. Choose another folder with -o, or move it away."
        )
    if request.force or not any(folder.iterdir()):
        shutil.rmtree(folder)
        return None
    return load_bundle(folder)


def _is_bundle(folder: Path) -> bool:
    return (folder / "edgekit.json").is_file()


def _open_bundle(
    request: ConvertRequest,
    existing: Bundle | None,
    source: Source,
    digest: str,
    dataset: Dataset | None,
) -> Bundle:
    """Return the bundle to write into: the existing one where it was made alike, or a new one."""
    from edgekit.golden import answer, choose_golden
    from edgekit_runtimes.tensors import Preprocessing

    preprocessing = dataset.preprocessing if dataset else Preprocessing()
    golden, inputs = choose_golden(source, dataset)
    settings = {
        "source": digest,
        "signature": request.source_options.signature,
        "input_shapes": {k: list(v) for k, v in request.source_options.input_shapes.items()},
        "io": request.io,
        "calibration": golden.sha256,
        "preprocessing": preprocessing.to_json(),
        "classes": list(request.classes),
        "trust": {
            "unsafe": request.source_options.unsafe,
            "imports": list(request.source_options.imports),
        },
    }
    if existing is not None:
        changed = [key for key in settings if settings[key] != existing.manifest.settings.get(key)]
        if not changed:
            return existing
        raise UsageError(
            f"{existing.folder} is a bundle made with another {' and '.join(changed)}. "
            "Start over with --force, or choose another folder with -o."
        )
    manifest = Manifest(
        name=request.folder.name.removesuffix(BUNDLE_SUFFIX),
        source={
            "path": _relative(request.source, request.folder),
            "kind": source.kind,
            "sha256": digest,
            "signature": request.source_options.signature,
            "notes": list(source.notes),
        },
        inputs=source.graph.input_specs,
        outputs=source.graph.output_specs,
        preprocessing=preprocessing,
        golden=golden,
        settings=settings,
        tools={"edgekit": __version__, **{tool: metadata.version(tool) for tool in TOOLS}},
        classes=request.classes,
    )
    request.folder.parent.mkdir(parents=True, exist_ok=True)
    return create_bundle(request.folder, manifest, inputs, answer(source, inputs, preprocessing))


def _calibration(dataset: Dataset | None) -> Calibration | None:
    if dataset is None:
        return None
    from edgekit_converters.calibration import CALIBRATION_SAMPLES, Calibration

    return Calibration(samples=lambda: dataset.model_inputs(CALIBRATION_SAMPLES))


def _without_artifact(record: ArtifactRecord, status: Any, error: EdgekitError) -> ArtifactRecord:
    from dataclasses import replace

    return replace(record, status=status, reason=str(error), engine_options={})


def _relative(path: Path, folder: Path) -> str:
    """Return `path` as seen from `folder`, so that both can be moved together."""
    import os

    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
