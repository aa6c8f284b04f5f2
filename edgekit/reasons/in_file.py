"""Reasons found in an artifact's file: how it computes, and how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from edgekit.inspect.model import IN_INT8, IN_INTEGERS, Compute
from edgekit.reasons.sentences import (
    SIZEABLE,
    Case,
    counted,
    macs_facts,
    number_of,
    ops_of,
    share_of,
)
from edgekit.results.reason import Reason
from edgekit_runtimes.execution import Execution

# With a tenth of the work left in float, int8 at half the time still saves 45 % (Amdahl): what is
# left explains nothing.
MOST = 0.9
# On an x86-64 core a MatMul of 16 products takes 0.22 us in onnxruntime and 0.025 in LiteRT, and
# one of 1,000 takes 0.23 and 0.056: up to there, starting a node is about half of its time.
TINY_MACS_A_NODE = 1_000

STORED_AS: Mapping[Compute, str] = {
    "fp16-weights": "float16",
    "int16-weights": "uint16",
    "int8-weights": "int8",
    "int4-weights": "int4",
}
DYNAMIC: frozenset[Compute] = frozenset({"int8-dynamic", "int4-dynamic"})
STATIC: frozenset[Compute] = frozenset({"int8", "int16x8"})


def computes_in_float(case: Case) -> Reason | None:
    """Nothing is multiplied in integers, however the weights are stored."""
    graph = case.graph
    if graph is None or not graph.macs or graph.macs_in(IN_INTEGERS):
        return None
    kinds = list(graph.macs_by_compute)
    stored = sorted({STORED_AS[kind] for kind in kinds if kind in STORED_AS})
    dtype = _float_dtype(case.execution, kinds[0])
    facts = {**macs_facts(graph), "stored_as": stored, "computes_in": dtype}
    share = f"{share_of(0, graph.macs)} are int8"
    if stored and case.row.format == "tfjs":
        text = f"TF.js expands its weights when it loads and computes in {dtype} ({share})"
        return Reason("storage-only", text, facts)
    return Reason("weight-only" if stored else "float", f"computes in {dtype} ({share})", facts)


def computes_partly_in_int8(case: Case) -> Reason | None:
    """A good part of the work stays in float or in 16 bits."""
    graph = case.graph
    if graph is None or not 0 < graph.macs_in(IN_INT8) < MOST * graph.macs:
        return None
    rest = next(kind for kind in graph.macs_by_compute if kind not in IN_INT8)
    share = share_of(graph.macs_in(IN_INT8), graph.macs)
    text = f"only {share} are int8, most others {rest}"
    return Reason("part-int8", text, macs_facts(graph))


def multiplies_16_bits(case: Case) -> Reason | None:
    """The activations of int16x8 are twice as wide as those of int8."""
    graph = case.graph
    wide = graph.macs_in(("int16x8",)) if graph else 0
    if graph is None or wide < SIZEABLE * graph.macs or not wide:
        return None
    text = f"its activations have 16 bits ({share_of(graph.macs_in(IN_INT8), graph.macs)} are int8)"
    return Reason("int16", text, macs_facts(graph))


def quantizes_in_each_run(case: Case) -> Reason | None:
    """Data is measured and quantized each time before it can be multiplied."""
    graph = case.graph
    dynamic = graph.macs_in(DYNAMIC) if graph else 0
    if graph is None or not dynamic or dynamic < SIZEABLE * graph.macs:
        return None
    count = sum(graph.nodes_by_compute.get(kind, 0) for kind in DYNAMIC)
    text = f"quantizes the data of {number_of(count, 'node')} again in each run"
    return Reason("dynamic", text, {**macs_facts(graph), "nodes": count})


def has_float_islands(case: Case) -> Reason | None:
    """Float nodes among integer ones cost a conversion before them and one after."""
    graph = case.graph
    if graph is None or graph.macs_in(STATIC) < SIZEABLE * graph.macs or not graph.macs:
        return None
    islands = graph.float_islands
    nodes = [node for island in islands for node in island]
    if not nodes:
        return None
    ops = Counter(node.op for node in nodes)
    share = sum(node.macs or 0 for node in nodes)
    text = (
        f"{number_of(len(nodes), 'float node')} in {number_of(len(islands), 'island')} between "
        f"dequantizing and quantizing ({ops_of(ops)})"
    )
    facts = {"nodes": len(nodes), "islands": len(islands), "ops": dict(ops), "macs": share}
    return Reason("float-islands", text, facts)


def multiplies_zeros(case: Case) -> Reason | None:
    """Engines multiply by pruned weights as by any others."""
    graph, other = case.graph, case.reference_graph
    is_pruned = "+prune" in case.row.recipe
    if not is_pruned or graph is None or other is None or not 0 < other.macs <= graph.macs:
        return None
    text = f"multiplies by its zeros too: {counted(graph.macs)} multiply-accumulates, as fp32"
    return Reason("zeros", text, macs_facts(graph))


def is_tiny(case: Case) -> Reason | None:
    """If nodes have next to no work, its kind does not matter."""
    graph = case.graph
    if graph is None or graph.uncounted or not graph.macs:
        return None
    nodes = sum(node.compute != "conversion" for node in graph.nodes)
    if graph.macs >= TINY_MACS_A_NODE * nodes:
        return None
    text = (
        f"{graph.macs:,} multiply-accumulates in {number_of(nodes, 'node')}: starting a node takes "
        "as long as its work"
    )
    return Reason("tiny", text, {"nodes": nodes, **macs_facts(graph)})


def _float_dtype(execution: Execution | None, kind: Compute) -> str:
    """Return what is computed in: by the engine's kernels if it tells, else by the file."""
    if execution and execution.kernels:
        return max(execution.kernels, key=lambda dtype: execution.kernels[dtype])
    return "float16" if kind == "fp16" else "float32"
