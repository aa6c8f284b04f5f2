"""What each layer does to the outputs where it alone is quantized, and what sparing it costs."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from edgekit_converters.calibration import Calibration
from edgekit_converters.mixed.net import Net, Operator, Simulated
from edgekit_converters.mixed.noise import noise_between
from edgekit_runtimes.tensors import Arrays

SAMPLES = 8
# Of so many layers, the worst, files are made in which each one computes in float.
COSTED = 8
# How often two files are run in turns to compare their times.
ROUNDS = 30

Run = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Layer:
    """One operator.

    sqnr_db: of the outputs where only this one is quantized: its kernel, what it reads and makes.
    in_float: whether the artifact computes it in float.
    float_bytes, float_time: by how many bytes the artifact grows, and how many times as long it
    takes, where this one is in float as well; None where it was not tried.
    """

    name: str
    kind: str
    sqnr_db: float
    in_float: bool
    float_bytes: int | None = None
    float_time: float | None = None


class Workshop(Protocol):
    """What a format gives to look at one of its int8 artifacts."""

    @property
    def net(self) -> Net:
        """What is looked at."""

    @property
    def floats(self) -> frozenset[str]:
        """The operators that the artifact computes in float."""

    def original(self) -> Run:
        """Return what runs the float model."""

    def alone(self, operator: Operator) -> Simulated:
        """Return a simulation in which only this one's kernel is that of the int8 artifact."""

    def made(self, floats: frozenset[str]) -> tuple[int, Run]:
        """Return the bytes of an artifact with these operators in float, and what runs it."""


def explain(workshop: Workshop, calibration: Calibration) -> tuple[Layer, ...]:
    """Return the layers that int8 has to do with, the most harmful first."""
    samples = list(itertools.islice(calibration.choosing or calibration, SAMPLES))
    run = workshop.original()
    expected = [run(sample) for sample in samples]
    net, found = workshop.net, []
    for one in net.operators:
        around = frozenset(net.rounded.keys() & {*one.reads, *one.makes})
        if one.kernel or net.rounded.keys() & {*one.makes}:
            simulated = workshop.alone(one)
            answers = (simulated.run(sample, around) for sample in samples)
            level = noise_between(expected, answers).sqnr_db
            found.append(Layer(one.name, one.kind, level, one.name in workshop.floats))
    found.sort(key=lambda layer: layer.sqnr_db)
    return tuple(_costed(workshop, found, samples))


def _costed(workshop: Workshop, layers: Sequence[Layer], samples: Sequence[Arrays]) -> list[Layer]:
    """Return the layers, the first of those in integers with what sparing them costs."""
    in_integers = [layer.name for layer in layers if not layer.in_float][:COSTED]
    size, run = workshop.made(workshop.floats)
    costs = {}
    for name in in_integers:
        larger, spared = workshop.made(workshop.floats | {name})
        costs[name] = larger - size, _ratio(spared, run, samples[0])
    return [
        replace(layer, float_bytes=costs[layer.name][0], float_time=costs[layer.name][1])
        if layer.name in costs
        else layer
        for layer in layers
    ]


def _ratio(run: Run, base: Run, sample: Arrays) -> float:
    """Return the time of one as a multiple of the other's: the median of runs in turns."""
    ratios = []
    for _ in range(ROUNDS):
        times = []
        for one in (run, base):
            start = time.perf_counter()
            one(sample)
            times.append(time.perf_counter() - start)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios)
