"""A layers model: layers of Keras 2, as tensorflowjs_converter and TF.js itself write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit_converters.sources.keras.file import KerasFile
from edgekit_converters.sources.keras.legacy import build_legacy
from edgekit_converters.sources.keras.load import import_modules
from edgekit_converters.sources.keras.safety import refuse_code
from edgekit_converters.sources.source import SourceOptions
from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.tensors import Array, Arrays


def read_layers_model(
    main: Path, model: Mapping[str, Any], weights: Arrays, options: SourceOptions
) -> Any:
    """Return the model in tf_keras. Raises SourceError, and UsageError as a `.h5` file does."""
    topology = model["modelTopology"]
    # tensorflowjs_converter puts it one deeper than TF.js.
    config = topology.get("model_config", topology)
    if isinstance(config, str):
        with map_exceptions(f"{main} is damaged: its configuration is not JSON", SourceError):
            config = json.loads(config)
    file = KerasFile(main, config, str(topology.get("keras_version") or ""))
    import_modules(options.imports, is_legacy=True)
    if not options.unsafe:
        refuse_code(file)
    built = build_legacy(file, options.unsafe)
    with map_exceptions(f"The weights of {main} do not fit its layers", SourceError):
        built.set_weights(_in_order(main, built, weights))
    return built


def _in_order(main: Path, built: Any, weights: Arrays) -> list[Array]:
    """Return the weights in the order of the model's.

    By their names; where a layer calls them otherwise (those of a recurrent layer are its cell's),
    by their place among those that begin with its name. Raises SourceError where one fits nothing.
    """
    found: dict[Any, Array] = {}
    for layer in built._flatten_layers(include_self=False):
        variables = [variable for variable in layer.weights if variable.ref() not in found]
        # What a model in the model holds is that of its layers.
        if not variables or hasattr(layer, "layers"):
            continue
        names = [variable.name.split(":")[0] for variable in variables]
        if not all(name in weights for name in names):
            names = [name for name in weights if name.startswith(f"{layer.name}/")]
        found.update(
            (variable.ref(), weights[name])
            for variable, name in zip(variables, names, strict=False)
            if weights[name].shape == tuple(variable.shape)
        )
    if len(found) != len(built.weights):
        raise SourceError(
            f"{main} stores {len(weights)} weights, and they are not those of its layers, which "
            f"have {len(built.weights)}. Get the files again."
        )
    return [found[variable.ref()] for variable in built.weights]
