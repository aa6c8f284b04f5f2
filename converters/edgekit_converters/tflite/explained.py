"""A look at an int8 TFLite artifact, operator by operator."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.calibration import Calibration
from edgekit_converters.mixed.damage import Run
from edgekit_converters.mixed.net import Net, Operator
from edgekit_converters.tflite.engine import runner
from edgekit_converters.tflite.quantize import measure_ranges, quantize
from edgekit_converters.tflite.simulated import SimulatedTflite
from edgekit_converters.tflite.tree import Tree


class TfliteWorkshop:
    """What `mixed.damage` needs of an artifact and the float file that it was made from."""

    def __init__(
        self, float_model: bytes, artifact: bytes, steps: Any, calibration: Calibration
    ) -> None:
        self._float_model, self._artifact, self._steps = float_model, artifact, steps
        self._ranges = measure_ranges(float_model, calibration)
        self._plain = quantize(float_model, steps, self._ranges)
        self._bare = SimulatedTflite(float_model, self._plain, frozenset())
        self.net: Net = self._bare.net

    @cached_property
    def floats(self) -> frozenset[str]:
        """Those whose results are floats in the artifact, and are not in one all of integers."""
        (subgraph,) = Tree(self._artifact).model.subgraphs
        kinds = {tensor.name.decode(): tensor.type for tensor in subgraph.tensors}
        return frozenset(
            one.name
            for one in self.net.operators
            if any(name in self.net.rounded for name in one.makes)
            and kinds.get(one.name) == schema.TensorType.FLOAT32
        )

    def original(self) -> Run:
        """Return what runs the float file."""
        return runner(self._float_model)

    def alone(self, operator: Operator) -> SimulatedTflite:
        """Return a simulation in which only this one's kernel is in int8."""
        if not operator.kernel:
            return self._bare
        return SimulatedTflite(self._float_model, self._plain, frozenset(operator.constants))

    def made(self, floats: frozenset[str]) -> tuple[int, Run]:
        """Return the bytes of a file with these operators in float, and what runs it."""
        kept = [self.net.by_name[name] for name in sorted(floats)]
        content = quantize(self._float_model, self._steps, self._ranges, floats=kept)
        return len(content), runner(content)
