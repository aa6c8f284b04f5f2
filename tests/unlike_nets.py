"""Three dozen small Keras models with unlike operators: what converters and engines get wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

IMAGE = (9, 8, 6)
STEPS = (7, 6)


def _image(compute: Callable[[Any], Any], shape: tuple[int, ...] = IMAGE) -> Callable[[], Any]:
    def make() -> keras.Model:
        keras.utils.set_random_seed(12)
        x = keras.Input(shape, name="x")
        return keras.Model(x, compute(x))

    return make


def _steps(compute: Callable[[Any], Any]) -> Callable[[], Any]:
    return _image(compute, STEPS)


def _padded_pools(x: Any) -> Any:
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x - 3.0))
    x = layers.AveragePooling2D(3, 1, padding="same")(layers.ZeroPadding2D(((1, 0), (0, 2)))(x))
    return layers.MaxPooling2D(2, padding="same")(layers.Conv2D(4, 3)(x))


def _residual_recurrent(x: Any) -> Any:
    y = layers.LSTM(6, return_sequences=True)(x)
    y = layers.LayerNormalization()(x + y)
    y = y + layers.Bidirectional(layers.GRU(3, return_sequences=True))(y)
    return layers.Dense(2)(layers.Permute((2, 1))(y))


def _resized(x: Any) -> Any:
    x = layers.UpSampling2D(2)(layers.Conv2D(3, 3)(x))
    x = layers.UpSampling2D((2, 3), interpolation="bilinear")(x)
    return layers.Resizing(11, 7)(x)


def _transposed(x: Any) -> Any:
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(3, 4, strides=3, padding="valid")(x)
    return layers.Conv2DTranspose(2, 2)(x)


def _grouped(x: Any) -> Any:
    x = layers.Conv2D(12, 3, groups=3, padding="same", activation="relu")(x)
    return layers.Conv2D(8, 3, groups=2, strides=2)(x)


def _attention(x: Any) -> Any:
    y = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(2, 4)(y, y, use_causal_mask=True)
    y = layers.Dense(12, activation="gelu")(layers.LayerNormalization()(x))
    return layers.Dense(6)(y) + x


def _global(x: Any) -> Any:
    pooled = [layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)]
    kept = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Dense(3)(layers.Concatenate()([*pooled, layers.Flatten()(x * kept)]))


def _activated(x: Any) -> Any:
    names = "hard_swish hard_sigmoid swish mish softplus softsign elu selu relu6 tanh exponential"
    parts = [layers.Activation(name)(x) for name in names.split()]
    parts += [layers.PReLU()(x), layers.LeakyReLU(0.2)(x), ops.glu(x), ops.silu(x)]
    return layers.Concatenate()(parts)


def _compared(x: Any) -> Any:
    larger = ops.logical_and(x > 0.1, ops.abs(x) < 1.5)
    y = ops.where(larger, x, -2.0) + ops.cast(ops.logical_not(x >= 0), "float32")
    y = ops.clip(y, -1, 1) * ops.sign(x) + ops.maximum(x, 0.2) - ops.minimum(x, 0.3)
    return y, ops.argmax(x, -1), ops.any(x > 1, 1), ops.all(x > -2, -1)


def _spread(x: Any) -> Any:
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same", depth_multiplier=2)(x)
    x = layers.SeparableConv2D(5, 3, strides=2, padding="same", activation="relu")(x)
    return layers.Conv2D(4, 2, dilation_rate=2)(x)


def _causal(x: Any) -> Any:
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu")(x)
    x = layers.Conv1DTranspose(4, 3, strides=2)(layers.MaxPooling1D(2)(x))
    return layers.SeparableConv1D(3, 3)(layers.AveragePooling1D(3, 2, padding="same")(x))


def _solid(x: Any) -> Any:
    x = layers.Conv3D(4, 2, padding="same")(layers.Reshape((*IMAGE[:2], 3, 2))(x))
    return layers.AveragePooling3D(2)(layers.MaxPooling3D(2, padding="same")(x - 9.0))


def _einsum(x: Any) -> Any:
    y = layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de")(x)
    z = ops.einsum("abde,acde->adbc", y, y)
    return z, ops.einsum("abc->ca", x)


def _normed(x: Any) -> Any:
    parts = [layers.GroupNormalization(3)(x), layers.LayerNormalization(axis=[1, 2, 3])(x)]
    parts += [layers.UnitNormalization()(x), layers.BatchNormalization(axis=1)(x)]
    parts += [layers.BatchNormalization()(x, training=True), layers.RMSNormalization()(x)]
    return layers.Concatenate()(parts)


def _gathered(x: Any) -> Any:
    order = ops.argsort(x, axis=-1)
    values, places = ops.top_k(x, 3)
    taken = ops.take(x, [3, 0, 0], axis=1), ops.take_along_axis(x, order, axis=-1)
    hot = ops.one_hot(ops.argmin(x, -1), 6, axis=1)
    return *taken, values, places, hot, ops.sort(x, axis=1), ops.multi_hot(places, 6)


def _cumulated(x: Any) -> Any:
    parts = [ops.cumsum(x, axis=-1), ops.cumprod(x, axis=1), ops.flip(x, 1), ops.roll(x, 2, 1)]
    return ops.concatenate(parts, 1), ops.tile(x, (1, 2, 1)), ops.repeat(x, 3, axis=-1)


def _sliced(x: Any) -> Any:
    return x[:, ::2, 1], x[:, ::-1, ::3], x[:, -3:, None, 1], x[..., -1:], x[:, 1:6:2, ..., 2]


def _transcendental(x: Any) -> Any:
    small = ops.tanh(x) * 0.9
    parts = [ops.sin(x), ops.cos(x), ops.log1p(ops.abs(x)), ops.expm1(x), ops.erf(x), ops.sinh(x)]
    parts += [ops.arcsin(small), ops.arccos(small), ops.arctan2(x, small), ops.arctanh(small)]
    parts += [ops.power(ops.abs(x), 1.7), ops.rsqrt(ops.abs(x) + 1), ops.log2(ops.abs(x) + 1)]
    parts += [ops.logaddexp(x, small), ops.hypot(x, small), ops.exp2(x), ops.cbrt(x)]
    return ops.concatenate(parts, -1)


def _softened(x: Any) -> Any:
    parts = [ops.softmax(x, 1), ops.log_softmax(x), ops.sparsemax(x), ops.log_sigmoid(x)]
    return ops.concatenate(parts, -1), ops.logsumexp(x, axis=1, keepdims=True)


def _mirrored(x: Any) -> Any:
    edges = [[0, 0], [2, 1], [1, 2], [0, 0]]
    modes = [ops.pad(x, edges, mode=mode) for mode in ("reflect", "symmetric")]
    return ops.concatenate([*modes, ops.pad(x, edges, constant_values=2.5)], -1)


def _matrices(x: Any) -> Any:
    square = ops.matmul(x, ops.transpose(x, (0, 2, 1)))
    parts = [ops.tril(square), ops.triu(square, 1), square * ops.eye(7)]
    return ops.stack(parts, 1), ops.outer(x[0, 0], x[0, 1])


def _reduced(x: Any) -> Any:
    parts = [ops.std(x, 1), ops.var(x, 1), ops.max(x, 1), ops.min(x, 1), ops.prod(x, 1)]
    parts += [ops.norm(x, axis=1), ops.median(x, axis=1), ops.average(x, axis=1)]
    return ops.stack(parts, 1), ops.max(x, (1, 2), keepdims=True), ops.ptp(x, 2)


def _rounded(x: Any) -> Any:
    parts = [ops.floor(x), ops.ceil(x), ops.round(x), ops.trunc(x), ops.floor_divide(x, 0.3)]
    parts += [ops.mod(x, 0.7), ops.divide_no_nan(x, ops.round(x)), ops.nan_to_num(x / 3)]
    return ops.concatenate(parts, -1)


def _integers(x: Any) -> Any:
    whole = ops.cast(ops.round(x * 20), "int32")
    parts = [whole // 7, whole % 7, ops.abs(whole), ops.square(whole), ops.clip(whole, -9, 9)]
    parts += [ops.maximum(whole, 3), ops.where(whole > 0, whole, -whole), ops.flip(whole, 1)]
    return ops.stack(parts, 1), ops.sum(whole, 1), ops.cumsum(whole, 1), ops.cast(whole, "bool")


def _bytes(x: Any) -> Any:
    byte = ops.cast(ops.abs(x) * 60, "uint8")
    return byte + byte, ops.cast(byte, "float32") / 2, byte[:, ::2], ops.max(byte, 1)


def _turned(x: Any) -> Any:
    x = ops.transpose(ops.reshape(x, (-1, 9, 4, 2, 6)), (0, 3, 1, 4, 2))
    return ops.moveaxis(x, 1, -1), ops.swapaxes(x, 2, 3), ops.expand_dims(x[:, 0], (1, 3))


def _patched(x: Any) -> Any:
    patches = ops.image.extract_patches(x, 3, strides=2, padding="same")
    cropped = layers.Cropping2D(((1, 2), (0, 1)))(x)
    return patches, cropped, layers.CenterCrop(4, 4)(x)


def _merged(x: Any) -> Any:
    y = layers.Dense(6)(x)
    pairs = [layers.Minimum()([x, y]), layers.Maximum()([x, y]), layers.Multiply()([x, y])]
    pairs += [layers.Subtract()([x, y]), layers.Average()([x, y])]
    return layers.Concatenate()(pairs), layers.Dot(axes=2, normalize=True)([x, y])


def _recurrent(x: Any) -> Any:
    y = layers.SimpleRNN(4, go_backwards=True, return_sequences=True)(x)
    y = layers.TimeDistributed(layers.Dense(3, activation="relu"))(y)
    y, *states = layers.LSTM(3, return_state=True, return_sequences=True)(y)
    return y, *states, layers.GRU(2, reset_after=False)(y)


def _masked(x: Any) -> Any:
    x = layers.Masking(0.0)(ops.where(x > -1.5, x, 0.0))
    return layers.LSTM(3)(x), layers.GRU(3, return_sequences=True)(x)


def _counted(x: Any) -> Any:
    places = ops.cast(ops.abs(x) * 2, "int32")
    edges = np.asarray([-1.0, 0.0, 0.5], np.float32)
    return ops.digitize(x, edges), layers.CategoryEncoding(9, output_mode="multi_hot")(places[:, 0])


def _spectral(x: Any) -> Any:
    real, imaginary = ops.rfft(ops.transpose(x, (0, 2, 1)), fft_length=8)
    return ops.sqrt(ops.square(real) + ops.square(imaginary)), real, imaginary


def _stretched(x: Any) -> Any:
    rows = ops.reshape(x, (-1, 7, 1, 2, 3))
    columns = ops.reshape(ops.tanh(x), (-1, 1, 7, 3, 2))
    return ops.matmul(rows, columns), x[:, :, None] - x[:, None]


def _scattered(x: Any) -> Any:
    half = x[:, :3]
    y = ops.slice_update(x, (0, 2, 0), ops.ones_like(half))
    return y, ops.searchsorted(np.asarray([-1.0, 0.0, 1.0], np.float32), ops.reshape(x, (-1,)))


# `keras.ops.slice_update` is an operator of XLA.
NOT_IN_TFJS = ("scattered",)

NETS: dict[str, Callable[[], keras.Model]] = {
    "activated": _steps(_activated),
    "attention": _steps(_attention),
    "bytes": _steps(_bytes),
    "causal": _steps(_causal),
    "compared": _steps(_compared),
    "counted": _steps(_counted),
    "cumulated": _steps(_cumulated),
    "einsum": _steps(_einsum),
    "gathered": _steps(_gathered),
    "global": _image(_global),
    "grouped": _image(_grouped),
    "integers": _steps(_integers),
    "masked": _steps(_masked),
    "matrices": _steps(_matrices),
    "merged": _steps(_merged),
    "mirrored": _image(_mirrored),
    "normed": _image(_normed),
    "padded_pools": _image(_padded_pools),
    "patched": _image(_patched),
    "recurrent": _steps(_recurrent),
    "reduced": _steps(_reduced),
    "residual_recurrent": _steps(_residual_recurrent),
    "resized": _image(_resized),
    "rounded": _steps(_rounded),
    "scattered": _steps(_scattered),
    "sliced": _steps(_sliced),
    "softened": _steps(_softened),
    "solid": _image(_solid),
    "spectral": _steps(_spectral),
    "spread": _image(_spread),
    "stretched": _steps(_stretched),
    "transcendental": _steps(_transcendental),
    "transposed": _image(_transposed),
    "turned": _image(_turned),
}
