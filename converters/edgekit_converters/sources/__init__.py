"""Sources: load a trained model, check it, and hand over its frozen graph.

source = load_source(Path("digits.keras"))
source.graph      the FrozenGraph that every format is written from
source.run(...)   the original: the model in its own framework, at full precision
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit_converters.extra import convert_extra
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.tensors import Arrays, TensorSpec

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class SourceOptions:
    """How a source is to be read.

    input_shapes: whole shapes (with the batch axis) of inputs whose sizes the model leaves open.
    signature: which signature of a SavedModel.
    unsafe: allow Lambda layers, which run code that came with the file.
    imports: modules to import first, so that they register the custom classes of a Keras model.
    """

    input_shapes: Mapping[str, tuple[int, ...]]
    signature: str | None = None
    unsafe: bool = False
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A loaded source.

    notes: what was done by itself that the user should know ("batch fixed to 1: …").
    run: the original on one batch of inputs by name.
    """

    path: Path
    kind: str
    graph: FrozenGraph
    run: Callable[[Mapping[str, object]], Arrays]
    notes: tuple[str, ...] = ()


def load_source(path: Path, options: SourceOptions | None = None) -> Source:
    """Load a `.keras` or `.h5` file or a SavedModel folder.

    Raises UsageError where `path` is none of these, MissingExtraError without TensorFlow,
    SourceError where it cannot be read.
    """
    options = options or SourceOptions(input_shapes={})
    if source_kind(path) == "saved_model":
        with convert_extra(f"Reading {path}"):
            from edgekit_converters.sources import saved_model

        return saved_model.load(path, options)
    if options.signature is not None:
        raise UsageError(
            f"--signature is for SavedModel folders, and {path} is none. Leave it out."
        )
    with convert_extra(f"Reading {path}"):
        from edgekit_converters.sources import keras

    return keras.load(path, options)


def source_kind(path: Path) -> str:
    """Return "keras", "h5" or "saved_model", from the path alone (no TensorFlow needed).

    Raises UsageError where it is none of them.
    """
    if not path.exists():
        raise UsageError(f"No such file or folder: {path}")
    if path.is_dir():
        if (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists():
            return "saved_model"
        raise UsageError(
            f"{path} is a folder without saved_model.pb, so it is no SavedModel. "
            "Give a .keras or .h5 file, or a folder that model.export() or "
            "tf.saved_model.save() wrote."
        )
    if path.suffix == ".keras":
        return "keras"
    if path.suffix in KERAS_SUFFIXES:
        return "h5"
    raise UsageError(
        f"{path} is no source that edgekit reads. Sources are .keras and .h5 files and "
        "SavedModel folders."
    )


def resolve_shapes(
    path: Path, specs: tuple[TensorSpec, ...], input_shapes: Mapping[str, tuple[int, ...]]
) -> tuple[TensorSpec, ...]:
    """Return `specs` with the sizes that the user gave filled in.

    A free batch axis stays free. Raises UsageError where a size other than the batch is still
    open, a name is no input, or a given shape contradicts the model's.
    """
    names = [spec.name for spec in specs]
    for name in input_shapes:
        if name not in names:
            raise UsageError(
                f"--input-shape names '{name}', which is no input of {path}. "
                f"Its inputs: {', '.join(names)}."
            )
    resolved = []
    for spec in specs:
        if spec.dtype in ("str", "string", "object", "bytes"):
            raise UsageError(
                f"Input '{spec.name}' of {path} takes strings, which no edge format does. "
                "Export the model without its text or decoding layers and feed it numbers."
            )
        shape = spec.shape
        given = input_shapes.get(spec.name)
        if given is not None:
            fits = len(given) == len(shape) and all(
                size in (None, wanted) or (axis == 0 and wanted == 1)
                for axis, (size, wanted) in enumerate(zip(shape, given, strict=True))
            )
            if not fits:
                raise UsageError(
                    f"--input-shape {spec.name}={','.join(map(str, given))} does not fit "
                    f"{spec} of {path}."
                )
            shape = (shape[0], *given[1:])
        if None in shape[1:]:
            example = ",".join(
                str(1 if axis == 0 else 224 if size is None else size)
                for axis, size in enumerate(shape)
            )
            raise UsageError(
                f"Input {spec} of {path} has an open size besides the batch. "
                f"Say which: --input-shape {spec.name}={example}"
            )
        resolved.append(TensorSpec(spec.name, shape, spec.dtype))
    return tuple(resolved)
