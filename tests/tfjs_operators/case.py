"""A row of the table of operators: what is computed, and from which inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit_runtimes.tensors import Array

# float32 in another order of summing; transcendental functions of JavaScript and of WebAssembly.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Case:
    """One use of an operator.

    compute: gets a tensor for each of `inputs`, returns one tensor or several.
    tolerance: the largest difference, relative to the largest finite value; integers are exact.
    skip: the back ends that cannot do this, or do it otherwise: known, and told where it matters.
    """

    name: str
    compute: Callable[..., Any]
    inputs: tuple[Array, ...]
    tolerance: float = TOLERANCE
    skip: frozenset[str] = frozenset()


def case(
    name: str,
    compute: Callable[..., Any],
    *inputs: Any,
    tolerance: float = TOLERANCE,
    skip: str = "",
) -> Case:
    """Return a row. inputs: arrays; lists are float32. skip: back ends, separated by spaces."""
    arrays = tuple(
        np.asarray(array)
        if isinstance(array, (np.ndarray, np.generic))
        else np.asarray(array, np.float32)
        for array in inputs
    )
    return Case(name, compute, arrays, tolerance, frozenset(skip.split()))


def of_one(op: Callable[..., Any], name: str = "x") -> Callable[..., Any]:
    """Return a raw operator as a function of one tensor. name: that of its argument."""
    return lambda tensor: op(**{name: tensor})


def of_two(op: Callable[..., Any]) -> Callable[..., Any]:
    """Return a raw operator as a function of two tensors."""
    return lambda x, y: op(x=x, y=y)


def floats(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Array:
    """Return float32 noise."""
    generator = np.random.default_rng(seed)
    return np.asarray(generator.uniform(low, high, shape).astype(np.float32))


def ints(*shape: int, seed: int = 0, low: int = -9, high: int = 10) -> Array:
    """Return int32 noise, negative numbers among it."""
    return np.asarray(np.random.default_rng(seed).integers(low, high, shape).astype(np.int32))


def bools(*shape: int, seed: int = 0) -> Array:
    """Return random booleans."""
    return np.asarray(np.random.default_rng(seed).random(shape) < 0.5)


def int32(*values: Any) -> Array:
    """Return what is given as int32."""
    return np.asarray(values, np.int32)


# What arithmetic gets wrong most easily: zeros of both signs, ties of rounding, huge numbers.
SPECIAL = np.asarray(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.0, -3.0, 1e-30, 1e30],
    np.float32,
)
RANKS = tuple(range(7))


def cube(rank: int) -> tuple[int, ...]:
    """Return a shape of that rank, all sizes different where there are few."""
    return (2, 3, 4, 1, 2, 3)[:rank]
