"""The sizes that a .tflite file leaves free, for a batch of one.

Converters write -1 for a size that depends on the batch and 1 beside it, also where ten steps of
a sequence lie along the batch axis. So the sizes are followed from the inputs on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgekit.inspect.model import Shape

# Operators that leave the batch axis as it is.
KEEPING = frozenset(
    {
        *("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "AVERAGE_POOL_2D", "MAX_POOL_2D"),
        *("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW", "PRELU"),
        *("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "ELU", "GELU", "HARD_SWISH", "LOGISTIC"),
        *("TANH", "SOFTMAX", "LOG_SOFTMAX", "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "NEG", "ABS"),
        *("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "L2_NORMALIZATION", "BATCH_MATMUL"),
        *("LOCAL_RESPONSE_NORMALIZATION", "CONCATENATION", "PAD", "PADV2", "MIRROR_PAD"),
        *("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH"),
        *("QUANTIZE", "DEQUANTIZE", "CAST", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
    }
)
# Operators whose result has the elements of their first input, whatever its shape is.
RESHAPING = frozenset(
    {
        *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "RELU", "RELU6", "LEAKY_RELU", "ELU"),
        *("GELU", "HARD_SWISH", "LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE", "DEQUANTIZE"),
    }
)


def total_elements(
    op: str, data: Sequence[Shape | None], totals: Sequence[int | None]
) -> int | None:
    """Return how many elements a result has, which may be known where its shape is not.

    data, totals: the shapes of the inputs, and how many elements they have.
    """
    if not totals or totals[0] is None:
        return None
    if op == "FULLY_CONNECTED" and len(data) > 1 and data[1] and data[1][0] and data[1][1]:
        return totals[0] // data[1][1] * data[1][0]
    return totals[0] if op in RESHAPING else None


def with_free_sizes(
    op: str,
    stated: Shape,
    data: Sequence[Shape | None],
    values: Sequence[Sequence[int] | None],
    total: int | None,
) -> Shape:
    """Return a result's shape with its free sizes worked out, None if they cannot be.

    stated: as the file has it. data: shapes of the inputs. values: of the inputs that are small
    constants of integers, else None. total: how many elements the result has, if that is known.
    """
    if None not in stated:
        return stated
    if op == "TRANSPOSE" and len(data) > 1:
        source, order = data[0], values[1]
        return tuple(source[axis] for axis in order) if source and order else stated
    if total is not None and stated.count(None) == 1:
        rest = math.prod(size for size in stated if size is not None)
        return tuple(total // max(rest, 1) if size is None else size for size in stated)
    batch = _batch(op, data, values)
    return (batch, *stated[1:]) if stated[0] is None else stated


def _batch(
    op: str, data: Sequence[Shape | None], values: Sequence[Sequence[int] | None]
) -> int | None:
    """Return the size of a result's first axis."""
    place = 2 if op in ("TRANSPOSE_CONV", "CONV_3D_TRANSPOSE") else 0
    source = data[place] if len(data) > place else None
    if not source or source[0] is None:
        return None
    if op in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"):
        block = values[1]
        if block is None:
            return None
        factor = math.prod(block)
        return source[0] * factor if op == "SPACE_TO_BATCH_ND" else source[0] // factor
    return source[0] if op in KEEPING or place == 2 else None
