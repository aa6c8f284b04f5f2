"""RFFT and IRFFT, whose length TF.js does not read: it takes that of the tensor."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes
from edgekit_runtimes.errors import ConversionError


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Cut or pad what is transformed to the length of the transform.

    Raises ConversionError where a size is not known, and for an inverse of odd length, which TF.js
    does not have.
    """
    changed = False
    for node in graph:
        if node.op not in ("RFFT", "IRFFT") or node.name not in shapes:
            continue
        length = graph.constant(node.input[1])
        size = (shapes[node.name][0] or (None,))[-1]
        if length is None or size is None:
            raise ConversionError(
                f"'{node.name}' ({node.op}) transforms a signal whose length is not known, which "
                "TF.js computes wrongly. Fix the sizes with --input-shape."
            )
        count = int(length[0])
        if node.op == "RFFT" and count != size:
            _fit_signal(graph, node, size, count)
            changed = True
        elif node.op == "IRFFT" and count != 2 * (size - 1):
            if count % 2:
                raise ConversionError(
                    f"'{node.name}' (IRFFT) makes a signal of the odd length {count}, which TF.js "
                    "does not have. Make its length even."
                )
            _fit_spectrum(graph, node, size, count)
            changed = True
    return changed


def _fit(x: Any, size: int, wanted: int) -> Any:
    """Return x with its last axis cut, or followed by zeros."""
    if wanted <= size:
        return x[..., :wanted]
    return tf.concat([x, *[tf.zeros_like(x[..., :1])] * (wanted - size)], axis=-1)


def _fit_signal(graph: EditableGraph, node: Any, size: int, count: int) -> None:
    def transform(x: Any) -> Any:
        return tf.raw_ops.RFFT(input=_fit(x, size, count), fft_length=[count])

    replace_node(graph, node, transform, {node.input[0]: tf.float32.as_datatype_enum})


def _fit_spectrum(graph: EditableGraph, node: Any, size: int, count: int) -> None:
    bins = count // 2 + 1

    def transform(x: Any) -> Any:
        parts = (_fit(part, size, bins) for part in (tf.math.real(x), tf.math.imag(x)))
        return tf.raw_ops.IRFFT(input=tf.complex(*parts), fft_length=[count])

    replace_node(graph, node, transform, {node.input[0]: tf.complex64.as_datatype_enum})
