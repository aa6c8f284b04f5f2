"""Files of Keras 2, read by tf_keras, which goes on where it ended.

Keras 3 refuses many of them (every DepthwiseConv2D has a `groups` that it does not know), and
reads others wrongly: its hard_sigmoid is another function.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from edgekit_converters.extra import importing_extra
from edgekit_converters.sources.keras.file import KerasFile
from edgekit_converters.sources.keras.safety import foreign_modules
from edgekit_runtimes.errors import SourceError, first_line

SWITCH = "TF_USE_LEGACY_KERAS"

GPU_MARK = "_could_use_gpu_kernel"

# How tf_keras says that it does not know a name.
CUSTOM = r"(?:Unknown \w+:|Could not \w+ (?:class|function)) '([^']+)'"


@contextlib.contextmanager
def meaning_keras_2() -> Iterator[None]:
    """Let `tf.keras` be tf_keras for modules that are imported inside this, as they were written.

    Trap: TensorFlow decides at the first use of `tf.keras`, for the whole process.
    """
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def load_legacy(file: KerasFile, unsafe: bool) -> Any:
    """Return the model of a file of Keras 2. Raises SourceError.

    unsafe: whether it may import what it names.
    """

    def load(models: Any) -> Any:
        return models.load_model(file.path, compile=False, safe_mode=not unsafe)

    return _made(file, unsafe, load)


def build_legacy(file: KerasFile, unsafe: bool) -> Any:
    """Return the model of a configuration of Keras 2, with weights of its own. Raises SourceError.

    unsafe: whether it may import what it names.
    """

    def build(models: Any) -> Any:
        from tf_keras.src.saving.serialization_lib import SafeModeScope

        with SafeModeScope(safe_mode=not unsafe):
            return models.model_from_json(json.dumps(file.config))

    return _made(file, unsafe, build)


def _made(file: KerasFile, unsafe: bool, make: Callable[[Any], Any]) -> Any:
    """Return what `make` makes with tf_keras.models, all its faults as a SourceError."""
    with importing_extra(f"Reading {file.path}"), _quiet():
        import tf_keras
    if not unsafe:
        known = {name.split(">")[-1] for name in tf_keras.utils.get_custom_objects()}
        for name, _ in foreign_modules(file):
            if name not in known:
                raise SourceError(_unknown(file, name))
    try:
        with _quiet():
            model = make(tf_keras.models)
        return _without_kernels_of_gpus(model)
    except Exception as error:
        # As Keras 3, it raises anything, and only the text tells what is wrong.
        custom = re.search(
            r"(?:Unknown \w+:|Could not \w+ (?:class|function)) '([^']+)'", str(error)
        )
        if custom:
            raise SourceError(_unknown(file, custom[1].split(">")[-1])) from error
        written = f"Keras {file.version}" if file.version else "an unknown Keras"
        raise SourceError(
            f"{file.path} could not be read as a model of {written}, by tf_keras "
            f"{tf_keras.__version__}: {first_line(error)}. It is damaged, or older than that; then "
            "open it where it was made and bring it as a SavedModel: model.save('folder')."
        ) from error


def _without_kernels_of_gpus(model: Any) -> Any:
    """Return the model with recurrent layers that are traced once, as loops.

    Otherwise each is traced three times, with a kernel for GPUs that no format has.
    """
    for layer in model._flatten_layers():
        if hasattr(layer, GPU_MARK):
            setattr(layer, GPU_MARK, False)
    return model


def _unknown(file: KerasFile, name: str) -> str:
    return (
        f"{file.path} holds the custom class or function '{name}', which is not registered here. "
        "Keras 2 wrote the file: name the module that registers it "
        "(@tf_keras.utils.register_keras_serializable) with --import MODULE, or bring the model as "
        "a SavedModel: model.save('folder')."
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what tf_keras says of deprecated functions, which it calls itself."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
