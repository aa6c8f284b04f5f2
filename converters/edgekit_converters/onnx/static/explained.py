"""A look at an int8 ONNX artifact, node by node."""

from __future__ import annotations

from functools import cached_property

import onnx

from edgekit_converters.calibration import Calibration
from edgekit_converters.mixed.damage import Run
from edgekit_converters.mixed.net import Net, Operator
from edgekit_converters.onnx.static.engine import runner
from edgekit_converters.onnx.static.quantize import measure_ranges, quantized
from edgekit_converters.onnx.static.simulated import SimulatedOnnx
from edgekit_converters.onnx.static.tried import ALL_BITS, name_nodes


class OnnxWorkshop:
    """What `mixed.damage` needs of an artifact and the float model that it was made from."""

    def __init__(
        self, float_model: onnx.ModelProto, artifact: onnx.ModelProto, calibration: Calibration
    ) -> None:
        name_nodes(float_model)
        self._float_model, self._artifact = float_model, artifact
        self._ranges = measure_ranges(float_model, calibration)
        self._plain, _ = quantized(float_model, self._ranges, ALL_BITS)
        self._bare = SimulatedOnnx(float_model, self._plain, frozenset())
        self.net: Net = self._bare.net

    @cached_property
    def floats(self) -> frozenset[str]:
        """Those that read integers in a model all of integers, and not in the artifact."""
        return _in_integers(self._plain) - _in_integers(self._artifact)

    def original(self) -> Run:
        """Return what runs the float model."""
        return runner(self._float_model)

    def alone(self, operator: Operator) -> SimulatedOnnx:
        """Return a simulation in which only this one's kernel is in int8."""
        if not operator.kernel:
            return self._bare
        return SimulatedOnnx(self._float_model, self._plain, frozenset(operator.constants))

    def made(self, floats: frozenset[str]) -> tuple[int, Run]:
        """Return the bytes of a model with these nodes in float, and what runs it."""
        model, _ = quantized(self._float_model, self._ranges, ALL_BITS, floats)
        return model.ByteSize(), runner(model)


def _in_integers(model: onnx.ModelProto) -> frozenset[str]:
    """Return the names of the nodes that read a tensor which was rounded."""
    makers = {name: node for node in model.graph.node for name in node.output}
    rounded = {
        name
        for name, node in makers.items()
        if node.op_type == "DequantizeLinear" and node.input[0] in makers
    }
    return frozenset(
        node.name
        for node in model.graph.node
        if node.name and rounded.intersection(node.input) and node.op_type != "QuantizeLinear"
    )
