"""Linear classifiers as a source: a .linear file is JSON with "weights" and "bias".

SOURCE describes the kind, and its loader is imported only when such a file is converted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit_converters.sources import SourceKind
from edgekit_runtimes.errors import SourceError, map_exceptions

if TYPE_CHECKING:
    from edgekit_converters.sources import Source, SourceOptions

SOURCE = SourceKind(
    name="linear",
    title=".linear files",
    description="weights and bias of a linear classifier, in JSON",
    loader=f"{__name__}:load",
    suffixes=(".linear",),
    options=(),
    extra="convert",
)


def load(path: Path, options: SourceOptions) -> Source:
    """Return the classifier: softmax of x @ weights + bias.

    weights: a list for each input, one number per class. Raises SourceError.
    """
    import keras
    import numpy as np

    from edgekit_converters.sources.keras.load import from_model

    with map_exceptions(f"{path} does not hold a linear classifier", SourceError):
        form = json.loads(path.read_text(encoding="utf-8"))
        weights, bias = (np.array(form[name], np.float32) for name in ("weights", "bias"))
        x = keras.Input((len(weights),), name="x")
        layer = keras.layers.Dense(len(bias), activation="softmax", name="class")
        model = keras.Model(x, layer(x))
        layer.set_weights([weights, bias])
    return from_model(model, path)
