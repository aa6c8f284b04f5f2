"""Pools, and images of another size."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

from tfjs_operators.case import Case, case, floats, int32, ints

raw = tf.raw_ops


def pools() -> Iterator[Case]:
    x = floats(2, 7, 8, 3)
    for padding in ("SAME", "VALID"):
        for size, stride in ((2, 2), (3, 2), (3, 1), (2, 3)):
            for name, op in (("MaxPool", raw.MaxPool), ("AvgPool", raw.AvgPool)):
                argument = "input" if name == "MaxPool" else "value"
                yield case(
                    f"{name} {padding} {size} {stride}",
                    lambda x, op=op, a=argument, k=size, s=stride, p=padding: op(
                        **{a: x}, ksize=[1, k, k, 1], strides=[1, s, s, 1], padding=p
                    ),
                    x - 3,
                )
        # Where a stride is wider than a window, what is padded may count less than nothing.
        for size, strides in (([1, 1], [2, 2]), ([2, 2], [3, 3]), ([1, 3], [2, 1])):
            for name, op in (("MaxPool", raw.MaxPool), ("AvgPool", raw.AvgPool)):
                argument = "input" if name == "MaxPool" else "value"
                yield case(
                    f"{name} wide {padding} {size} {strides}",
                    lambda x, op=op, a=argument, k=size, s=strides, p=padding: op(
                        **{a: x}, ksize=[1, *k, 1], strides=[1, *s, 1], padding=p
                    ),
                    floats(2, 6, 8, 3) - 3,
                )
        for name, op in (("MaxPool3D", raw.MaxPool3D), ("AvgPool3D", raw.AvgPool3D)):
            for size, stride in ((1, 2), (2, 3)):
                yield case(
                    f"{name} wide {padding} {size} {stride}",
                    lambda x, op=op, k=size, s=stride, p=padding: op(
                        input=x, ksize=[1, k, k, k, 1], strides=[1, s, s, s, 1], padding=p
                    ),
                    floats(1, 6, 7, 8, 2) - 3,
                )
        yield case(
            f"MaxPool oblong {padding}",
            lambda x, p=padding: raw.MaxPool(
                input=x, ksize=[1, 3, 1, 1], strides=[1, 1, 2, 1], padding=p
            ),
            x,
        )
        yield case(
            f"AvgPool oblong {padding}",
            lambda x, p=padding: raw.AvgPool(
                value=x, ksize=[1, 3, 1, 1], strides=[1, 1, 2, 1], padding=p
            ),
            x,
        )
        yield case(
            f"MaxPool3D {padding}",
            lambda x, p=padding: raw.MaxPool3D(
                input=x, ksize=[1, 2, 3, 2, 1], strides=[1, 2, 1, 2, 1], padding=p
            ),
            floats(1, 5, 5, 6, 2) - 3,
        )
        yield case(
            f"AvgPool3D {padding}",
            lambda x, p=padding: raw.AvgPool3D(
                input=x, ksize=[1, 2, 3, 2, 1], strides=[1, 2, 1, 2, 1], padding=p
            ),
            floats(1, 5, 5, 6, 2) - 3,
        )
    yield case(
        "MaxPool explicit",
        lambda x: raw.MaxPool(
            input=x,
            ksize=[1, 2, 2, 1],
            strides=[1, 2, 2, 1],
            padding="EXPLICIT",
            explicit_paddings=[0, 0, 1, 0, 1, 1, 0, 0],
        ),
        x - 3,
    )


def images() -> Iterator[Case]:
    x = floats(2, 5, 4, 3)
    for size in ((10, 8), (7, 9), (3, 2), (5, 4), (1, 1)):
        for half, corners in ((False, False), (True, False), (False, True)):
            for name, op in (
                ("ResizeBilinear", raw.ResizeBilinear),
                ("ResizeNearestNeighbor", raw.ResizeNearestNeighbor),
            ):
                yield case(
                    f"{name} {size} {half} {corners}",
                    lambda x, op=op, s=size, h=half, c=corners: op(
                        images=x, size=list(s), half_pixel_centers=h, align_corners=c
                    ),
                    x,
                )
    yield case(
        "ResizeBilinear int",
        lambda x: raw.ResizeBilinear(images=x, size=[7, 9], half_pixel_centers=True),
        ints(1, 5, 4, 2),
    )
    yield case(
        "ResizeNearestNeighbor int",
        lambda x: raw.ResizeNearestNeighbor(images=x, size=[7, 9], half_pixel_centers=True),
        ints(1, 5, 4, 2),
    )
    yield case(
        "ResizeBilinear by input",
        lambda x, n: raw.ResizeBilinear(images=x, size=n, half_pixel_centers=True),
        x,
        int32(3, 7),
    )


def cases() -> Iterator[Case]:
    yield from pools()
    yield from images()
