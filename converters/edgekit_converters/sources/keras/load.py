"""Load Keras models."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from edgekit_converters.sources.keras.file import KerasFile, read_file
from edgekit_converters.sources.keras.legacy import load_legacy, meaning_keras_2
from edgekit_converters.sources.keras.naming import scope_names
from edgekit_converters.sources.keras.safety import refuse_code
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import Source, SourceOptions, see_working_folder
from edgekit_converters.sources.tracing import freeze_traced
from edgekit_runtimes.errors import SourceError, UsageError, first_line
from edgekit_runtimes.tensors import Arrays, TensorSpec


def load(path: Path, options: SourceOptions) -> Source:
    """Load a Keras file.

    Raises SourceError where the file is damaged, or holds code that is not allowed to run.
    """
    model = _load_model(path, options)
    return from_model(model, path, options)


def from_model(
    model: Any, path: Path = Path("model.keras"), options: SourceOptions | None = None
) -> Source:
    """Return the source of a model of Keras 3 or of tf_keras that is already in memory."""
    options = options or SourceOptions(input_shapes={})
    inputs = resolve_shapes(path, _input_specs(model, path), options.input_shapes)
    _refuse_quantized(model, path)
    names = _output_names(model, {spec.name for spec in inputs})

    def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
        flat = [tensors[spec.name] for spec in inputs]
        struct = getattr(model, "_inputs_struct", None)
        packed = flat[0] if len(flat) == 1 else flat
        if struct is not None and not isinstance(struct, keras.KerasTensor):
            packed = keras.tree.pack_sequence_as(struct, flat)
        with scope_names(model):
            results = keras.tree.flatten(model(packed, training=False))
        return dict(zip(names, results, strict=True))

    def run(arrays: Mapping[str, object]) -> Arrays:
        tensors = {name: tf.constant(array) for name, array in arrays.items()}
        return {name: result.numpy() for name, result in compiled(tensors).items()}

    compiled = tf.function(call)
    graph, notes = freeze_traced(call, inputs, names, path)
    return Source(path=path, graph=graph, run=run, notes=notes)


def _load_model(path: Path, options: SourceOptions) -> Any:
    file = read_file(path)
    import_modules(options.imports, file.is_legacy)
    if not options.unsafe:
        refuse_code(file)
    return load_legacy(file, options.unsafe) if file.is_legacy else _load_3(file, options.unsafe)


def _load_3(file: KerasFile, unsafe: bool) -> Any:
    """Return the model of a file of Keras 3."""
    path = file.path
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=not unsafe)
    except Exception as error:
        # Keras raises ValueError, TypeError, OSError, KeyError, AttributeError or zipfile's own
        # errors, depending on where in the file the damage is: only the text tells them apart.
        text = str(error).replace(str(path), "")
        if "safe_mode" in text or "unsafe" in text:
            raise SourceError(
                f"{path} asks for what Keras refuses to load: {first_line(error)}. If you trust "
                "the file, allow it with --unsafe."
            ) from error
        custom = re.search(r"Could not locate (?:class|function) '([^']+)'", text) or re.search(
            r"Unknown (?:layer|object): '?([\w>]+)'?", text
        )
        if custom:
            name = custom[1].split(">")[-1]
            raise SourceError(
                f"{path} holds the custom class or function '{name}', which is not registered "
                "here. Name the module that registers it "
                "(@keras.saving.register_keras_serializable) with --import MODULE, or bring the "
                "model as a SavedModel: model.export('folder')."
            ) from error
        raise SourceError(
            f"{path} could not be read as a Keras model: {first_line(error)}. It is damaged, or "
            f"of a version that Keras {keras.__version__} does not read; then open it where it "
            "was made and bring it as a SavedModel: model.export('folder')."
        ) from error


def import_modules(names: Iterable[str], is_legacy: bool) -> None:
    """Import the user's own modules. is_legacy: with what `tf.keras` was in Keras 2."""
    with meaning_keras_2() if is_legacy else contextlib.nullcontext():
        for name in names:
            _import_module(name)


def _import_module(name: str) -> None:
    """Import the user's own module, which may be in the working folder."""
    folder = see_working_folder()
    try:
        importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"--import {name}: it could not be imported from {folder} or this Python's packages: "
            f"{type(error).__name__}: {first_line(error)}"
        ) from error


def _input_specs(model: Any, path: Path) -> tuple[TensorSpec, ...]:
    tensors = getattr(model, "inputs", None)
    if not tensors:
        raise SourceError(
            f"{path} does not say what its inputs are (a subclassed or unbuilt model). "
            "Bring it as a SavedModel: call the model once, then model.export('folder')."
        )
    specs: list[TensorSpec] = []
    for number, tensor in enumerate(tensors):
        name = tensor_name(tensor)
        if name in [spec.name for spec in specs]:
            name = f"{name}_{number}"
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        specs.append(TensorSpec(name, tuple(tensor.shape), dtype))
    return tuple(specs)


def _refuse_quantized(model: Any, path: Path) -> None:
    """Raise SourceError where Keras has quantized the model: its weights are rounded already."""
    policies = (getattr(layer, "dtype_policy", None) for layer in model._flatten_layers())
    modes = {str(mode) for p in policies if (mode := getattr(p, "quantization_mode", None))}
    if modes:
        raise SourceError(
            f"{path} was quantized by Keras ({', '.join(sorted(modes))}). Bring the float model, "
            "as it was before model.quantize(): each format is quantized from that."
        )


def _output_names(model: Any, taken: AbstractSet[str]) -> list[str]:
    """Return a name for each output: one of its own, since in ONNX names are tensors."""
    return [f"{name}_out" if name in taken else name for name in _given_names(model)]


def _given_names(model: Any) -> list[str]:
    struct = getattr(model, "_outputs_struct", getattr(model, "_nested_outputs", None))
    if isinstance(struct, dict):
        # keras.tree flattens dicts in the order of their sorted keys.
        return [_clean(name) for name in sorted(struct)]
    names = [tensor_name(tensor) for tensor in model.outputs]
    if len(set(names)) != len(names):
        # One layer may give several outputs.
        names = [f"{name}_{number}" for number, name in enumerate(names)]
    return names


def tensor_name(tensor: Any) -> str:
    """Return the name of the layer that makes a KerasTensor.

    The tensor's own name is a running number ("keras_tensor_24") in most models.
    """
    # Keras 3 calls it "operation", tf_keras "layer": in both it comes first.
    return _clean(tensor._keras_history[0].name)


def _clean(name: str) -> str:
    """Return `name` with only what a signature's argument may hold.

    Trap: TensorFlow takes ASCII alone, and `self` for its own argument.
    """
    clean = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"{clean}_" if clean == "self" else clean
