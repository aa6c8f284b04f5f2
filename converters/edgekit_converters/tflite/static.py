"""Static quantization: what is tried, and which of it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit_converters.calibration import Calibration
from edgekit_converters.effort import Effort
from edgekit_converters.mixed.choice import choose_floats
from edgekit_converters.mixed.net import Operator
from edgekit_converters.mixed.noise import noise_between, noise_of_tensors
from edgekit_converters.mixed.result import Candidate, floats_note, gain_reason, is_worth
from edgekit_converters.tflite.engine import answers
from edgekit_converters.tflite.quantize import WIDE_BITS, measure_ranges, quantize
from edgekit_converters.tflite.simulated import SimulatedTflite
from edgekit_runtimes.tensors import Arrays

# Operators that the engine does not take in int8, so that its graph falls into pieces, each of
# which copies its tensors: benchmarks/int8_operators.py shows what each costs. By engine.
SLOW_IN_INT8 = {"litert": frozenset({"HARD_SWISH"})}
ENGINE = "litert"


@dataclass(frozen=True)
class _Trial:
    """What all candidates share.

    ranges: of the samples that do not choose. expected: what the float model gives for those that
    do.
    """

    float_model: bytes
    steps: Any
    ranges: Any
    samples: list[Arrays]
    expected: list[Arrays]

    def candidate(self, floats: Iterable[Operator]) -> Candidate[bytes]:
        """Return the file in which these operators compute in float, and what it is worth."""
        content = quantize(self.float_model, self.steps, self.ranges, floats=floats)
        level = noise_between(self.expected, answers(content, self.samples)).sqnr_db
        return Candidate(content, len(content), level)


def quantize_statically(
    float_model: bytes, steps: Any, calibration: Calibration, io: str, effort: Effort
) -> tuple[bytes, tuple[str, ...]]:
    """Return the quantized file and notes for the user.

    io: with "int8" everything computes in integers, as devices without floats need it. Raises
    NotAvailableError for a model with loops.
    """
    bits = steps[0]["op_config"]["activation_tensor_config"]["num_bits"]
    choosing = calibration.choosing
    if effort == "low" or io != "float" or bits == WIDE_BITS or choosing is None:
        ranges = measure_ranges(float_model, calibration)
        return quantize(float_model, steps, ranges, io), ()
    samples = list(choosing)
    fitted = measure_ranges(float_model, calibration.fitting)
    ranges = _joined(fitted, measure_ranges(float_model, choosing))
    try:
        trial = _Trial(float_model, steps, fitted, samples, answers(float_model, samples))
        floats, notes = _chosen(trial, effort)
    except RuntimeError:
        # The engine does not run it: whoever checks the artifact says why.
        return quantize(float_model, steps, ranges), ()
    return quantize(float_model, steps, ranges, floats=floats), notes


def _chosen(trial: _Trial, effort: Effort) -> tuple[list[Operator], tuple[str, ...]]:
    """Return the operators that stay in float, and what is to be said of them."""
    plain = trial.candidate(())
    simulated = SimulatedTflite(trial.float_model, plain.model)
    net = simulated.net
    noise = noise_of_tensors(simulated, trial.samples, effort)
    weights = (simulated.run(sample, frozenset()) for sample in trial.samples)
    rest = noise_between(trial.expected, weights).share
    start = {one.name for one in net.operators if one.kind in SLOW_IN_INT8[ENGINE]}
    floats = choose_floats(net, noise, rest, start)
    tried = trial.candidate(net.by_name[name] for name in sorted(floats))
    if floats and is_worth(tried, plain):
        reason = gain_reason(plain.level, tried.level, len(trial.samples))
    else:
        floats = frozenset(start)
        reason = f"{ENGINE} runs the others quicker so"
    chosen = [net.by_name[name] for name in sorted(floats)]
    return chosen, (floats_note(net, floats, reason),) if floats else ()


def _joined(first: Any, second: Any) -> Any:
    """Return the ranges of both."""
    return {
        name: {
            **found,
            "min": np.minimum(found["min"], second[name]["min"]),
            "max": np.maximum(found["max"], second[name]["max"]),
        }
        if name in second and "min" in found
        else found
        for name, found in first.items()
    }
