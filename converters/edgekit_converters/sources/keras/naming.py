"""Names of layers that Keras allows and TensorFlow does not, such as "erste Schicht, ja"."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

# What a scope of a TensorFlow graph may be called; "-" and "_" may not come first.
FOREIGN = re.compile(r"^[^A-Za-z0-9.]|[^A-Za-z0-9_.\\/>-]")


@contextlib.contextmanager
def scope_names(model: Any) -> Iterator[None]:
    """Let the layers of a model have names, while it is traced, that TensorFlow takes."""
    renamed = {
        layer: layer.name
        for layer in (model, *model._flatten_layers())
        if FOREIGN.search(layer.name)
    }
    try:
        for number, (layer, name) in enumerate(renamed.items()):
            _rename(layer, f"{FOREIGN.sub('_', name).lstrip('_') or 'layer'}_{number}")
        yield
    finally:
        for layer, name in renamed.items():
            _rename(layer, name)


def _rename(layer: Any, name: str) -> None:
    # Keras 3 keeps it in "name", tf_keras in "_name", which nobody else may set.
    setattr(layer, "_name" if hasattr(layer, "_name") else "name", name)
