"""Weights rounded so that their layer answers as before, not each to the number nearest to it.

Layer by layer, one row of a kernel after the other; what a row loses in rounding, the rows that are
not rounded yet make up for, as far as they read the same on the samples: GPTQ (Frantar et al., ICLR
2023), which is Optimal Brain Surgeon by the Hessian of the layer's squared error. The mean of what
is lost even so goes into the bias.
"""

from __future__ import annotations

import numpy as np

from edgekit_converters.quantize.kernels import Kernel
from edgekit_converters.quantize.observed import Seen
from edgekit_runtimes.tensors import Array

# A part of the Hessian's diagonal that is added to it: without it, inputs that are hardly ever seen
# let weights grow. The authors of GPTQ take as much.
DAMPING = 0.01
# Rows that are rounded before what they lost is passed on to all the others.
BLOCK = 128


def rounded_kernel(kernel: Kernel, seen: Seen, levels: int, noise: float) -> tuple[Array, Array]:
    """Return the kernel's values on a grid, and what is to be added to the bias: [outputs].

    levels: the largest integer; each output has the grid -levels to levels times a scale, which is
    its largest weight over `levels`. That weight stays, so that a quantizer that computes its
    scales so finds the very same grid; so do zeros, which may have been
    pruned. noise: the power of what rounding adds to each input.
    """
    weights = as_matrices(kernel)
    largest = np.abs(weights).max(axis=1, keepdims=True)
    scales = np.where(largest > 0, largest / levels, 1.0)
    targets = weights / scales
    if seen.products is None:
        integers = np.rint(targets)
    else:
        integers = _by_second_order(targets, _hessian(seen, noise), levels)
    found = integers * scales
    means = (seen.total / seen.count)[:, None, :]
    bias = np.matmul(means, weights - found)[:, 0, :].reshape(-1)
    return from_matrices(kernel, found), bias


def as_matrices(kernel: Kernel) -> Array:
    """Return the kernel as [groups, rows, outputs per group]."""
    values = kernel.values
    if kernel.is_depthwise:
        rows = int(np.prod(values.shape[:2]))
        return np.ascontiguousarray(values.reshape(rows, *values.shape[2:]).transpose(1, 0, 2))
    matrix = values.reshape(-1, kernel.groups, kernel.outputs // kernel.groups)
    return np.ascontiguousarray(matrix.transpose(1, 0, 2))


def from_matrices(kernel: Kernel, matrices: Array) -> Array:
    """Return [groups, rows, outputs per group] as the kernel's values."""
    return np.ascontiguousarray(matrices.transpose(1, 0, 2).reshape(kernel.values.shape))


def _hessian(seen: Seen, noise: float) -> Array:
    assert seen.products is not None
    hessian = seen.products.astype(np.float64) / seen.count
    rows = np.arange(hessian.shape[-1])
    diagonal = hessian[:, rows, rows]
    # A group of which nothing was seen is rounded as if all its inputs were alike.
    added = noise + DAMPING * diagonal.mean(axis=1, keepdims=True)
    hessian[:, rows, rows] += np.where(added > 0, added, 1.0)
    return hessian


def _by_second_order(targets: Array, hessian: Array, levels: int) -> Array:
    """Return integers for `targets` [groups, rows, outputs], those that matter most first."""
    rows = np.arange(hessian.shape[-1])
    order = np.argsort(-hessian[:, rows, rows], axis=1, kind="stable")
    by_row = order[:, :, None]
    hessian = np.take_along_axis(np.take_along_axis(hessian, by_row, 1), order[:, None, :], 2)
    targets = np.take_along_axis(targets, by_row, 1)
    integers = _rounded(targets, _feedback(hessian), np.abs(targets).argmax(axis=1), levels)
    found = np.empty_like(integers)
    np.put_along_axis(found, by_row, integers, 1)
    return found


def _feedback(hessian: Array) -> Array:
    """Return how much of what each row lost a later one makes up for: [groups, rows, later rows].

    With H = U D U', U of ones on its diagonal and zeros below, that is U: what GPTQ gets from the
    inverse of H, without inverting it (Chee et al., QuIP, NeurIPS 2023, theorem 6).
    """
    backwards = np.linalg.cholesky(hessian[:, ::-1, ::-1])
    upper = backwards[:, ::-1, ::-1]
    rows = np.arange(hessian.shape[-1])
    return np.asarray(upper / upper[:, None, rows, rows])


def _rounded(targets: Array, feedback: Array, kept: Array, levels: int) -> Array:
    """Round row after row. kept: the row of each output that is the largest integer."""
    count = targets.shape[1]
    lost, integers = np.zeros_like(targets), np.empty_like(targets)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        block = feedback[:, :start, start:stop].transpose(0, 2, 1)
        wanted = targets[:, start:stop] + np.matmul(block, lost[:, :start])
        for row in range(start, stop):
            earlier = feedback[:, start:row, row, None]
            one = wanted[:, row - start] + (earlier * lost[:, start:row]).sum(axis=1)
            near = np.clip(np.rint(one), -levels, levels)
            target = targets[:, row]
            is_kept = (kept == row) | (target == 0)
            integers[:, row] = np.where(is_kept, np.rint(target), near)
            lost[:, row] = target - integers[:, row]
    return integers
