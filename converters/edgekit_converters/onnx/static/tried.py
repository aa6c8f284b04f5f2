"""int8: what is tried, and which of it is kept."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import onnx

from edgekit_converters.calibration import Calibration
from edgekit_converters.effort import Effort
from edgekit_converters.mixed.choice import choose_floats
from edgekit_converters.mixed.noise import noise_between, noise_of_tensors
from edgekit_converters.mixed.result import Candidate, floats_note, gain_reason, gains, is_worth
from edgekit_converters.onnx.static.engine import answers
from edgekit_converters.onnx.static.quantize import Ranges, joined, measure_ranges, quantized
from edgekit_converters.onnx.static.simulated import SimulatedOnnx
from edgekit_runtimes.tensors import Arrays

# Weights of 8 bits overflow on x86 without dot products (VNNI).
SAFE_BITS, ALL_BITS = 7, 8


@dataclass(frozen=True)
class _Trial:
    """What all candidates share.

    ranges: of the samples that do not choose. expected: what the float model gives for those that
    do.
    """

    model: onnx.ModelProto
    ranges: Ranges
    samples: list[Arrays]
    expected: list[Arrays]

    def candidate(
        self, bits: int, floats: AbstractSet[str] = frozenset()
    ) -> Candidate[onnx.ModelProto]:
        """Return the model in which these nodes compute in float, and what it is worth."""
        made, _ = quantized(self.model, self.ranges, bits, floats)
        level = noise_between(self.expected, answers(made, self.samples)).sqnr_db
        return Candidate(made, made.ByteSize(), level)


def quantize(
    model: onnx.ModelProto, calibration: Calibration, effort: Effort
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the int8 model and notes for the user; see `quantized`."""
    name_nodes(model)
    choosing = calibration.choosing
    if effort == "low" or choosing is None:
        return quantized(model, measure_ranges(model, calibration), SAFE_BITS)
    fitted, samples = measure_ranges(model, calibration.fitting), list(choosing)
    ranges = joined(fitted, measure_ranges(model, choosing))
    trial = _Trial(model, fitted, samples, answers(model, samples))
    bits, floats, said = _chosen(trial, effort)
    made, notes = quantized(model, ranges, bits, floats)
    return made, (*said, *notes)


def _chosen(trial: _Trial, effort: Effort) -> tuple[int, frozenset[str], tuple[str, ...]]:
    """Return the bits of weights, the nodes that stay in float, and what is to be said of both."""
    count = len(trial.samples)
    plain, bits, notes = trial.candidate(SAFE_BITS), SAFE_BITS, []
    whole = trial.candidate(ALL_BITS)
    if gains(whole, plain):
        gained = gain_reason(plain.level, whole.level, count)
        plain, bits = whole, ALL_BITS
        notes.append(f"weights take all 8 bits, for CPUs with dot products: {gained}")
    simulated = SimulatedOnnx(trial.model, plain.model)
    noise = noise_of_tensors(simulated, trial.samples, effort)
    weights = (simulated.run(sample, frozenset()) for sample in trial.samples)
    rest = noise_between(trial.expected, weights).share
    floats = choose_floats(simulated.net, noise, rest, frozenset())
    tried = trial.candidate(bits, floats)
    if not floats or not is_worth(tried, plain):
        return bits, frozenset(), tuple(notes)
    reason = gain_reason(plain.level, tried.level, count)
    return bits, floats, (*notes, floats_note(simulated.net, floats, reason))


def name_nodes(model: onnx.ModelProto) -> None:
    """Give each node a name of its own: the quantizer is told by name what to leave alone."""
    taken = set()
    for number, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.name or node.op_type}_{number}"
        taken.add(node.name)
