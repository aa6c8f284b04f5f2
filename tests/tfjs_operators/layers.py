"""Operators that sum: convolutions, pools, products, reductions, norms, images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tfjs_operators.case import SPECIAL, Case, bools, case, cube, floats, int32, ints

raw = tf.raw_ops


def convolutions() -> Iterator[Case]:
    x, k = floats(2, 7, 8, 3), floats(3, 2, 3, 4, seed=1)
    for padding in ("SAME", "VALID", "EXPLICIT"):
        explicit = [0, 0, 1, 2, 0, 1, 0, 0] if padding == "EXPLICIT" else []
        for strides in ((1, 1), (2, 2), (2, 1)):
            s = [1, *strides, 1]
            yield case(f"Conv2D {padding} {strides}", lambda x, k, s=s, p=padding, e=explicit: raw.Conv2D(input=x, filter=k, strides=s, padding=p, explicit_paddings=e), x, k)
            if strides[0] == strides[1] and padding != "EXPLICIT":
                yield case(f"DepthwiseConv2dNative {padding} {strides}", lambda x, k, s=s, p=padding, e=explicit: raw.DepthwiseConv2dNative(input=x, filter=k, strides=s, padding=p, explicit_paddings=e), x, floats(3, 2, 3, 2, seed=1))
            yield case(f"Conv2DBackpropInput {padding} {strides}", lambda x, k, s=strides, p=padding, e=explicit: tf.nn.conv2d_transpose(x, k, {"SAME": [2, 7 * s[0], 8 * s[1], 4], "VALID": [2, 6 * s[0] + 3, 7 * s[1] + 2, 4], "EXPLICIT": [2, 6 * s[0], 7 * s[1] + 1, 4]}[p], s, p if p != "EXPLICIT" else [[0, 0], [1, 2], [0, 1], [0, 0]]), x, floats(3, 2, 4, 3, seed=1))
        yield case(f"Conv2D dilated {padding}", lambda x, k, p=padding, e=explicit: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding=p, explicit_paddings=e, dilations=[1, 2, 3, 1]), x, k)
        if padding != "EXPLICIT":
            yield case(f"Conv3D {padding}", lambda x, k, p=padding: raw.Conv3D(input=x, filter=k, strides=[1, 1, 2, 1, 1], padding=p), floats(1, 4, 5, 6, 2), floats(2, 3, 2, 2, 3, seed=1))
    yield case("Conv2D const", lambda x: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding="SAME"), x)
    yield case("Conv2D 1x1", lambda x, k: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding="SAME"), x, floats(1, 1, 3, 4))
    yield case("Conv2D 1x1 strided", lambda x, k: raw.Conv2D(input=x, filter=k, strides=[1, 2, 2, 1], padding="VALID"), x, floats(1, 1, 3, 4))
    yield case("Conv2D whole", lambda x, k: raw.Conv2D(input=x, filter=k, strides=[1, 1, 1, 1], padding="VALID"), x, floats(7, 8, 3, 4))
    for act in (None, "relu", "relu6", "elu", "leaky_relu", "sigmoid", "tanh"):
        f = (lambda y: y) if act is None else getattr(tf.nn, act)
        yield case(f"_FusedConv2D {act}", lambda x, f=f: f(tf.nn.conv2d(x, k, 1, "SAME") + floats(4)), x)
        yield case(f"FusedDepthwise {act}", lambda x, f=f: f(tf.nn.depthwise_conv2d(x, floats(3, 2, 3, 2), [1, 1, 1, 1], "SAME") + floats(6)), x)
        yield case(f"_FusedMatMul {act}", lambda x, f=f: f(tf.matmul(x, floats(3, 4)) + floats(4)), floats(5, 3))
    yield case("_FusedConv2D explicit", lambda x: tf.nn.relu(tf.nn.conv2d(x, k, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]) + floats(4)), x)
    yield case("_FusedConv2D dilated", lambda x: tf.nn.relu(tf.nn.conv2d(x, k, 1, "SAME", dilations=2) + floats(4)), x)
    yield case("FusedDepthwise dilated", lambda x: tf.nn.relu(tf.nn.depthwise_conv2d(x, floats(3, 3, 3, 2), [1, 1, 1, 1], "SAME", dilations=[2, 2]) + floats(6)), x)
    yield case("DepthwiseConv2dNative dilated valid", lambda x, k: tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "VALID", dilations=[2, 2]), x, floats(2, 2, 3, 2))
    yield case("Conv1D", lambda x, k: tf.nn.conv1d(x, k, 2, "SAME"), floats(2, 9, 3), floats(3, 3, 4))
    yield case("Conv3D dilated", lambda x, k: raw.Conv3D(input=x, filter=k, strides=[1, 1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 2, 1]), floats(1, 5, 5, 6, 2), floats(2, 2, 2, 2, 3, seed=1))


def pools() -> Iterator[Case]:
    x = floats(2, 7, 8, 3)
    for padding in ("SAME", "VALID"):
        for size, stride in ((2, 2), (3, 2), (3, 1), (2, 3)):
            for name, op in (("MaxPool", raw.MaxPool), ("AvgPool", raw.AvgPool)):
                argument = "input" if name == "MaxPool" else "value"
                yield case(f"{name} {padding} {size} {stride}", lambda x, op=op, a=argument, k=size, s=stride, p=padding: op(**{a: x}, ksize=[1, k, k, 1], strides=[1, s, s, 1], padding=p), x - 3)
        yield case(f"MaxPool oblong {padding}", lambda x, p=padding: raw.MaxPool(input=x, ksize=[1, 3, 1, 1], strides=[1, 1, 2, 1], padding=p), x)
        yield case(f"AvgPool oblong {padding}", lambda x, p=padding: raw.AvgPool(value=x, ksize=[1, 3, 1, 1], strides=[1, 1, 2, 1], padding=p), x)
        yield case(f"MaxPool3D {padding}", lambda x, p=padding: raw.MaxPool3D(input=x, ksize=[1, 2, 3, 2, 1], strides=[1, 2, 1, 2, 1], padding=p), floats(1, 5, 5, 6, 2) - 3)
        yield case(f"AvgPool3D {padding}", lambda x, p=padding: raw.AvgPool3D(input=x, ksize=[1, 2, 3, 2, 1], strides=[1, 2, 1, 2, 1], padding=p), floats(1, 5, 5, 6, 2) - 3)
    yield case("MaxPool explicit", lambda x: raw.MaxPool(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 1, 1, 0, 0]), x - 3)


def products() -> Iterator[Case]:
    a, b = floats(3, 4), floats(4, 5, seed=1)
    for ta in (False, True):
        for tb in (False, True):
            x, y = a.T.copy() if ta else a, b.T.copy() if tb else b
            yield case(f"MatMul {ta} {tb}", lambda x, y, ta=ta, tb=tb: raw.MatMul(a=x, b=y, transpose_a=ta, transpose_b=tb), x, y)
            yield case(f"_FusedMatMul {ta} {tb}", lambda x, y=y, ta=ta, tb=tb: tf.nn.relu(raw.MatMul(a=x, b=y, transpose_a=ta, transpose_b=tb) + floats(5)), x)
            p, q = floats(2, 3, *x.shape), floats(2, 3, *y.shape, seed=2)
            yield case(f"BatchMatMulV2 {ta} {tb}", lambda x, y, ta=ta, tb=tb: raw.BatchMatMulV2(x=x, y=y, adj_x=ta, adj_y=tb), p, q)
    yield case("MatMul int", lambda x, y: tf.matmul(x, y), ints(3, 4), ints(4, 2, seed=1))
    yield case("BatchMatMulV2 int", lambda x, y: tf.matmul(x, y), ints(2, 3, 4), ints(2, 4, 2, seed=1))
    yield case("MatMul by const", lambda x: tf.matmul(x, b), a)
    yield case("BatchMatMulV2 broadcast", lambda x, y: tf.matmul(x, y), floats(2, 1, 3, 4), floats(3, 4, 2))
    yield case("BatchMatMulV2 broadcast 1", lambda x, y: tf.matmul(x, y), floats(3, 4), floats(2, 4, 2))
    yield case("BatchMatMulV2 const", lambda x: tf.matmul(x, b), floats(2, 3, 4))
    yield case("BatchMatMulV2 rank 5", lambda x, y: tf.matmul(x, y), floats(2, 1, 2, 3, 4), floats(2, 3, 2, 4, 2))
    yield case("MatMul empty", lambda x, y, n: tf.matmul(x[: n[0]], y), floats(2, 4), floats(4, 2), int32(0))
    yield case("MatMul no depth", lambda x, y, n: tf.matmul(x[:, : n[0]], y[: n[0]]), floats(3, 4), floats(4, 2), int32(0))
    for equation in ("ij,jk->ik", "ij,kj->ik", "bij,bjk->bik", "abc,cd->abd", "aecd,abcd->acbe", "acbe,aecd->abcd", "abc,cde->abde", "ij->ji", "ij->j", "ij,ij->", "ij,ij->ij", "i,j->ij", "ij,j->i", "abcd,cde->abe", "ABc,cd->ABd", "abC,Cd->abd"):
        shapes = {"i": 3, "j": 4, "k": 2, "a": 2, "b": 3, "c": 4, "d": 2, "e": 5, "A": 2, "B": 3, "C": 4}
        terms = equation.partition("->")[0].split(",")
        arrays = [floats(*(shapes[s] for s in term), seed=n) for n, term in enumerate(terms)]
        yield case(f"Einsum {equation}", lambda *xs, e=equation: raw.Einsum(inputs=list(xs), equation=e), *arrays)
    yield case("Einsum ellipsis", lambda x, y: tf.einsum("...ij,jk->...ik", x, y), floats(2, 3, 4), floats(4, 2))
    yield case("Einsum cases", lambda x, y: raw.Einsum(inputs=[x, y], equation="aA,Ab->ab"), floats(2, 3), floats(3, 4))
    yield case("Einsum int", lambda x, y: raw.Einsum(inputs=[x, y], equation="ab,bc->ac"), ints(2, 3), ints(3, 4))
    yield case("MatrixBandPart", lambda x: tf.linalg.band_part(x, 1, 0), floats(2, 4, 4))


def reductions() -> Iterator[Case]:
    x = floats(2, 3, 4)
    ops = {"Max": raw.Max, "Min": raw.Min, "Mean": raw.Mean, "Sum": raw.Sum, "Prod": raw.Prod, "EuclideanNorm": raw.EuclideanNorm}
    for name, op in ops.items():
        for axis in (0, 1, -1, [0, 2], [-1, -2], [0, 1, 2]):
            for keep in (False, True):
                yield case(f"{name} {axis} {keep}", lambda x, op=op, a=axis, k=keep: op(input=x, axis=a, keep_dims=k), x)
        if name not in ("EuclideanNorm", "Mean"):
            yield case(f"{name} int", lambda x, op=op: op(input=x, axis=[-1]), ints(3, 4))
            yield case(f"{name} large int", lambda x, op=op: op(input=x, axis=[0]), int32(2**24 + 1, 1))
        yield case(f"{name} none", lambda x, op=op: op(input=x, axis=np.zeros(0, np.int32)), x)
        yield case(f"{name} specials", lambda x, op=op: op(input=x, axis=[-1]), np.stack([SPECIAL, np.flip(SPECIAL), np.where(np.isnan(SPECIAL), 0, SPECIAL)]))
        yield case(f"{name} scalar", lambda x, op=op: op(input=x, axis=np.zeros(0, np.int32)), floats())
        yield case(f"{name} rank 5", lambda x, op=op: op(input=x, axis=[1, 3]), floats(*cube(5)))
        yield case(f"{name} rank 6", lambda x, op=op: op(input=x, axis=[1, -1]), floats(*cube(6)))
    for name, op in (("Sum", raw.Sum),):
        yield case(f"{name} empty", lambda x, n, op=op: op(input=x[: n[0]], axis=[0]), floats(2, 3), int32(0))
    yield case("Mean large", lambda x: raw.Mean(input=x, axis=[0]), floats(1000, 2, low=10, high=11))
    for name, op in (("All", raw.All), ("Any", raw.Any)):
        for axis in (0, -1, [0, 1], [0, 1, 2]):
            for keep in (False, True):
                yield case(f"{name} {axis} {keep}", lambda x, op=op, a=axis, k=keep: op(input=x, axis=a, keep_dims=k), bools(2, 3, 4))
    ties = np.asarray([[1, 3, 3, 0], [2, 2, 2, 2], [-1, -5, -5, 7]], np.float32)
    for name, op in (("ArgMax", raw.ArgMax), ("ArgMin", raw.ArgMin)):
        for axis in (0, 1, -1):
            yield case(f"{name} {axis}", lambda x, op=op, a=axis: op(input=x, dimension=a), ties)
            yield case(f"{name} int32 {axis}", lambda x, op=op, a=axis: op(input=x, dimension=a, output_type=tf.int32), ties)
        yield case(f"{name} of int", lambda x, op=op: op(input=x, dimension=1), ties.astype(np.int32))
        yield case(f"{name} large int", lambda x, op=op: op(input=x, dimension=0), int32(2**24, 2**24 + 1, 2**24 - 1))
        yield case(f"{name} rank 4", lambda x, op=op: op(input=x, dimension=2), floats(*cube(4)))
        yield case(f"{name} infinite", lambda x, op=op: op(input=x, dimension=0), [-np.inf, -np.inf, np.inf, np.inf])
        yield case(f"{name} far", lambda x, op=op: op(input=x, dimension=0), [-np.inf, -1e30, -np.inf])
        yield case(f"{name} rank 1", lambda x, op=op: op(input=x, dimension=0), floats(70))
    for name, op in (("Cumsum", raw.Cumsum), ("Cumprod", raw.Cumprod)):
        for axis in (0, 1, -1):
            for exclusive in (False, True):
                for reverse in (False, True):
                    yield case(f"{name} {axis} {exclusive} {reverse}", lambda x, op=op, a=axis, e=exclusive, r=reverse: op(x=x, axis=a, exclusive=e, reverse=r), x)
        yield case(f"{name} int", lambda x, op=op: op(x=x, axis=1), ints(3, 4, low=-3, high=4))
        yield case(f"{name} vector", lambda x, op=op: op(x=x, axis=0), floats(7))
    yield case("Bincount", lambda x: tf.math.bincount(x, minlength=5, maxlength=5), int32(1, 3, 3, 0))
    yield case("DenseBincount", lambda x: raw.DenseBincount(input=x, size=5, weights=np.zeros(0, np.float32)), int32(1, 3, 3, 0))
    yield case("DenseBincount int", lambda x: raw.DenseBincount(input=x, size=5, weights=np.zeros(0, np.int32)), int32(1, 3, 3, 0))
    yield case("DenseBincount binary", lambda x: raw.DenseBincount(input=x, size=5, weights=np.zeros(0, np.float32), binary_output=True), int32([1, 3, 3], [0, 0, 2]))
    yield case("DenseBincount weights", lambda x, w: raw.DenseBincount(input=x, size=5, weights=w), int32([1, 3, 3], [0, 0, 2]), floats(2, 3))
    yield case("DenseBincount beyond", lambda x: raw.DenseBincount(input=x, size=3, weights=np.zeros(0, np.float32)), int32([1, 3, 3], [0, 0, 2]))
    for name, side in (("LowerBound", "left"), ("UpperBound", "right")):
        yield case(name, lambda s, v, side=side: tf.searchsorted(s, v, side), np.sort(floats(2, 6)), floats(2, 4, seed=1))
        yield case(f"{name} ties", lambda s, v, side=side: tf.searchsorted(s, v, side), [[1.0, 2.0, 2.0, 3.0]], [[2.0, 0.0, 9.0, 3.0]])
        yield case(f"{name} int", lambda s, v, side=side: tf.searchsorted(s, v, side), int32([1, 2, 2, 3]), int32([2, 0, 9]))
    for k in (1, 2, 4):
        yield case(f"TopKV2 {k}", lambda x, k=k: tf.math.top_k(x, k), ties)
    yield case("TopKV2 unsorted", lambda x: tf.sort(tf.math.top_k(x, 2, sorted=False).values), floats(3, 5))
    yield case("TopKV2 int", lambda x: tf.math.top_k(x, 2), ties.astype(np.int32))
    yield case("TopKV2 vector", lambda x: tf.math.top_k(x, 3), floats(9))
    yield case("TopKV2 long", lambda x: tf.math.top_k(x, 7), np.round(floats(2, 100) * 5))
    yield case("TopKV2 rank 4", lambda x: tf.math.top_k(x, 2), floats(2, 2, 2, 5))
    yield case("TopKV2 infinite", lambda x: tf.math.top_k(x, 3), [-np.inf, 1.0, np.inf, -np.inf])
    yield case("sort", lambda x: tf.sort(x), floats(3, 5))
    yield case("argsort", lambda x: tf.argsort(x, direction="DESCENDING"), ties)


def norms() -> Iterator[Case]:
    x = floats(2, 3, 4, 5)
    yield case("Softmax", lambda x: tf.nn.softmax(x), floats(3, 4) * 5)
    yield case("Softmax large", lambda x: tf.nn.softmax(x), floats(3, 4) * 500)
    yield case("Softmax rank 1", lambda x: tf.nn.softmax(x), floats(4))
    yield case("Softmax rank 4", lambda x: tf.nn.softmax(x), x)
    yield case("Softmax axis", lambda x: tf.nn.softmax(x, axis=1), x)
    yield case("Softmax masked", lambda x: tf.nn.softmax(x), [[1.0, -np.inf, 2.0], [0.0, -1e9, 1.0]])
    yield case("LogSoftmax", lambda x: tf.nn.log_softmax(x), floats(3, 4) * 5)
    yield case("LogSoftmax large", lambda x: tf.nn.log_softmax(x), floats(3, 4) * 500)
    yield case("LogSoftmax rank 3", lambda x: tf.nn.log_softmax(x), floats(2, 3, 4))
    args = [floats(5, seed=n) for n in (1, 2, 3)]
    var = np.abs(floats(5, seed=4)) + 0.1
    for epsilon in (0.001, 0.1):
        yield case(f"FusedBatchNormV3 {epsilon}", lambda x, a, b, m, v, e=epsilon: raw.FusedBatchNormV3(x=x, scale=a, offset=b, mean=m, variance=v, epsilon=e, is_training=False).y, x, *args, var)
    yield case("FusedBatchNormV2", lambda x, a, b, m, v: raw.FusedBatchNormV2(x=x, scale=a, offset=b, mean=m, variance=v, epsilon=0.01, is_training=False).y, x, *args, var)
    yield case("FusedBatchNorm", lambda x, a, b, m, v: raw.FusedBatchNorm(x=x, scale=a, offset=b, mean=m, variance=v, epsilon=0.01, is_training=False).y, x, *args, var)
    yield case("FusedBatchNormV3 training", lambda x, a, b: raw.FusedBatchNormV3(x=x, scale=a, offset=b, mean=np.zeros(0, np.float32), variance=np.zeros(0, np.float32), epsilon=0.01, is_training=True).y, x, *args[:2])
    for radius, bias, alpha, beta in ((5, 1.0, 1.0, 0.5), (2, 0.5, 0.3, 0.75), (1, 1.0, 0.0, 0.0)):
        yield case(f"LRN {radius}", lambda x, r=radius, b=bias, a=alpha, e=beta: raw.LRN(input=x, depth_radius=r, bias=b, alpha=a, beta=e), x)
    yield case("FakeQuantWithMinMaxVars", lambda x: raw.FakeQuantWithMinMaxVars(inputs=x, min=-1.0, max=1.5), x)
    yield case("FakeQuantWithMinMaxArgs", lambda x: raw.FakeQuantWithMinMaxArgs(inputs=x, min=-1.0, max=1.5), x)


def images() -> Iterator[Case]:
    x = floats(2, 5, 4, 3)
    for size in ((10, 8), (7, 9), (3, 2), (5, 4), (1, 1)):
        for half, corners in ((False, False), (True, False), (False, True)):
            for name, op in (("ResizeBilinear", raw.ResizeBilinear), ("ResizeNearestNeighbor", raw.ResizeNearestNeighbor)):
                yield case(f"{name} {size} {half} {corners}", lambda x, op=op, s=size, h=half, c=corners: op(images=x, size=list(s), half_pixel_centers=h, align_corners=c), x)
    yield case("ResizeBilinear int", lambda x: raw.ResizeBilinear(images=x, size=[7, 9], half_pixel_centers=True), ints(1, 5, 4, 2))
    yield case("ResizeNearestNeighbor int", lambda x: raw.ResizeNearestNeighbor(images=x, size=[7, 9], half_pixel_centers=True), ints(1, 5, 4, 2))
    yield case("ResizeBilinear by input", lambda x, n: raw.ResizeBilinear(images=x, size=n, half_pixel_centers=True), x, int32(3, 7))
    boxes = np.asarray([[0.1, 0.2, 0.8, 0.9], [-0.2, 0.0, 1.2, 1.0], [0.9, 0.9, 0.1, 0.1]], np.float32)
    for method in ("bilinear", "nearest"):
        yield case(f"CropAndResize {method}", lambda x, b, i, m=method: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=[3, 4], method=m, extrapolation_value=0.25), x, boxes, int32(1, 0, 1))
        yield case(f"CropAndResize {method} one", lambda x, b, i, m=method: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=[1, 1], method=m), x, boxes, int32(1, 0, 1))
    turn = np.asarray([[0.9, 0.1, 0.2, -0.1, 1.1, 0.3, 0.0, 0.0], [1.0, 0.2, -1.5, 0.1, 0.8, 2.0, 0.01, 0.02]], np.float32)
    for interpolation in ("BILINEAR", "NEAREST"):
        for mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
            yield case(f"ImageProjectiveTransformV3 {interpolation} {mode}", lambda x, t, i=interpolation, m=mode: raw.ImageProjectiveTransformV3(images=x, transforms=t, output_shape=[5, 4], fill_value=0.5, interpolation=i, fill_mode=m), x, turn)
    yield case("ImageProjectiveTransformV3 shared", lambda x, t: raw.ImageProjectiveTransformV3(images=x, transforms=t, output_shape=[6, 5], fill_value=0.5, interpolation="BILINEAR", fill_mode="CONSTANT"), x, turn[:1])


def cases() -> Iterator[Case]:
    yield from convolutions()
    yield from pools()
    yield from products()
    yield from reductions()
    yield from norms()
    yield from images()
