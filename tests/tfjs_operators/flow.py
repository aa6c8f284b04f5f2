"""Branches, loops, suppressed boxes and random numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfjs_operators.case import Case, case, floats, int32

raw = tf.raw_ops
BOXES = np.asarray(
    [
        [0, 0, 1, 1],
        [0, 0.1, 1, 1.1],
        [0, -0.1, 1, 0.9],
        [0, 10, 1, 11],
        [0, 10.1, 1, 11.1],
        [0, 100, 1, 101],
    ],
    np.float32,
)
SCORES = np.asarray([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], np.float32)


def suppressions() -> Iterator[Case]:
    common = {"max_output_size": 4, "iou_threshold": 0.5}
    yield case(
        "NonMaxSuppressionV2",
        lambda b, s: raw.NonMaxSuppressionV2(boxes=b, scores=s, **common),
        BOXES,
        SCORES,
    )
    yield case(
        "NonMaxSuppressionV3",
        lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=0.4, **common),
        BOXES,
        SCORES,
    )
    yield case(
        "NonMaxSuppressionV3 all",
        lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=-np.inf, **common),
        BOXES,
        SCORES - 1,
    )
    yield case(
        "NonMaxSuppressionV3 none",
        lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=2.0, **common),
        BOXES,
        SCORES,
    )
    yield case(
        "NonMaxSuppressionV3 flipped",
        lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=0.0, **common),
        BOXES[:, [2, 3, 0, 1]].copy(),
        SCORES,
    )
    yield case(
        "NonMaxSuppressionV3 ties",
        lambda b, s: raw.NonMaxSuppressionV3(boxes=b, scores=s, score_threshold=0.0, **common),
        BOXES,
        np.full(6, 0.5, np.float32),
    )
    for pad in (False, True):
        yield case(
            f"NonMaxSuppressionV4 {pad}",
            lambda b, s, p=pad: raw.NonMaxSuppressionV4(
                boxes=b, scores=s, score_threshold=0.4, pad_to_max_output_size=p, **common
            ),
            BOXES,
            SCORES,
        )
    yield case(
        "NonMaxSuppressionV5",
        lambda b, s: raw.NonMaxSuppressionV5(
            boxes=b, scores=s, score_threshold=0.4, soft_nms_sigma=0.0, **common
        )[:2],
        BOXES,
        SCORES,
    )
    yield case(
        "NonMaxSuppressionV5 soft",
        lambda b, s: raw.NonMaxSuppressionV5(
            boxes=b,
            scores=s,
            max_output_size=6,
            iou_threshold=0.5,
            score_threshold=0.0,
            soft_nms_sigma=0.5,
        )[:2],
        BOXES,
        SCORES,
    )


def branches() -> Iterator[Case]:
    x = floats(2, 3)
    for sign in (1, -1):
        yield case(
            f"If {sign}",
            lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0),
            np.abs(x) * sign,
        )
        yield case(
            f"If two {sign}",
            lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: (x, x + 1.0), lambda: (x - 1.0, x)),
            np.abs(x) * sign,
        )
        yield case(
            f"If in If {sign}",
            lambda x: tf.cond(
                tf.reduce_sum(x) > 0,
                lambda: tf.cond(x[0, 0] > 1, lambda: x, lambda: -x),
                lambda: x - 1.0,
            ),
            np.abs(x) * sign,
        )
        yield case(
            f"StatelessIf {sign}",
            lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0) + 1.0,
            np.abs(x) * sign,
        )
    yield case(
        "While",
        lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 1.5), [0, x])[1],
        x,
    )
    yield case(
        "While count",
        lambda x: tf.while_loop(
            lambda i, y: tf.reduce_sum(y) < 50.0, lambda i, y: (i + 1, y * 1.5), [0, x]
        ),
        np.abs(x),
    )
    yield case(
        "While none",
        lambda x: tf.while_loop(
            lambda i, y: tf.reduce_sum(y) < -50.0, lambda i, y: (i + 1, y * 1.5), [0, x]
        ),
        np.abs(x),
    )
    yield case(
        "StopGradient in While",
        lambda x: tf.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, tf.stop_gradient(y) * 1.5), [0, x]
        )[1],
        x,
    )
    yield case(
        "Snapshot in While",
        lambda x: tf.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, raw.Snapshot(input=y) * 1.5), [0, x]
        )[1],
        x,
    )
    yield case(
        "IdentityN in While",
        lambda x: tf.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, raw.IdentityN(input=[y, y * 2.0])[1]), [0, x]
        )[1],
        x,
    )
    yield case(
        "While in While",
        lambda x: tf.while_loop(
            lambda i, y: i < 3,
            lambda i, y: (
                i + 1,
                tf.while_loop(lambda j, z: j < 2, lambda j, z: (j + 1, z + 0.5), [0, y])[1],
            ),
            [0, x],
        )[1],
        x,
    )
    yield case(
        "If in While",
        lambda x: tf.while_loop(
            lambda i, y: i < 3,
            lambda i, y: (i + 1, tf.cond(i > 1, lambda: y * 2.0, lambda: y - 1.0)),
            [0, x],
        )[1],
        x,
    )
    yield case(
        "While shape",
        lambda x: tf.while_loop(
            lambda y: tf.shape(y)[0] < 9,
            lambda y: tf.concat([y, y], 0),
            [x],
            shape_invariants=[tf.TensorShape([None, 3])],
        )[0],
        x,
    )


def random() -> Iterator[Case]:
    def moments(y):
        y = tf.cast(y, tf.float32)
        return tf.stack([tf.reduce_mean(y), tf.math.reduce_std(y)])

    n = int32(20000)
    yield case(
        "RandomUniform",
        lambda n: moments(raw.RandomUniform(shape=n, dtype=tf.float32)),
        n,
        tolerance=0.05,
    )
    yield case(
        "RandomStandardNormal",
        lambda n: moments(raw.RandomStandardNormal(shape=n, dtype=tf.float32)),
        n,
        tolerance=0.05,
    )
    yield case(
        "TruncatedNormal",
        lambda n: moments(raw.TruncatedNormal(shape=n, dtype=tf.float32)),
        n,
        tolerance=0.05,
    )
    yield case(
        "RandomUniformInt",
        lambda n: moments(raw.RandomUniformInt(shape=n, minval=3, maxval=10)),
        n,
        tolerance=0.05,
    )
    yield case(
        "Multinomial",
        lambda x: moments(raw.Multinomial(logits=x, num_samples=20000)),
        [[0.0, 2.0, -1.0]],
        tolerance=0.05,
    )


def cases() -> Iterator[Case]:
    yield from suppressions()
    yield from branches()
    yield from random()
