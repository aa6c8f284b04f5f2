"""A node of an ONNX graph, as the function of its operator sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from edgekit_converters.sources.onnx.uses import Use
from edgekit_converters.sources.onnx.value import Batch, Free, Order, Size, Sizes, Value
from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Array


class Node:
    """A node with its inputs.

    inputs: None where one is left out. sizes: of each output. opset: of its operator's domain.
    uses: what becomes of its first output.
    """

    def __init__(
        self,
        proto: Any,
        inputs: Sequence[Value | None],
        sizes: Sequence[Sizes],
        batch: Batch,
        opset: int,
        uses: frozenset[Use],
    ) -> None:
        self.op: str = proto.op_type
        self.name: str = proto.name or proto.output[0]
        self.outputs = tuple(proto.output)
        self.inputs = tuple(inputs)
        self.sizes = tuple(sizes)
        self.batch = batch
        self.opset = opset
        self.uses = uses
        self.attributes: Mapping[str, Any] = {
            attribute.name: onnx.helper.get_attribute_value(attribute)
            for attribute in proto.attribute
        }

    def __getitem__(self, place: int) -> Value:
        """Return an input. Raises SourceError where it is left out."""
        value = self.maybe(place)
        if value is None:
            raise self.refusal(f"its input {place} is left out")
        return value

    def maybe(self, place: int) -> Value | None:
        """Return an input, or None where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute; text is decoded."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def array(self, place: int, what: str) -> Array:
        """Return a constant input. Raises SourceError, calling it `what`, where it is none."""
        value = self[place]
        if value.array is None:
            raise self.refusal(f"{what} is computed from the inputs")
        return value.array

    def ints(self, name: str, place: int, default: Sequence[int] | None = None) -> list[int] | None:
        """Return integers that are an attribute in old opsets and an input in new ones."""
        if self.maybe(place) is not None:
            return [int(number) for number in self.array(place, name).reshape(-1)]
        found = self.attributes.get(name, default)
        if isinstance(found, int):
            return [found]
        return None if found is None else [int(number) for number in found]

    def is_read(self, place: int) -> bool:
        """Return whether an output is there at all."""
        return place < len(self.outputs) and bool(self.outputs[place])

    def value(self, tensor: Any, order: Order | None = None, place: int = 0) -> Value:
        """Return an output that lies in an order."""
        return Value(self.batch, self.sizes[place], tensor, order)

    def constant(self, array: Array) -> Value:
        """Return a constant output."""
        return Value.constant(self.batch, array)

    def fixed(self, sizes: Sequence[Size], what: str) -> tuple[int, ...]:
        """Return sizes that must not depend on the batch."""
        if any(isinstance(size, Free) for size in sizes):
            raise self.refusal(f"{what} depends on the batch")
        return tuple(int(size) for size in sizes if not isinstance(size, Free))

    def refusal(self, reason: str) -> SourceError:
        """Return the error that says why this node cannot be taken over."""
        return SourceError(
            f"The operator {self.op} ({self.name}) cannot be taken over: {reason}. Export the "
            "model without it."
        )


def numpy_dtype(elem_type: int) -> np.dtype[Any]:
    """Return numpy's dtype of ONNX's number of it."""
    found: np.dtype[Any] = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(elem_type))
    return found
