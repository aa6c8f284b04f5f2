"""What may be written for TF.js: the operators that are proven to compute as TensorFlow's do.

`supported_ops.json` lists what its loader knows, taken from the npm package by
tests/converters/tfjs/node/list_ops.mjs; a test compares the two. Of these only what the table of
tests/tfjs_operators/ proves may be written; `rewrites/` has replaced the rest, or it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import constant_of
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.graph.naming import with_layers
from edgekit_converters.graph.shapes import Shapes
from edgekit_converters.tfjs.rewrites.sums.strides import skips_numbers
from edgekit_runtimes.errors import ConversionError

_INSTEAD = "Write the other formats: --to tflite,onnx"

# The loader knows these names, and TensorFlow has no such operators.
_NO_OPS = "Conv1D DepthwiseConv2d Ones Prelu Zeros"
_CONTROL_FLOW_OF_V1 = (
    "Enter Exit LoopCond Merge NextIteration Switch TensorArrayCloseV3 TensorArrayConcatV3 "
    "TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 "
    "TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3"
)
_STRINGS_AND_TABLES = (
    "HashTable HashTableV2 InitializeTable InitializeTableV2 LookupTableFind LookupTableFindV2 "
    "LookupTableImport LookupTableImportV2 LookupTableSize LookupTableSizeV2 StaticRegexReplace "
    "StringNGrams StringSplit StringToHashBucketFast"
)
# It reads other inputs or attributes than these have, leaves outputs out, or forgets their types.
_MISREAD = (
    "BitwiseAnd Einsum EnsureShape FakeQuantWithMinMaxVars MatrixBandPart Mod OneHot "
    "RandomUniformInt Select ShapeN TensorListPopBack"
)
# Wrong on the wasm back end: they start from a small positive number, not from the least one.
_WRONG_ON_WASM = "Dilation2D MaxPool3D MaxPoolWithArgmax"
# Its cpu back end takes numbers from the wrong places.
_WRONG_ON_CPU = "ImageProjectiveTransformV3"
# Its webgl back end takes the first image for all boxes.
_WRONG_ON_WEBGL = "CropAndResize"
# It pads by less than nothing where a stride is wider than a window.
_MISPADDED = "AvgPool3D"
# Over one axis or two only.
_LIMITED = "EuclideanNorm"
# What they take is int64 and nothing else, which TF.js does not have.
_OF_INT64 = "SparseFillEmptyRows SparseReshape TensorListConcatV2 TensorListSplit"
# Of TensorFlow 1, each with a successor that is proven.
_OLD = "TensorListConcat TensorListScatter"
# Others stand for them, or nothing does, before anything is written.
_VOID = "If NoOp PlaceholderWithDefault Print While"

_WORDS: tuple[tuple[str, str], ...] = (
    (_CONTROL_FLOW_OF_V1, "in which a branch or a loop of TensorFlow 1 is written"),
    (_STRINGS_AND_TABLES, "which needs strings or a lookup table"),
    (_MISREAD, "which it reads wrongly"),
    (_WRONG_ON_WASM, "which it computes wrongly on wasm"),
    (_WRONG_ON_CPU, "which it computes wrongly on cpu"),
    (_WRONG_ON_WEBGL, "which it computes wrongly on webgl"),
    (_MISPADDED, "which it pads wrongly"),
    (_LIMITED, "which it has over one axis or two only"),
    (_OF_INT64, "which takes 64-bit integers"),
    (_OLD, "which TensorFlow no longer writes"),
    (_VOID, "which is read wrongly where it is left"),
)

# What `rewrites/` replaces wherever it knows enough of the tensors.
REWRITTEN = frozenset(
    {"Einsum", "EuclideanNorm", "FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars"}
    | {"FakeQuantWithMinMaxVarsPerChannel", "MatrixBandPart", "OneHot"}
    | {"RandomUniformInt", "Rint", "Select", "ShapeN", "TensorScatterAdd"}
    | {"TensorScatterSub", "Xdivy", "Xlog1py", "Xlogy"}
)

# Without a kernel on the wasm back end: TF.js says so when it runs.
LACKING_ON_WASM = frozenset(
    {"Complex", "ComplexAbs", "FFT", "IFFT", "IRFFT", "Imag", "LRN", "RFFT", "Real"}
)
_INTEGER_PRODUCTS = frozenset({"BatchMatMulV2", "MatMul"})

FLOAT, INT, BOOL, COMPLEX = (
    kind.as_datatype_enum for kind in (tf.float32, tf.int32, tf.bool, tf.complex64)
)
# The operators whose kernels take complex numbers on cpu and webgl.
_OF_COMPLEX = frozenset({"Add", "AddV2", "Identity", "Mul", "Sub"})


def _is(node: Any, attribute: str, dtype: int) -> bool:
    return attribute in node.attr and bool(node.attr[attribute].type == dtype)


def _has(node: Any, attribute: str) -> bool:
    return attribute in node.attr and bool(node.attr[attribute].i or node.attr[attribute].b)


def _is_training(node: Any) -> bool:
    return bool(node.attr["is_training"].b)


# What an operator that may be written must not ask for: what that is, and how to tell.
_LIMITS: dict[str, tuple[tuple[str, Callable[[Any], bool]], ...]] = {
    "Cast": (("booleans from numbers", lambda node: _is(node, "DstT", BOOL)),),
    "ClipByValue": (("integers", lambda node: not _is(node, "T", FLOAT)),),
    "Div": (("integers", lambda node: _is(node, "T", INT)),),
    "FloorDiv": (("float32", lambda node: _is(node, "T", FLOAT)),),
    "FusedBatchNorm": (("training", _is_training),),
    "FusedBatchNormV2": (("training", _is_training),),
    "FusedBatchNormV3": (("training", _is_training),),
    "GatherV2": (("batch dimensions", lambda node: _has(node, "batch_dims")),),
    "MaxPool": (
        ("integers", lambda node: not _is(node, "T", FLOAT)),
        ("explicit paddings", lambda node: node.attr["padding"].s == b"EXPLICIT"),
    ),
    "Mean": (("integers", lambda node: not _is(node, "T", FLOAT)),),
    "NonMaxSuppressionV5": (("padding", lambda node: _has(node, "pad_to_max_output_size")),),
    "ResizeNearestNeighbor": (("integers", lambda node: not _is(node, "T", FLOAT)),),
    "SelectV2": (("booleans", lambda node: _is(node, "T", BOOL)),),
}
# How many of an operator's outputs TF.js makes, where it leaves some out.
_OUTPUTS = {"FusedBatchNorm": 1, "FusedBatchNormV2": 1, "FusedBatchNormV3": 1} | {
    "NonMaxSuppressionV5": 2
}


@cache
def supported_ops() -> frozenset[str]:
    """Return the names of the TensorFlow ops that the TF.js loader knows."""
    return frozenset(_listing()["ops"])


@cache
def writable_ops() -> frozenset[str]:
    """Return the names of the ops that may be written: each is proven by the table of tests."""
    refused = {op for ops, _ in _WORDS for op in ops.split()}
    return supported_ops() - refused - set(_NO_OPS.split())


def check_ops(graph_def: Any) -> None:
    """Raise ConversionError naming every op that TF.js lacks or gets wrong, and its layers, sorted.

    What `rewrites/` may replace passes: see `check_proven`.
    """
    _refuse(graph_def, _ops(graph_def) - writable_ops() - REWRITTEN)


def check_branches(graph_def: Any) -> None:
    """Raise ConversionError for control flow of TensorFlow 1: folding would take one branch."""
    _refuse(graph_def, _ops(graph_def) & set(_CONTROL_FLOW_OF_V1.split()))


def check_proven(frozen: FrozenGraph) -> None:
    """Raise ConversionError for what is left that TF.js does not compute as TensorFlow does."""
    nodes = list(all_nodes(frozen.graph_def))
    _refuse(frozen.graph_def, _ops(frozen.graph_def) - writable_ops())
    ops = {node.name: node.op for node in nodes}
    constants = {node.name: node for node in nodes if node.op == "Const"}
    for node in nodes:
        for what, holds in _LIMITS.get(node.op, ()):
            if holds(node):
                _refuse_node(node, f"{node.op} of {what}")
        if _is(node, "T", COMPLEX) and node.op not in _OF_COMPLEX | LACKING_ON_WASM:
            _refuse_node(node, f"{node.op} of complex numbers")
        for name in node.input:
            source, _, index = name.partition(":")
            op = ops.get(source, "")
            if index.isdecimal() and int(index) >= _OUTPUTS.get(op, int(index) + 1):
                _refuse_node(node, f"the last outputs of {op}")
        if node.op == "StridedSlice" and _drops_axes(node) and _any(constants, node, 3, _is_step):
            _refuse_node(node, "a slice with steps")
        if node.op in ("Cumsum", "Cumprod") and _any(constants, node, 1, _is_negative):
            _refuse_node(node, f"{node.op} along an axis counted from the end")


def missing_on_wasm(frozen: FrozenGraph) -> list[str]:
    """Return what the wasm back end has no kernel for, in words, sorted."""
    nodes = list(all_nodes(frozen.graph_def))
    integers = {
        f"{node.op} of integers"
        for node in nodes
        if node.op in _INTEGER_PRODUCTS and _is(node, "T", INT)
    }
    return sorted(({node.op for node in nodes} & LACKING_ON_WASM) | integers)


def check_convolutions(frozen: FrozenGraph, shapes: Shapes) -> None:
    """Raise ConversionError for convolutions that are left and that TF.js does not have.

    It refuses grouped ones when it runs, mostly computes channels first as channels last, and pads
    wrongly where a stride is wider than the kernel.
    """
    for node in frozen.graph_def.node:
        if _layout(node).startswith("NC"):
            raise ConversionError(
                f"'{node.name}' ({node.op}) works channels first ({_layout(node)}), which TF.js "
                "computes wrongly. Build the model with data_format='channels_last'."
            )
        if skips_numbers(node, tuple(shapes.get(tensor) for tensor in node.input[:2])):
            raise ConversionError(
                f"'{node.name}' ({node.op}) has strides wider than its kernel over an image of "
                "free size, which TF.js pads wrongly. Fix the size with --input-shape, or build "
                "the model with padding='valid'."
            )
        if node.op == "Conv2D":
            image, kernel = (shapes.get(tensor) or (None, None) for tensor in node.input[:2])
            channels, depth = image[-1], kernel[-2]
            if None not in (channels, depth) and channels != depth:
                raise ConversionError(
                    f"'{node.name}' is a grouped convolution ({channels} channels in, kernels "
                    f"over {depth}), which TF.js does not have, in more groups than can be split. "
                    f"{_INSTEAD}"
                )


def _drops_axes(node: Any) -> bool:
    """Return whether a StridedSlice is one of those in which TF.js does not step rightly."""
    masks = ("new_axis_mask", "shrink_axis_mask")
    return any(_has(node, name) for name in masks) or not _is(node, "T", FLOAT)


def _is_step(number: int) -> bool:
    return number != 1


def _is_negative(number: int) -> bool:
    return number < 0


def _any(constants: Mapping[str, Any], node: Any, place: int, holds: Callable[[int], bool]) -> bool:
    """Return whether something may hold for an input of a node: it does where that is unknown."""
    source = constants.get(node.input[place].partition(":")[0])
    return source is None or any(map(holds, constant_of(source).ravel().tolist()))


def _ops(graph_def: Any) -> set[str]:
    return {node.op for node in all_nodes(graph_def)}


def _refuse(graph_def: Any, ops: set[str]) -> None:
    known = {op: words for listed, words in _WORDS for op in listed.split()}
    if missing := ops - set(known):
        raise ConversionError(
            f"TF.js {_listing()['version']} has no {with_layers(graph_def, missing)}. Replace the "
            "layers that make these ops, or write the other formats: --to tflite,onnx"
        )
    if ops:
        told = "; ".join(f"{with_layers(graph_def, [op])}, {known[op]}" for op in sorted(ops))
        raise ConversionError(
            f"TF.js {_listing()['version']} cannot be trusted with {told}. Replace the layers that "
            "make these ops, or write the other formats: --to tflite,onnx"
        )


def _refuse_node(node: Any, what: str) -> None:
    raise ConversionError(
        f"'{node.name}' needs {what}, which TF.js {_listing()['version']} computes wrongly. "
        f"{_INSTEAD}"
    )


def _layout(node: Any) -> str:
    return node.attr["data_format"].s.decode() if "data_format" in node.attr else ""


@cache
def _listing() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("supported_ops.json").read_text("utf-8")
    listing: dict[str, Any] = json.loads(text)
    return listing
