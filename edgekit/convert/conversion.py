"""Conversion: one source becomes a bundle of artifacts, formats x recipes.

The request is checked, the source loaded, its answers to the golden samples kept, and a bundle
opened; pipeline.py then makes the artifacts.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit._version import __version__
from edgekit.bundle.bundle import BUNDLE_SUFFIX, Bundle, create_bundle, load_bundle
from edgekit.bundle.manifest import MANIFEST_NAME, Manifest
from edgekit.bundle.recipe import (
    DEFAULT_RECIPES,
    DEFAULT_RECIPES_WITH_CALIBRATION,
    Recipe,
    split_words,
)
from edgekit.data import DataOptions, open_data
from edgekit.files import check_writable, remove, writing
from edgekit_converters.formats import format_module
from edgekit_converters.sources import SourceOptions, load_source, source_kind
from edgekit_runtimes.artifact import sha256_of
from edgekit_runtimes.errors import ConversionError, UsageError, map_exceptions, unknown_name
from edgekit_runtimes.formats import FORMATS

if TYPE_CHECKING:
    from edgekit.data import Dataset
    from edgekit_converters.sources import Source
    from edgekit_runtimes.tensors import TensorSpec

# Whose versions the manifest keeps.
TOOLS = (
    *("tensorflow", "keras", "litert-quantizer", "ai-edge-litert"),
    *("tf2onnx", "onnx", "onnxruntime"),
)

WORK_FOLDER = ".partial"

# How messages call the settings that a bundle was made with.
SETTING_WORDS = {
    "input_shapes": "--input-shape",
    "signature": "--signature",
    "io": "--io",
    "classes": "--classes",
    "trust": "--unsafe or --import",
    "calibration": "calibration data",
}

Report = Callable[[str], None]


@dataclass(frozen=True)
class ConvertRequest:
    """What is to be converted, and how.

    recipes: None for the default ones. calibration: a path or module:function (edgekit.data).
    io: "int8" gives static int8 TFLite artifacts integer inputs and outputs.
    classes: the names of the classes, as many as an output has values.
    force: start over where the output folder holds a bundle already.
    """

    source: Path
    output: Path | None = None
    formats: tuple[str, ...] = tuple(FORMATS)
    recipes: tuple[Recipe, ...] | None = None
    calibration: str | None = None
    data_options: DataOptions = field(default_factory=DataOptions)
    source_options: SourceOptions = field(default_factory=lambda: SourceOptions(input_shapes={}))
    io: str = "float"
    classes: tuple[str, ...] = ()
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where the bundle goes: NAME.edgekit in the working folder, unless said otherwise."""
        source = self.source.resolve()
        name = source.name if source.is_dir() else source.stem
        return self.output or Path(name + BUNDLE_SUFFIX)

    @property
    def effective_recipes(self) -> tuple[Recipe, ...]:
        """The recipes asked for, or the default ones."""
        if self.recipes is not None:
            return self.recipes
        names = DEFAULT_RECIPES_WITH_CALIBRATION if self.calibration else DEFAULT_RECIPES
        return tuple(Recipe(name) for name in names)

    @property
    def artifact_ids(self) -> frozenset[str]:
        """The rows of the bundle that this request is about."""
        return frozenset(f"{f}/{recipe}" for f in self.formats for recipe in self.effective_recipes)


def parse_formats(text: str) -> tuple[str, ...]:
    """Return the formats of a list with commas, each once. Raises UsageError for another word."""
    words = split_words(text, "format")
    for word in words:
        if word not in FORMATS:
            raise unknown_name("format", word, FORMATS)
    return tuple(dict.fromkeys(words))


def read_classes(path: Path) -> tuple[str, ...]:
    """Return the class names in a text file, one a line. Raises UsageError where it is none."""
    if not path.exists():
        raise UsageError(f"No such file: {path} (--classes)")
    with map_exceptions(f"--classes {path} is no text file", UsageError, OSError, ValueError):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    names = tuple(line for line in lines if line)
    if not names:
        raise UsageError(f"--classes {path} holds no names: write one a line.")
    return names


