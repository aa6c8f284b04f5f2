"""What 8 bits cost a graph whose channels are scaled, foretold without quantizing it.

Rounding to steps of a size adds noise of a twelfth of its square (Bennett, 1948). Each layer, and
each tensor that is stored, adds the noise of its own, as a share of the power that it comes to.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgekit_converters.quantize.channels import Channels
from edgekit_converters.quantize.kernels import Kernel
from edgekit_converters.quantize.observed import ACTIVATION_STEPS, Observed
from edgekit_converters.quantize.rescale import Scalable
from edgekit_runtimes.tensors import Array

UNIFORM = 1 / 12

# Takes the scales by number and returns a share.
Part = Callable[[Array], float]


class Noise:
    """The noise of a graph.

    levels: the largest integer of a weight.
    """

    def __init__(
        self, graph: Scalable, channels: Channels, observed: Observed, levels: int
    ) -> None:
        self._graph, self._channels, self._observed = graph, channels, observed
        self._levels = levels

    def parts(self, members: Array) -> list[Part]:
        """Return what depends on the scales of some numbers."""
        found: list[Part] = []
        of_kernels = {str(kernel.node.input[0]) for kernel in self._graph.kernels.values()}
        for kernel in self._graph.kernels.values():
            if np.isin(self._channels.of(kernel.node.input[0]), members).any():
                found.append(self._layer(kernel))
        for tensor in self._channels.tensors:
            is_stored = tensor in self._observed.lows and not self._graph.is_inner(tensor)
            users = self._graph.graph.users(tensor)
            is_passed_on = tensor not in of_kernels or len(users) > 1
            if is_stored and is_passed_on and np.isin(self._channels.of(tensor), members).any():
                found.append(self._stored(tensor))
        return found

    def _step(self, tensor: str, scale: Array) -> float:
        low = min(0.0, float((self._observed.lows[tensor] / scale).min()))
        high = max(0.0, float((self._observed.highs[tensor] / scale).max()))
        return (high - low) / ACTIVATION_STEPS

    def _stored(self, tensor: str) -> Part:
        numbers = self._channels.of(tensor)
        power = float(self._observed.power(tensor).sum())

        def part(scales: Array) -> float:
            scale = scales[numbers]
            noise = UNIFORM * self._step(tensor, scale) ** 2 * float((scale**2).sum())
            return noise / power if power else 0.0

        return part

    def _layer(self, kernel: Kernel) -> Part:
        tensor = str(kernel.node.input[0])
        numbers = self._channels.of(tensor)
        power = self._observed.power(tensor)
        # By input channel: the sum of squares of its weights, and the largest for each output.
        squares, largest = kernel.input_squares(), kernel.largest_weights()
        signal = float((power * squares).sum())

        def part(scales: Array) -> float:
            scale = scales[numbers]
            of_input = self._step(tensor, scale) ** 2 * float((squares * scale**2).sum())
            if kernel.is_depthwise:
                # Each channel has a scale of its own, whatever it is multiplied with.
                return UNIFORM * of_input / signal if signal else 0.0
            steps = (largest * kernel.spread(scale)).max(axis=0) / self._levels
            rows = kernel.places * float((power / scale**2).sum()) / kernel.groups
            of_weights = float((steps**2).sum()) * rows
            return UNIFORM * (of_input + of_weights) / signal if signal else 0.0

        return part
