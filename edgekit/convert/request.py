"""What is to be converted, and what of it can be refused before anything heavy is imported."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.bundle.bundle import BUNDLE_SUFFIX, Bundle, load_bundle
from edgekit.bundle.manifest import MANIFEST_NAME, ArtifactRecord
from edgekit.bundle.recipe import (
    DEFAULT_RECIPES,
    DEFAULT_RECIPES_WITH_CALIBRATION,
    Recipe,
    split_words,
)
from edgekit.data import DataOptions
from edgekit.files import check_writable
from edgekit_converters.effort import Effort
from edgekit_converters.formats import RECIPES
from edgekit_converters.recipes import FormatRecipe
from edgekit_converters.sources import SourceOptions, source_hash, source_kind
from edgekit_runtimes.errors import UsageError, map_exceptions, unknown_name
from edgekit_runtimes.formats import FORMATS

# How messages call the settings that a bundle was made with.
SETTING_WORDS = {
    "input_shapes": "--input-shape",
    "fixed": "--set",
    "layout": "--layout",
    "dtypes": "--input-shape",
    "weights": "--weights",
    "signature": "--signature",
    "io": "--io",
    "effort": "--effort",
    "classes": "--classes",
    "trust": "--unsafe or --import",
    "calibration": "calibration data",
}

# What bundles were made with that do not say it, as older versions wrote them.
UNSAID: Mapping[str, Any] = {
    "effort": "low",
    "fixed": {},
    "layout": "auto",
    "dtypes": {},
    "weights": None,
}


def _silent(_: object) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class ConvertRequest:
    """What is to be converted, and how.

    recipes: None for the default ones. calibration: a path or module:function (edgekit.data).
    io: "int8" gives static int8 TFLite artifacts integer inputs and outputs.
    effort: how long to try what keeps quantized artifacts right.
    explain: look at int8 artifacts layer by layer.
    classes: the names of the classes, as many as an output has values.
    force: start over where the output folder holds a bundle already.
    wait: for another run that writes the same bundle; else that is a UsageError.
    on_wait: called with the line that says so.
    progress: called with each step. on_artifact: called with the row of each artifact that is
        asked for, as soon as it is made, found finished, or known not to come.
    """

    source: Path
    output: Path | None = None
    formats: tuple[str, ...] = tuple(FORMATS)
    recipes: tuple[Recipe, ...] | None = None
    calibration: str | None = None
    data_options: DataOptions = field(default_factory=DataOptions)
    source_options: SourceOptions = field(default_factory=lambda: SourceOptions(input_shapes={}))
    io: str = "float"
    effort: Effort = "default"
    explain: bool = False
    classes: tuple[str, ...] = ()
    force: bool = False
    wait: bool = True
    on_wait: Callable[[str], None] = _silent
    progress: Callable[[str], None] = _silent
    on_artifact: Callable[[ArtifactRecord], None] = _silent

    @property
    def folder(self) -> Path:
        """Where the bundle goes: NAME.edgekit in the working folder, unless said otherwise."""
        source = self.source.resolve()
        name = source.name if source.is_dir() else source.stem
        if not source.exists():
            name = source.name.rpartition(":")[2]
        return self.output or Path(name + BUNDLE_SUFFIX)

    @property
    def effective_recipes(self) -> tuple[Recipe, ...]:
        """The recipes asked for, or the default ones."""
        if self.recipes is not None:
            return self.recipes
        names = DEFAULT_RECIPES_WITH_CALIBRATION if self.calibration else DEFAULT_RECIPES
        return tuple(Recipe(name) for name in names)

    def recipes_with(self, wanted: Callable[[FormatRecipe], bool]) -> list[Recipe]:
        """Return those of the recipes asked for that a format asked for declares as `wanted`."""
        return [
            recipe
            for recipe in self.effective_recipes
            if any(
                recipe.quantization in RECIPES[name] and wanted(RECIPES[name][recipe.quantization])
                for name in self.formats
            )
        ]

    @property
    def calibrated_recipes(self) -> list[Recipe]:
        """The recipes asked for that need calibration data."""
        return self.recipes_with(lambda declared: declared.needs_calibration)

    def settings(self, digest: str) -> dict[str, Any]:
        """Return what all artifacts depend on, as far as it is known without the source.

        digest: the source's hash.
        """
        options = self.source_options
        return {
            "source": digest,
            "signature": options.signature,
            "input_shapes": {name: list(shape) for name, shape in options.input_shapes.items()},
            "fixed": dict(options.fixed),
            "layout": options.layout,
            "dtypes": dict(options.dtypes),
            "weights": None if options.weights is None else source_hash(options.weights),
            "io": self.io,
            "effort": self.effort,
            "classes": list(self.classes),
            "trust": {"unsafe": options.unsafe, "imports": list(options.imports)},
        }


def parse_formats(text: str) -> tuple[str, ...]:
    """Return the formats of a list with commas, each once. Raises UsageError for another word."""
    words = split_words(text, "format")
    for word in words:
        if word not in FORMATS:
            raise unknown_name("format", word, FORMATS)
    return tuple(dict.fromkeys(words))


def read_classes(path: Path) -> tuple[str, ...]:
    """Return the class names in a text file, one per line. Raises UsageError if it is not one."""
    if not path.exists():
        raise UsageError(f"No such file: {path} (--classes)")
    with map_exceptions(f"--classes {path} is not a text file", UsageError, OSError, ValueError):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    names = tuple(line for line in lines if line)
    if not names:
        raise UsageError(f"--classes {path} holds no names: write one per line.")
    return names


def check_request(request: ConvertRequest) -> None:
    """Raise UsageError for what can be refused from the words alone."""
    source_kind(request.source, request.source_options)
    weights = request.source_options.weights
    if weights is not None and not weights.is_file():
        raise UsageError(f"No such file: {weights} (--weights)")
    calibrated = request.calibrated_recipes
    if request.calibration is None and calibrated:
        raise UsageError(
            f"{calibrated[0]} needs calibration data: samples that look like real inputs. "
            f"Type: {_command_line(request)} --calibration DATA.npz"
        )
    if request.calibration is None and request.data_options != DataOptions():
        raise UsageError(
            "--resize, --scale, --mean and --std say how calibration data is read, and none is "
            "given. Add --calibration DATA."
        )
    if request.explain and not request.recipes_with(lambda declared: declared.explained):
        raise UsageError(
            "--explain is about TFLite and ONNX artifacts of the recipe int8, and none are "
            "requested. Leave it out, or add --recipe int8 --calibration DATA."
        )
    if request.io == "int8" and not request.recipes_with(lambda declared: declared.integer_io):
        raise UsageError(
            "--io int8 is for TFLite artifacts of the recipe int8, and none are requested. Leave "
            "it out, or add --to tflite --recipe int8 --calibration DATA."
        )


def check_place(folder: Path) -> None:
    """Raise UsageError if a bundle cannot be made or continued at `folder`."""
    is_bundle = (folder / MANIFEST_NAME).is_file()
    if folder.exists() and not is_bundle and not _is_empty_folder(folder):
        raise UsageError(
            f"{folder} exists and is not a bundle. Choose another folder with -o, or move it away."
        )
    check_writable(folder if is_bundle else folder.parent)


def bundle_to_continue(request: ConvertRequest) -> Bundle | None:
    """Return the bundle that is already where this one goes, unless it will be replaced.

    Raises UsageError if something else is there, or nothing can be written.
    """
    folder = request.folder
    check_place(folder)
    if (folder / MANIFEST_NAME).is_file() and not request.force:
        return load_bundle(folder)
    check_writable(folder.parent)
    return None


def refuse_other(existing: Bundle | None, settings: Mapping[str, Any]) -> None:
    """Raise UsageError if a bundle was made with other settings than these."""
    if existing is None:
        return
    made_with = {**UNSAID, **existing.manifest.settings}
    changed = [SETTING_WORDS.get(key, key) for key in settings if settings[key] != made_with[key]]
    if changed:
        raise UsageError(
            f"{existing.folder} was made with other settings (another {', '.join(changed)}). "
            "Start over with --force, or choose another folder with -o."
        )


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _command_line(request: ConvertRequest) -> str:
    """Return the command as the user typed it, as far as the messages here need it."""
    words = ["edgekit", "convert", str(request.source)]
    if request.formats != tuple(FORMATS):
        words += ["--to", ",".join(request.formats)]
    if request.recipes:
        words += ["--recipe", ",".join(map(str, request.recipes))]
    if request.output:
        words += ["-o", str(request.output)]
    return shlex.join(words)