def run_conversion(request: ConvertRequest, report: Report = lambda step: None) -> Bundle:
    """Convert a source and return its bundle.

    A recipe that a format does not have, and an artifact that fails, are rows of the bundle; the
    others are made all the same. Finished artifacts of an interrupted conversion are kept; a
    bundle without any is not left behind.

    Raises UsageError for what cannot be asked, SourceError where the source cannot be read,
    ConversionError where no artifact at all came to be.
    """
    existing = _check_request(request)
    digest = sha256_of(request.source)
    settings = _settings(request, digest)
    _refuse_other(existing, settings)
    report(f"loading {request.source}")
    source = load_source(request.source, request.source_options)
    _check_classes(request, source.graph.output_specs)
    dataset = _open_calibration(request, source)
    modules = {name: format_module(name) for name in request.formats}
    from edgekit.convert.pipeline import Pipeline

    report("asking the original for its answers to the golden samples")
    with writing(request.folder):
        bundle = _open_bundle(request, existing, source, settings, dataset)
        work = bundle.folder / WORK_FOLDER
        pipeline = Pipeline(bundle, modules, request.io, dataset, work, report)
        try:
            remove(work)
            work.mkdir()
            pipeline.run(source.graph, request.effective_recipes)
            _check_success(request, pipeline.bundle)
        except BaseException:
            if all(record.status != "ok" for record in pipeline.bundle.artifacts):
                shutil.rmtree(bundle.folder, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return pipeline.bundle


def _check_request(request: ConvertRequest) -> Bundle | None:
    """Refuse what can be refused before TensorFlow is imported; return the bundle to continue."""
    source_kind(request.source)
    static = [str(recipe) for recipe in request.effective_recipes if recipe.is_static]
    if request.calibration is None and static:
        raise UsageError(
            f"{static[0]} needs calibration data: samples that look like real inputs. "
            f"Type: {_command_line(request)} --calibration DATA.npz"
        )
    if request.calibration is None and request.data_options != DataOptions():
        raise UsageError(
            "--resize, --scale, --mean and --std say how calibration data is read, and none is "
            "given. Add --calibration DATA."
        )
    if request.io == "int8" and not _has_integer_io(request):
        raise UsageError(
            "--io int8 is for TFLite artifacts of the recipe int8, and none is asked for. Leave it "
            "out, or add --to tflite --recipe int8 --calibration DATA."
        )
    folder = request.folder
    is_bundle = (folder / MANIFEST_NAME).is_file()
    if folder.exists() and not is_bundle and not _is_empty_folder(folder):
        raise UsageError(
            f"{folder} exists and is no bundle. Choose another folder with -o, or move it away."
        )
    if is_bundle and not request.force:
        check_writable(folder)
        return load_bundle(folder)
    check_writable(folder.parent)
    return None


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _has_integer_io(request: ConvertRequest) -> bool:
    return "tflite" in request.formats and any(
        recipe.quantization == "int8" for recipe in request.effective_recipes
    )


def _command_line(request: ConvertRequest) -> str:
    """Return the command as the user typed it, as far as the messages here need it."""
    words = ["edgekit", "convert", str(request.source)]
    if request.formats != tuple(FORMATS):
        words += ["--to", ",".join(request.formats)]
    if request.recipes and any(recipe.is_static for recipe in request.recipes):
        words += ["--recipe", ",".join(map(str, request.recipes))]
    if request.output:
        words += ["-o", str(request.output)]
    return shlex.join(words)


def _check_classes(request: ConvertRequest, outputs: tuple[TensorSpec, ...]) -> None:
    count = len(request.classes)
    sizes = [spec.shape[-1] for spec in outputs if spec.shape]
    if count and count not in sizes and None not in sizes:
        raise UsageError(
            f"--classes names {count} classes, and no output of {request.source} has so many "
            f"values: {'; '.join(map(str, outputs))}."
        )


def _open_calibration(request: ConvertRequest, source: Source) -> Dataset | None:
    """Open the calibration data and check each sample that will be used."""
    from edgekit_converters.calibration import CALIBRATION_SAMPLES

    if request.calibration is None:
        return None
    dataset = open_data(
        request.calibration, source.graph.input_specs, "calibration", request.data_options
    )
    if any(recipe.is_static for recipe in request.effective_recipes):
        for _ in dataset.model_inputs(CALIBRATION_SAMPLES):
            pass
    return dataset


def _settings(request: ConvertRequest, digest: str) -> dict[str, Any]:
    """Return what all artifacts depend on, as far as it is known without the source."""
    options = request.source_options
    return {
        "source": digest,
        "signature": options.signature,
        "input_shapes": {name: list(shape) for name, shape in options.input_shapes.items()},
        "io": request.io,
        "classes": list(request.classes),
        "trust": {"unsafe": options.unsafe, "imports": list(options.imports)},
    }


def _refuse_other(existing: Bundle | None, settings: Mapping[str, Any]) -> None:
    """Raise UsageError where a bundle was made with other settings than these."""
    if existing is None:
        return
    made_with = existing.manifest.settings
    changed = [SETTING_WORDS.get(key, key) for key in settings if settings[key] != made_with[key]]
    if changed:
        raise UsageError(
            f"{existing.folder} is a bundle made otherwise (another {', '.join(changed)}). "
            "Start over with --force, or choose another folder with -o."
        )


def _open_bundle(
    request: ConvertRequest,
    existing: Bundle | None,
    source: Source,
    settings: Mapping[str, Any],
    dataset: Dataset | None,
) -> Bundle:
    """Return the bundle to write into: the existing one where it was made alike, or a new one."""
    from edgekit.bundle.golden import answer, choose_golden
    from edgekit_runtimes.tensors import Preprocessing

    preprocessing = dataset.preprocessing if dataset else Preprocessing()
    golden, inputs = choose_golden(source, dataset)
    settings = {
        **settings,
        "calibration": golden.sha256,
        "preprocessing": preprocessing.to_json(),
    }
    _refuse_other(existing, settings)
    if existing is not None:
        return existing
    manifest = Manifest(
        name=request.folder.name.removesuffix(BUNDLE_SUFFIX),
        source={
            "path": _relative(request.source, request.folder),
            "kind": source.kind,
            "sha256": settings["source"],
            "signature": request.source_options.signature,
        },
        inputs=source.graph.input_specs,
        outputs=source.graph.output_specs,
        preprocessing=preprocessing,
        golden=golden,
        settings=settings,
        tools={"edgekit": __version__, **_tool_versions()},
        classes=request.classes,
        notes=(*source.notes, *(dataset.notes if dataset else ())),
    )
    outputs = answer(source, inputs, preprocessing)
    request.folder.parent.mkdir(parents=True, exist_ok=True)
    return create_bundle(request.folder, manifest, inputs, outputs)


def _check_success(request: ConvertRequest, bundle: Bundle) -> None:
    """Raise ConversionError where nothing of what was asked for is there."""
    rows = [record for record in bundle.artifacts if record.id in request.artifact_ids]
    if all(record.status != "ok" for record in rows):
        reasons = "; ".join(f"{record.id}: {record.reason}" for record in rows)
        raise ConversionError(f"No artifact could be made of {request.source}. {reasons}")


def _tool_versions() -> dict[str, str]:
    installed = {distribution.name for distribution in metadata.distributions()}
    return {tool: metadata.version(tool) for tool in TOOLS if tool in installed}


def _relative(path: Path, folder: Path) -> str:
    """Return `path` as seen from `folder`, so that both can be moved together."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
