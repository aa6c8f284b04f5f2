"""Paddings, and blocks of space moved into the batch or the channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    x = floats(2, 3, 4)
    yield case("Pad", lambda x: raw.Pad(input=x, paddings=[[1, 0], [2, 1], [0, 3]]), x)
    yield case(
        "PadV2",
        lambda x: raw.PadV2(input=x, paddings=[[1, 0], [2, 1], [0, 3]], constant_values=2.5),
        x,
    )
    yield case(
        "PadV2 infinite",
        lambda x: raw.PadV2(input=x, paddings=[[1, 0], [2, 1], [0, 3]], constant_values=-np.inf),
        x,
    )
    yield case(
        "PadV2 int",
        lambda x: raw.PadV2(input=x, paddings=[[1, 0], [2, 1]], constant_values=-4),
        ints(2, 3),
    )
    yield case("Pad int", lambda x: raw.Pad(input=x, paddings=[[1, 0], [2, 1]]), ints(2, 3))
    yield case("Pad bool", lambda x: raw.Pad(input=x, paddings=[[1, 0], [2, 1]]), bools(2, 3))
    for rank in (1, 4, 5, 6):
        yield case(
            f"Pad rank {rank}",
            lambda x, r=rank: raw.Pad(input=x, paddings=[[n % 2, n % 3] for n in range(1, r + 1)]),
            floats(*cube(rank)),
        )
    yield case("Pad none", lambda x: raw.Pad(input=x, paddings=[[0, 0], [0, 0]]), floats(2, 3))
    yield case(
        "Pad by input",
        lambda x, n: raw.Pad(input=x, paddings=n),
        floats(2, 3),
        int32([1, 2], [0, 1]),
    )
    yield case(
        "Pad empty",
        lambda x, n: raw.Pad(input=x[: n[0]], paddings=[[1, 0], [2, 1]]),
        floats(2, 3),
        int32(0),
    )
    for mode in ("REFLECT", "SYMMETRIC"):
        yield case(
            f"MirrorPad {mode}",
            lambda x, m=mode: raw.MirrorPad(input=x, paddings=[[1, 0], [2, 1], [0, 3]], mode=m),
            x,
        )
        for rank in (1, 2, 4, 5):
            yield case(
                f"MirrorPad {mode} rank {rank}",
                lambda x, m=mode, r=rank: raw.MirrorPad(
                    input=x, paddings=[[1, 1], [0, 1], [2, 0], [0, 0], [1, 0]][:r], mode=m
                ),
                floats(*cube(rank)),
            )
        yield case(
            f"MirrorPad {mode} int",
            lambda x, m=mode: raw.MirrorPad(input=x, paddings=[[1, 0], [2, 1]], mode=m),
            ints(2, 3),
        )
    yield case(
        "SpaceToBatchND",
        lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [1, 1]]),
        floats(2, 4, 6, 3),
    )
    yield case("SpaceToBatchND 1", lambda x: tf.space_to_batch(x, [3], [[1, 2]]), floats(2, 6, 3))
    yield case(
        "BatchToSpaceND",
        lambda x: tf.batch_to_space(x, [2, 2], [[0, 1], [1, 0]]),
        floats(8, 4, 6, 3),
    )
    yield case("BatchToSpaceND 1", lambda x: tf.batch_to_space(x, [3], [[1, 0]]), floats(6, 4, 3))
    yield case("DepthToSpace", lambda x: tf.nn.depth_to_space(x, 2), floats(2, 3, 4, 12))
    yield case("DepthToSpace 3", lambda x: tf.nn.depth_to_space(x, 3), floats(1, 3, 2, 18))
