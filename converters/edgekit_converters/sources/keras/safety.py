"""What loading a Keras file would run or read besides its weights, found in its configuration.

Keras 3 refuses most of it in its "safe mode"; tf_keras does not for HDF5 files, and imports any
module that a configuration names. Both are asked to load only what was looked through here.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edgekit_converters.sources.keras.file import KerasFile
from edgekit_runtimes.errors import SourceError

PYTHON_CODE = "__lambda__"
CODE_KEYS = ("function_type", "output_shape_type", "mask_type")
# The modules of Keras whose functions belong to models.
FUNCTIONS = frozenset({"activations", "losses"})
LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization"})

# A TFOpLambda layer calls any function of TensorFlow by its name. These reach beyond the model:
# they read and write files, or call Python. ("compat.v1." may stand before them.)
REACHING_NAMESPACES = frozenset(
    {
        *("io", "raw_ops", "data", "train", "saved_model", "summary"),
        *("config", "distribute", "autograph"),
    }
)
REACHING_FUNCTIONS = frozenset(
    {
        *("py_function", "py_func", "numpy_function", "load_library", "load_op_library"),
        *("read_file", "write_file", "matching_files", "WholeFileReader"),
    }
)

REPLACE = "replace the layer by keras.ops and save the model again."


@dataclass(frozen=True)
class _Part:
    """One object of a configuration: a class with its own configuration.

    layer: the class of the layer that it is, or belongs to.
    """

    kind: str
    layer: str
    values: dict[str, Any]
    whole: dict[str, Any]


def refuse_code(file: KerasFile) -> None:
    """Raise SourceError where loading the file would run code from it or read other files."""
    for part in _parts(file.config):
        if fault := _fault(part):
            article = "an" if part.layer[0] in "AEIOU" else "a"
            raise SourceError(f"{file.path} holds {article} {part.layer} layer, {fault}")


def foreign_modules(file: KerasFile) -> Iterator[tuple[str, str]]:
    """Yield what a configuration would import from outside of Keras: the name, and its module.

    Functions of Keras itself that are none of a model's count too (`keras.utils.get_file`).
    """
    for part in _parts(file.config):
        module = part.whole.get("module")
        is_function = part.kind == "function"
        name = str(part.whole.get("config" if is_function else "registered_name") or part.kind)
        if module is not None and not _is_of_keras(str(module), name, is_function):
            yield name.split(">")[-1], str(module)


def _is_of_keras(module: str, name: str, is_function: bool) -> bool:
    words = module.split(".")
    if module == "builtins":
        # So Keras calls its own functions; a name that Python has, too, would be Python's.
        return is_function and not hasattr(builtins, name)
    return words[0] in ("keras", "tf_keras") and (not is_function or words[-1] in FUNCTIONS)


def _fault(part: _Part) -> str:
    values = part.values
    if part.kind == PYTHON_CODE or any(values.get(key) == "lambda" for key in CODE_KEYS):
        return (
            "whose code would run on this machine when the model is loaded. If you trust the "
            f"file, allow it with --unsafe; better, {REPLACE}"
        )
    if part.kind == "TorchModuleWrapper":
        return "which is pickled code of PyTorch. TensorFlow does not run it: export that part."
    if part.kind == "TFSMLayer":
        return (
            f"which runs a SavedModel from outside of the file ({values.get('filepath')}). Bring "
            "that SavedModel itself; or allow it with --unsafe, if you trust both."
        )
    if part.kind in LOOKUPS and isinstance(values.get("vocabulary"), str):
        return (
            f"which reads its vocabulary from outside of the file ({values['vocabulary']}). Save "
            "the model again with the words themselves (vocabulary=[…]); or allow it with "
            "--unsafe, if you trust the file."
        )
    if part.kind == "TFOpLambda":
        words = str(values.get("function")).removeprefix("compat.v1.").split(".")
        if words[0] in REACHING_NAMESPACES or words[-1] in REACHING_FUNCTIONS:
            return (
                f"which calls tf.{values['function']}: that reaches beyond the model. If you "
                f"trust the file, allow it with --unsafe; better, {REPLACE}"
            )
    return ""


def _parts(value: Any, layer: str = "Keras") -> Iterator[_Part]:
    """Yield the objects of a configuration, those in nested models included."""
    if isinstance(value, dict):
        kind = value.get("class_name")
        if isinstance(kind, str):
            values = value.get("config")
            values = values if isinstance(values, dict) else {}
            # What has a name is a layer; activations and initializers have none.
            layer = kind if "name" in values else layer
            yield _Part(kind, layer, values, value)
        for item in value.values():
            yield from _parts(item, layer)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item, layer)
