"""TFLite artifacts whose layers have quantizations of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_converters.calibration import Calibration
from edgekit_converters.left import notes_of
from edgekit_converters.mixing import Layer, check_layers
from edgekit_converters.tflite import RECIPES
from edgekit_converters.tflite.kept import scope_of
from edgekit_converters.tflite.quantize import measure_ranges, quantize
from edgekit_converters.tflite.rest import KERNELS, NAMES, left_floats
from edgekit_converters.tflite.tree import Tree, shape_of
from edgekit_runtimes.errors import ConversionError, map_exceptions

LEVELS = ("fp16", "int8-weights", "int8-dynamic", "int4-dynamic")


def layers(path: Path) -> Sequence[Layer]:
    """Return the layers of a float file: operators with a constant kernel."""
    return list(_layers(path.read_bytes()))


def write(
    prepared: bytes,
    quantization: str,
    layers: Mapping[str, str],
    path: Path,
    calibration: Calibration | None,
) -> tuple[str, ...]:
    """Write an artifact whose named layers have a quantization of their own; return notes.

    Of two steps that match an operator, the LiteRT quantizer takes the later one. Raises
    ConversionError for a layer that the model does not have.
    """
    check_layers(layers, [one.name for one in _layers(prepared)], LEVELS)
    steps = list(RECIPES.writer(quantization, calibration is not None)())
    for name, level in sorted(layers.items()):
        steps += [{**step, "regex": scope_of((name,))} for step in RECIPES.writer(level, True)()]
    with map_exceptions(f"The LiteRT quantizer failed on {quantization}", ConversionError):
        ranges = None
        if calibration is not None and RECIPES[quantization].needs_calibration:
            ranges = measure_ranges(prepared, calibration)
        content = quantize(prepared, steps, ranges)
    path.write_bytes(content)
    return notes_of(left_floats(content), len(content))


def _layers(content: bytes) -> Iterator[Layer]:
    tree = Tree(content)
    for subgraph in tree.model.subgraphs:
        for operator in subgraph.operators:
            for place, number in enumerate(operator.inputs):
                axis = KERNELS.get((tree.code(operator), place))
                values = None if axis is None else tree.values(subgraph.tensors[number])
                if axis is None or values is None:
                    continue
                made: Any = subgraph.tensors[operator.outputs[0]]
                outputs = int(np.prod(np.abs(shape_of(made))))
                macs = outputs * values.size // values.shape[axis]
                name = made.name.decode()
                yield Layer(name, NAMES[tree.code(operator)], int(values.size), macs)
                break
