"""Complex numbers and Fourier transforms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import tensorflow as tf

from tfjs_operators.case import Case, case, floats

raw = tf.raw_ops


def _cases() -> Iterator[Case]:
    a, b = floats(3, 4), floats(3, 4, seed=1)
    yield case("Complex Real", lambda x, y: raw.Real(input=raw.Complex(real=x, imag=y)), a, b)
    yield case("Complex Imag", lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y)), a, b)
    yield case("ComplexAbs", lambda x, y: raw.ComplexAbs(x=raw.Complex(real=x, imag=y)), a, b)
    yield case(
        "Complex Mul",
        lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y) * raw.Complex(real=y, imag=x)),
        a,
        b,
    )
    yield case(
        "Complex Add",
        lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y) + raw.Complex(real=y, imag=x)),
        a,
        b,
    )
    yield case(
        "Complex Sub",
        lambda x, y: raw.Imag(input=raw.Complex(real=x, imag=y) - raw.Complex(real=y, imag=x)),
        a,
        b,
    )
    for size in (8, 6):
        x, y = floats(2, size), floats(2, size, seed=1)
        yield case(f"FFT {size}", lambda x, y: tf.math.imag(tf.signal.fft(tf.complex(x, y))), x, y)
        yield case(
            f"FFT real {size}", lambda x, y: tf.math.real(tf.signal.fft(tf.complex(x, y))), x, y
        )
        yield case(
            f"IFFT {size}", lambda x, y: tf.math.imag(tf.signal.ifft(tf.complex(x, y))), x, y
        )
        yield case(f"RFFT {size}", lambda x: tf.math.imag(tf.signal.rfft(x)), x)
        yield case(f"RFFT abs {size}", lambda x: tf.abs(tf.signal.rfft(x)), x)
        yield case(f"RFFT longer {size}", lambda x, n=size + 4: tf.abs(tf.signal.rfft(x, [n])), x)
        yield case(
            f"RFFT raw longer {size}",
            lambda x, n=size: tf.abs(raw.RFFT(input=tf.pad(x, [[0, 0], [0, 4]]), fft_length=[n])),
            x,
        )
        yield case(
            f"IRFFT {size}",
            lambda x, y: tf.signal.irfft(tf.complex(x, y)),
            x[:, : size // 2 + 1],
            y[:, : size // 2 + 1],
        )
        yield case(
            f"IRFFT shorter {size}",
            lambda x, y, n=size - 2: tf.signal.irfft(tf.complex(x, y), [n]),
            x[:, : size // 2 + 1],
            y[:, : size // 2 + 1],
        )
    yield case(
        "FFT rank 3", lambda x: tf.abs(tf.signal.fft(tf.cast(x, tf.complex64))), floats(2, 3, 8)
    )
    yield case("FFT rank 1", lambda x: tf.abs(tf.signal.fft(tf.cast(x, tf.complex64))), floats(8))
    yield case("RFFT rank 1", lambda x: tf.abs(tf.signal.rfft(x)), floats(8))
    yield case("RFFT rank 3", lambda x: tf.abs(tf.signal.rfft(x)), floats(2, 3, 8))


def cases() -> Iterator[Case]:
    # TF.js has no kernels for complex numbers on wasm.
    return (replace(row, skip=row.skip | {"wasm"}) for row in _cases())
