"""Products of matrices."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

from tfjs_operators.case import Case, case, floats, int32, ints

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    # On wasm TF.js has no products of integers.
    a, b = floats(3, 4), floats(4, 5, seed=1)
    for ta in (False, True):
        for tb in (False, True):
            x, y = a.T.copy() if ta else a, b.T.copy() if tb else b
            yield case(
                f"MatMul {ta} {tb}",
                lambda x, y, ta=ta, tb=tb: raw.MatMul(a=x, b=y, transpose_a=ta, transpose_b=tb),
                x,
                y,
            )
            yield case(
                f"_FusedMatMul {ta} {tb}",
                lambda x, y=y, ta=ta, tb=tb: tf.nn.relu(
                    raw.MatMul(a=x, b=y, transpose_a=ta, transpose_b=tb) + floats(5)
                ),
                x,
            )
            p, q = floats(2, 3, *x.shape), floats(2, 3, *y.shape, seed=2)
            yield case(
                f"BatchMatMulV2 {ta} {tb}",
                lambda x, y, ta=ta, tb=tb: raw.BatchMatMulV2(x=x, y=y, adj_x=ta, adj_y=tb),
                p,
                q,
            )
    yield case("MatMul int", lambda x, y: tf.matmul(x, y), ints(3, 4), ints(4, 2), skip="wasm")
    yield case(
        "BatchMatMulV2 int",
        lambda x, y: tf.matmul(x, y),
        ints(2, 3, 4),
        ints(2, 4, 2),
        skip="wasm",
    )
    yield case("MatMul by const", lambda x: tf.matmul(x, b), a)
    yield case(
        "BatchMatMul", lambda x, y: raw.BatchMatMul(x=x, y=y), floats(2, 3, 4), floats(2, 4, 2)
    )
    yield case(
        "BatchMatMulV2 broadcast", lambda x, y: tf.matmul(x, y), floats(2, 1, 3, 4), floats(3, 4, 2)
    )
    yield case(
        "BatchMatMulV2 broadcast 1", lambda x, y: tf.matmul(x, y), floats(3, 4), floats(2, 4, 2)
    )
    yield case("BatchMatMulV2 const", lambda x: tf.matmul(x, b), floats(2, 3, 4))
    yield case(
        "BatchMatMulV2 rank 5",
        lambda x, y: tf.matmul(x, y),
        floats(2, 1, 2, 3, 4),
        floats(2, 3, 2, 4, 2),
    )
    yield case(
        "MatMul empty",
        lambda x, y, n: tf.matmul(x[: n[0]], y),
        floats(2, 4),
        floats(4, 2),
        int32(0),
    )
    yield case(
        "MatMul no depth",
        lambda x, y, n: tf.matmul(x[:, : n[0]], y[: n[0]]),
        floats(3, 4),
        floats(4, 2),
        int32(0),
    )
    for equation in (
        "ij,jk->ik",
        "ij,kj->ik",
        "bij,bjk->bik",
        "abc,cd->abd",
        "aecd,abcd->acbe",
        "acbe,aecd->abcd",
        "abc,cde->abde",
        "ij->ji",
        "ij->j",
        "ij,ij->",
        "ij,ij->ij",
        "i,j->ij",
        "ij,j->i",
        "abcd,cde->abe",
        "ABc,cd->ABd",
        "abC,Cd->abd",
    ):
        shapes = {
            "i": 3,
            "j": 4,
            "k": 2,
            "a": 2,
            "b": 3,
            "c": 4,
            "d": 2,
            "e": 5,
            "A": 2,
            "B": 3,
            "C": 4,
        }
        terms = equation.partition("->")[0].split(",")
        arrays = [floats(*(shapes[s] for s in term), seed=n) for n, term in enumerate(terms)]
        yield case(
            f"Einsum {equation}",
            lambda *xs, e=equation: raw.Einsum(inputs=list(xs), equation=e),
            *arrays,
        )
    yield case(
        "Einsum ellipsis",
        lambda x, y: tf.einsum("...ij,jk->...ik", x, y),
        floats(2, 3, 4),
        floats(4, 2),
    )
    yield case(
        "Einsum cases",
        lambda x, y: raw.Einsum(inputs=[x, y], equation="aA,Ab->ab"),
        floats(2, 3),
        floats(3, 4),
    )
    yield case(
        "Einsum int",
        lambda x, y: raw.Einsum(inputs=[x, y], equation="ab,bc->ac"),
        ints(2, 3),
        ints(3, 4),
        skip="wasm",
    )
    yield case("MatrixBandPart", lambda x: tf.linalg.band_part(x, 1, 0), floats(2, 4, 4))
