"""A TFLite file that was given: what it holds, and the same as the LiteRT quantizer takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_converters.sources.quantized import refusal
from edgekit_converters.tflite.tree import Tree, shape_of
from edgekit_runtimes.errors import SourceError, UsageError, map_exceptions, unknown_name

CODES = schema.BuiltinOperator
TYPES = schema.TensorType

# Integers of so few bits stand for real numbers where they have a scale.
QUANTIZED_TYPES = (TYPES.INT2, TYPES.INT4, TYPES.INT8, TYPES.UINT8, TYPES.INT16)

HALF_NOTE = (
    "the weights are float16 in the file: the fp32 artifact holds the same numbers in 32 bits"
)


class GivenFile:
    """A float TFLite file.

    content: the file as every artifact is made from it: of its signatures only the one that was
    chosen, its weights in float32. The file itself where it is so already.
    notes: how the two differ, where that matters.
    """

    def __init__(self, path: Path, signature: str | None) -> None:
        """Read a file.

        Raises SourceError where it is damaged, UsageError where it is quantized or the choice of
        a signature is open.
        """
        self.path = path
        given = path.read_bytes()
        with map_exceptions(f"{path} is damaged, cut off or not a TFLite file", SourceError):
            if given[4:8] != b"TFL3":
                raise SourceError(f"{path} is damaged, or not a TFLite file. Get it again.")
            self._tree = Tree(given)
            is_quantized = any(map(_is_quantized, _tensors(self._tree)))
        if is_quantized:
            raise UsageError(refusal(path))
        self.notes: tuple[str, ...] = ()
        with map_exceptions(f"{path} is damaged", SourceError):
            changes = [
                self._keep_signature(path, signature),
                self._name_tensors(),
                self._widen(),
                self._separate_outputs(),
            ]
            self.content = self._tree.content() if any(changes) else given

    def names(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the inputs' and the outputs' tensors by their names in the signature."""
        tensors = self._tree.model.subgraphs[0].tensors
        (signature,) = self._tree.model.signatureDefs
        inputs, outputs = (
            {entry.name.decode(): tensors[entry.tensorIndex].name.decode() for entry in entries}
            for entries in (signature.inputs, signature.outputs)
        )
        return inputs, outputs

    def operators(self) -> Counter[str]:
        """Return how often each operator is used, custom ones by their own names."""
        names = {code: name for name, code in vars(CODES).items() if name.isupper()}
        model = self._tree.model
        found: Counter[str] = Counter()
        for subgraph in model.subgraphs:
            for operator in subgraph.operators:
                custom = model.operatorCodes[operator.opcodeIndex].customCode
                code = self._tree.code(operator)
                found[custom.decode() if custom else names.get(code, str(code))] += 1
        return found

    def _keep_signature(self, path: Path, wanted: str | None) -> bool:
        """Leave one signature, and its graph as the main one.

        Where there is none of the main graph, one is made of the names of its tensors.

        The LiteRT quantizer calibrates by it, and TFLite artifacts of ours call it so.
        """
        model = self._tree.model
        main = model.subgraphs[0]
        known = {entry.signatureKey.decode(): entry for entry in model.signatureDefs or ()}
        if wanted is not None and wanted not in known:
            raise unknown_name("signature", wanted, known)
        runs = {
            key: entry
            for key, entry in known.items()
            if entry.subgraphIndex == 0
            and {one.tensorIndex for one in entry.inputs} == set(main.inputs)
        }
        chosen = known.get(wanted or next(iter(runs), ""))
        if list(known) == [SIGNATURE_KEY] and chosen is not None:
            return False
        if chosen is None:
            chosen = schema.SignatureDefT()
            chosen.subgraphIndex = 0
            chosen.inputs = [_entry(main, number) for number in main.inputs]
            chosen.outputs = [_entry(main, number) for number in main.outputs]
        chosen.signatureKey = SIGNATURE_KEY.encode()
        model.signatureDefs = [chosen]
        self._keep_graphs(chosen.subgraphIndex)
        chosen.subgraphIndex = 0
        return True

    def _keep_graphs(self, main: int) -> None:
        """Put a graph first, and drop those that it does not call."""
        graphs = self._tree.model.subgraphs
        needed, pending = {main: None}, [main]
        while pending:
            for operator in graphs[pending.pop()].operators:
                for _, _, number in _called(operator):
                    if number not in needed:
                        needed[number] = None
                        pending.append(number)
        places = {old: new for new, old in enumerate(needed)}
        self._tree.model.subgraphs = [graphs[old] for old in places]
        for graph in self._tree.model.subgraphs:
            for operator in graph.operators:
                for options, field, number in _called(operator):
                    setattr(options, field, places[number])

    def _name_tensors(self) -> bool:
        """Give each tensor a name of its own: the LiteRT quantizer finds tensors by name."""
        counts = Counter(tensor.name for tensor in _tensors(self._tree))
        taken = set(counts)
        is_changed = False
        for tensor in _tensors(self._tree):
            if counts[tensor.name] > 1:
                counts[tensor.name] -= 1
                number = 1
                while (name := b"%s_%d" % (tensor.name, number)) in taken:
                    number += 1
                tensor.name = name
                taken.add(name)
                is_changed = True
        return is_changed

    def _widen(self) -> bool:
        """Store float16 weights in float32, without the operators that widen them in each run."""
        is_changed = False
        for subgraph in self._tree.model.subgraphs:
            for operator in list(subgraph.operators):
                if self._tree.code(operator) != CODES.DEQUANTIZE:
                    continue
                source, result = (
                    subgraph.tensors[number] for number in (operator.inputs[0], operator.outputs[0])
                )
                values = self._tree.values(source) if source.type == TYPES.FLOAT16 else None
                if values is not None:
                    result.buffer = self._tree.add_buffer(values.astype(np.float32))
                    result.shape = shape_of(source)
                    subgraph.operators.remove(operator)
                    is_changed = True
        if is_changed:
            self.notes = (HALF_NOTE,)
        return is_changed

    def _separate_outputs(self) -> bool:
        """Let each output be a tensor of its own, which no operator reads.

        The LiteRT quantizer writes files that do not load, or answer wrongly, where an output is
        read inside the graph too, or stands twice among the outputs (as tflite/export.py has it).
        """
        main = self._tree.model.subgraphs[0]
        readers = self._tree.readers(main)
        (signature,) = self._tree.model.signatureDefs
        seen: set[int] = set()
        is_changed = False
        for entry in signature.outputs:
            number = entry.tensorIndex
            sizes = shape_of(main.tensors[number])
            if (number in readers or number in seen) and number not in main.inputs and sizes:
                entry.tensorIndex = self._copy(main, number, sizes[-1])
                is_changed = True
            seen.add(number)
        main.outputs = [entry.tensorIndex for entry in signature.outputs]
        return is_changed

    def _copy(self, main: Any, number: int, size: int) -> int:
        tensor = main.tensors[number]
        places = self._tree.add_constant(main, "places", np.arange(size, dtype=np.int32))
        name = f"{tensor.name.decode()}/copy"
        free = tensor.shapeSignature
        made = self._tree.add_tensor(main, name, shape_of(tensor), tensor.type, free)
        options = schema.GatherOptionsT()
        options.axis = -1
        main.operators.append(self._tree.operator(CODES.GATHER, [number, places], made, options))
        return made


def _tensors(tree: Tree) -> Iterator[Any]:
    for subgraph in tree.model.subgraphs:
        yield from subgraph.tensors


def _called(operator: Any) -> Iterator[tuple[Any, str, int]]:
    """Yield what names a graph in the options of an operator: they, the field, and its number."""
    for options in (operator.builtinOptions, operator.builtinOptions2):
        for field, number in vars(options).items() if options is not None else ():
            if field == "subgraph" or field.lower().endswith("subgraphindex"):
                yield options, field, number


def _is_quantized(tensor: Any) -> bool:
    quantization = tensor.quantization
    scales = quantization.scale if quantization is not None else None
    return tensor.type in QUANTIZED_TYPES and scales is not None and len(scales) > 0


def _entry(main: Any, number: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = main.tensors[number].name, number
    return entry
