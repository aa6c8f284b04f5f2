"""The cases of operators that the `onnx` package ships: a model, its inputs, and what comes out."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx.backend.test.case.node as nodes

from edgekit_converters.sources.onnx.ops import operators, word_of

# These take ten seconds to be made.
SLOW_MODULES = ("averagepool", "lppool", "maxpool")
# What the cases feed and models hold as constants: the numbers of inputs, by operator.
REDUCTIONS = (
    *("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"),
)
PARAMETERS = {
    "BatchNormalization": (1, 2, 3, 4),
    "Clip": (1, 2),
    "Compress": (1,),
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "CumProd": (1,),
    "CumSum": (1,),
    "Dropout": (1, 2),
    "Expand": (1,),
    "GRU": (1, 2, 3, 4),
    "LSTM": (1, 2, 3, 4),
    "OneHot": (1,),
    "Pad": (1, 2, 3),
    "RNN": (1, 2, 3, 4),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "ReverseSequence": (1,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Trilu": (1,),
    "Unsqueeze": (1,),
    "Upsample": (1,),
    "ConstantOfShape": (0,),
    "Range": (0, 1, 2),
    **{f"Reduce{kind}": (1,) for kind in REDUCTIONS},
}
# What onnxruntime reads; the cases are written for what the onnx package writes.
NEWEST_IR, NEWEST_OPSET, OLDEST_OPSET = 10, 26, 7
DTYPES = ("float32", "float64", "int32", "int64", "bool")


@dataclass(frozen=True)
class NodeCase:
    """A case with one operator. fixed: those of its inputs that are constants in a model."""

    name: str
    op: str
    model: Any
    inputs: dict[str, Any]
    fixed: dict[str, Any]
    expected: dict[str, Any]


def node_cases(with_slow: bool = False) -> Iterator[NodeCase]:
    """Yield the cases of registered operators that take and give tensors of numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.iter_modules(nodes.__path__):
            if with_slow or module.name not in SLOW_MODULES:
                importlib.import_module(f"{nodes.__name__}.{module.name}")
    for case in nodes._NodeTestCases:
        graph = case.model.graph
        ops = {word_of(node) for node in graph.node}
        if len(graph.node) == 1 and ops <= operators().keys():
            yield from _usable(case)


def _usable(case: Any) -> Iterator[NodeCase]:
    graph, (given, wanted) = case.model.graph, case.data_sets[0]
    arrays = (*given, *wanted)
    if not all(isinstance(array, np.ndarray | np.generic) for array in arrays):
        return
    if any(np.asarray(array).dtype.name not in DTYPES for array in arrays):
        return
    inputs = {entry.name: np.asarray(x) for entry, x in zip(graph.input, given, strict=True)}
    if any(array.size == 0 for array in inputs.values()):
        return
    node = graph.node[0]
    places = [place for place in PARAMETERS.get(node.op_type, ()) if place < len(node.input)]
    fixed = {node.input[place]: inputs.pop(node.input[place], None) for place in places}
    if not inputs:
        return
    model = type(case.model)()
    model.CopyFrom(case.model)
    model.ir_version = min(model.ir_version, NEWEST_IR)
    for entry in model.opset_import:
        entry.version = min(max(entry.version, OLDEST_OPSET), NEWEST_OPSET)
    yield NodeCase(
        case.name,
        word_of(node),
        model,
        inputs,
        {name: array for name, array in fixed.items() if array is not None},
        {entry.name: np.asarray(x) for entry, x in zip(graph.output, wanted, strict=True)},
    )
