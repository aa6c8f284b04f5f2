"""Mixed precision: a quantization of its own for each layer, in the formats that have it.

A format's module is imported when it is used, and has

    layers(path)                                           what a float artifact is made of
    write(prepared, quantization, layers, path, calibration)   one artifact; returns notes
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from edgekit_runtimes.errors import ConversionError, NotAvailableError

if TYPE_CHECKING:
    from edgekit_converters.calibration import Calibration


@dataclass(frozen=True)
class Family:
    """Quantizations that layers of one artifact can have.

    recipe: what all layers have that are not named. levels: from the smallest, or quickest, to the
    most exact; the recipe is one of them. gains: what a cheaper level makes less of.
    """

    recipe: str
    levels: tuple[str, ...]
    gains: Literal["bytes", "time"]


# fp32 is no level: fp16 computes as quickly, loses nothing that shows, and takes half the bytes.
FAMILIES: Mapping[str, tuple[Family, ...]] = {
    "tflite": (
        Family("int8-weights", ("int4-dynamic", "int8-weights", "fp16"), "bytes"),
        Family("int8", ("int8", "int8-weights"), "time"),
    ),
    "onnx": (Family("int8", ("int8", "int8-weights"), "time"),),
}
MODULES = {
    "tflite": "edgekit_converters.tflite.mixing",
    "onnx": "edgekit_converters.onnx.mixing",
}
# What a weight takes, in bits.
BITS = {"fp32": 32, "fp16": 16, "int8-weights": 8, "int8-dynamic": 8, "int8": 8, "int4-dynamic": 4}


@dataclass(frozen=True)
class Layer:
    """What can be quantized by itself.

    name: of the tensor that it makes, or its kind and number. kind: what its format calls it.
    weights: how many. macs: multiply-accumulates of one sample.
    """

    name: str
    kind: str
    weights: int
    macs: int


class Mixing(Protocol):
    """What mixes precisions in a format."""

    def layers(self, path: Path) -> Sequence[Layer]:
        """Return the layers of a float artifact, in their order."""

    def write(
        self,
        prepared: Any,
        quantization: str,
        layers: Mapping[str, str],
        path: Path,
        calibration: Calibration | None,
    ) -> tuple[str, ...]:
        """Write an artifact whose named layers have a quantization of their own; return notes.

        Raises ConversionError for a layer that the model does not have.
        """


def mixing_of(name: str) -> Mixing:
    """Import and return what mixes precisions in a format. Raises NotAvailableError."""
    if name not in MODULES:
        raise NotAvailableError(
            f"{name} does not mix precisions: its artifacts have one quantization for all layers"
        )
    return cast(Mixing, importlib.import_module(MODULES[name]))


def check_layers(wanted: Mapping[str, str], found: Sequence[str], levels: Sequence[str]) -> None:
    """Raise ConversionError for a layer that is not there, or a level that is not known."""
    for name, level in wanted.items():
        if name not in found:
            raise ConversionError(
                f"The plan names the layer '{name}', and the model has none of this name. "
                "Plans are for the source that they were made from."
            )
        if level not in levels:
            raise ConversionError(
                f"The plan gives the layer '{name}' the quantization '{level}', which no layer can "
                f"have beside others. Known: {', '.join(levels)}."
            )
