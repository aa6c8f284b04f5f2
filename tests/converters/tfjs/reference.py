"""Convert SavedModels with the reference converter, tensorflowjs 4.22.0, in a separate process.

    python reference.py SAVED_MODEL FOLDER [SAVED_MODEL FOLDER …]

The package cannot be imported as it is beside TensorFlow 2.21: it asks for decision-forests, hub,
jax and tf_keras, none of which a SavedModel's conversion uses. Empty modules replace the first two,
and its `converters` package is opened without running the `__init__` that imports the rest.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def convert_tf_saved_model():
    """Return the function of that name."""
    spec = importlib.util.find_spec("tensorflowjs")
    if spec is None:
        sys.exit("The reference converter is missing: make install-dev")
    for name in ("tensorflow_decision_forests", "tensorflow_hub"):
        sys.modules[name] = types.ModuleType(name)
    package = types.ModuleType("tensorflowjs.converters")
    package.__path__ = [str(Path(spec.submodule_search_locations[0]) / "converters")]
    sys.modules[package.__name__] = package
    from tensorflowjs.converters import tf_saved_model_conversion_v2

    return tf_saved_model_conversion_v2.convert_tf_saved_model


def main():
    """Convert each pair of the command line."""
    convert = convert_tf_saved_model()
    words = sys.argv[1:]
    for source, folder in zip(words[::2], words[1::2], strict=True):
        convert(source, folder)


if __name__ == "__main__":
    main()
