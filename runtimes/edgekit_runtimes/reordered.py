"""A model whose tensors have their axes in another order than the bundle's.

An artifact of an ONNX or PyTorch source keeps its source's channels-first images, and golden
samples are channels last: this hands every artifact the same sample. In a page
web/src/engines/common/reordered.ts does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgekit_runtimes.engines import Model, TellingModel
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec

if TYPE_CHECKING:
    from edgekit_runtimes.execution import Execution

# The option of an artifact that has it.
OPTION = "axes"

# By the name of a tensor: axis k of the artifact's is axis axes[k] of the bundle's.
Axes = Mapping[str, Sequence[int]]


def in_bundle_order(model: Model, axes: Axes | None) -> Model:
    """Return the model as the bundle describes it: the same one where there is nothing to reorder.

    Raises EngineError where the axes do not fit its tensors.
    """
    return ReorderedModel(model, axes) if axes else model


def inverse(axes: Sequence[int]) -> tuple[int, ...]:
    """Return the order that undoes `axes`.

    Example:
        >>> inverse((0, 3, 1, 2))
        (0, 2, 3, 1)
    """
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def ordered(arrays: Arrays, axes: Axes) -> Arrays:
    """Return arrays of the bundle's order in that of the artifact, contiguous."""
    return {name: _turned(array, axes.get(name)) for name, array in arrays.items()}


class ReorderedModel:
    """A model that takes and gives tensors in the bundle's order of axes."""

    def __init__(self, model: Model, axes: Axes) -> None:
        self._model = model
        self._axes = axes
        self._back = {name: inverse(order) for name, order in axes.items()}
        self.inputs = tuple(map(self._spec, model.inputs))
        self.outputs = tuple(map(self._spec, model.outputs))

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample."""
        return ordered(self._model.run(ordered(inputs, self._axes)), self._back)

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Set the inputs and return what runs the model on them: nothing is reordered in it."""
        return self._model.bind(ordered(inputs, self._axes))

    def execution(self) -> Execution | None:
        """Return how the model is run, if its engine says."""
        return self._model.execution() if isinstance(self._model, TellingModel) else None

    def _spec(self, spec: TensorSpec) -> TensorSpec:
        back = self._back.get(spec.name)
        if back is None:
            return spec
        if sorted(back) != list(range(len(spec.shape))):
            raise EngineError(f"Axes {list(self._axes[spec.name])} do not fit {spec}.")
        return replace(spec, shape=tuple(spec.shape[axis] for axis in back))


def _turned(array: Array, order: Sequence[int] | None) -> Array:
    return array if order is None else np.ascontiguousarray(array.transpose(order))
