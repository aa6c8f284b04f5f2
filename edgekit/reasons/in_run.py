"""Reasons that show when an artifact runs: its engine, the device, and the measurement."""

from __future__ import annotations

import re
from collections import Counter

from edgekit.inspect.model import IN_INT8, Graph
from edgekit.reasons.sentences import (
    SIZEABLE,
    Case,
    macs_facts,
    number_of,
    ops_of,
    percent_of,
)
from edgekit.results.reason import Reason
from edgekit.text.units import significant
from edgekit_runtimes.execution import DELEGATE, Execution
from edgekit_runtimes.throttling import CONDITIONS

# A node outside of the delegate is slow in proportion to its work; below this it does not show.
NOTICEABLE = 0.01
# A fifth more nodes than fp32 has, and more than the conversions at the edges of the graph.
MANY_MORE_NODES = 1.2
EDGE_NODES = 3
# What `--quick` is meant to see: a true difference of 5 %.
TELLING_DIFFERENCE = 0.05
# A clock that changes more than this between blocks was throttled or scaled.
STEADY_CLOCK = 0.05

# The back ends of a page that compute on what draws.
GPU_BACKENDS = ("webgl", "webgpu")

# Instructions that multiply and add four bytes at once, by machine; one of them is enough. Without
# them int8 kernels widen their operands first, and gain little over float ones.
INT8_FEATURES = {
    "aarch64": ("asimddp", "i8mm"),
    "x86_64": ("avx_vnni", "avx512_vnni", "amx_int8"),
}


def stays_outside_the_delegate(case: Case) -> Reason | None:
    """XNNPACK has no kernels for some nodes: the interpreter's own run, which are slower."""
    execution, reference, graph = case.execution, case.reference_execution, case.graph
    if execution is None or reference is None or not execution.outside:
        return None
    if graph is None or not graph.macs:
        return None
    if reference.outside is None or len(reference.outside) >= len(execution.outside):
        return None
    main = [node for node in graph.nodes if not node.in_body]
    if len(main) != execution.nodes:
        return None
    nodes = [main[index] for index in execution.outside]
    macs = sum(node.macs or 0 for node in nodes)
    if macs < NOTICEABLE * graph.macs:
        return None
    ops = Counter(node.op for node in nodes)
    facts = {"nodes": len(main), "outside": len(nodes), "ops": dict(ops), **macs_facts(graph)}
    facts["macs_outside"] = macs
    if DELEGATE not in execution.ops:
        text = f"the delegate takes none of its {len(main)} nodes, and {_taken(reference)} of fp32"
        return Reason("outside-delegate", text, facts)
    text = (
        f"the delegate leaves out {len(nodes)} of {len(main)} nodes ({ops_of(ops)}), "
        f"{percent_of(macs / graph.macs)} of the multiply-accumulates"
    )
    return Reason("outside-delegate", text, facts)


def _taken(execution: Execution) -> str:
    outside = len(execution.outside or ())
    return f"{execution.nodes - outside} of {execution.nodes}" if outside else "all"


def runs_more_nodes(case: Case) -> Reason | None:
    """An engine without kernels for a kind of node adds conversions around those it has."""
    execution, reference = case.execution, case.reference_execution
    if execution is None or reference is None or execution.outside is not None:
        return None
    mine, others = sum(execution.ops.values()), sum(reference.ops.values())
    if mine <= MANY_MORE_NODES * others or mine <= others + EDGE_NODES:
        return None
    more = _plain(execution) - _plain(reference)
    text = f"the engine runs {mine} nodes, and {others} for fp32 (more: {ops_of(more)})"
    return Reason("more-nodes", text, {"nodes": mine, "fp32_nodes": others, "more": dict(more)})


def _plain(execution: Execution) -> Counter[str]:
    """Return what runs, with a FusedConv and a QLinearConv as what they are: a Conv each."""
    counts: Counter[str] = Counter()
    for op, count in execution.ops.items():
        counts[re.sub("^(Fused|QLinear|Q(?=[A-Z]))", "", op)] += count
    return counts


# --- What the device is like --------------------------------------------------------------------


def lacks_int8_instructions(case: Case) -> Reason | None:
    """The CPU cannot multiply and add four bytes at once."""
    graph, features = case.graph, case.environment.get("cpu_features")
    wanted = INT8_FEATURES.get(case.environment.get("machine", ""))
    if graph is None or features is None or wanted is None or set(wanted) & set(features):
        return None
    if not _is_int8(graph):
        return None
    text = f"the CPU has no int8 dot products ({', '.join(wanted)})"
    return Reason("cpu-features", text, {"missing": list(wanted), **macs_facts(graph)})


def lacks_int8_in_webassembly(case: Case) -> Reason | None:
    """The browser does not offer it to LiteRT.js, whatever the CPU has; ort-web never asks."""
    graph, engine = case.graph, (case.row.engine, case.row.backend)
    if graph is None or not _is_int8(graph) or engine != ("litertjs", "wasm"):
        return None
    if case.environment.get("wasm_int8_dot_products", True):
        return None
    text = "WebAssembly has no int8 dot products here (on x86-64 they take avx_vnni)"
    return Reason("wasm-features", text, macs_facts(graph))


def _is_int8(graph: Graph) -> bool:
    return graph.macs > 0 and graph.macs_in(IN_INT8) >= SIZEABLE * graph.macs


def has_more_threads_than_cores(case: Case) -> Reason | None:
    """Threads that share a core wait for each other."""
    cores = case.environment.get("logical_cores")
    if cores is None or case.row.unit != "ns" or case.threads <= cores:
        return None
    text = f"{case.threads} threads share {number_of(cores, 'core')}"
    return Reason("threads", text, {"threads": case.threads, "cores": cores})


def was_held_back(case: Case) -> Reason | None:
    """The clock was lowered, by heat, lack of power or its governor."""
    blocks = (*case.row.blocks, *case.row.reference_blocks)
    # Before a block the clock may still idle; right after it, it is as it was.
    readings = [block.conditions["after"] for block in blocks if block.conditions]
    clocks = [reading["frequency_khz"] for reading in readings if reading["frequency_khz"]]
    if case.environment.get("firmware"):
        readings.append(case.environment["firmware"])
    bits = 0
    for reading in readings:
        bits |= int(reading["throttled"], 16)
    held = [word for bit, word in CONDITIONS.items() if bits & 1 << bit]
    low, high = min(clocks, default=0), max(clocks, default=0)
    facts = {"conditions": held, "frequency_khz": [low, high]}
    if held:
        return Reason("held-back", f"the board was held back: {', '.join(held)}", facts)
    if low < (1 - STEADY_CLOCK) * high:
        text = f"the clock went between {low / 1e6:.2f} and {high / 1e6:.2f} GHz while it ran"
        return Reason("held-back", text, facts)
    return None


def is_drawn_by_software(case: Case) -> Reason | None:
    """What is meant to be computed on a GPU is computed on the CPU here."""
    if case.row.backend not in GPU_BACKENDS or not case.environment.get("software_renderer"):
        return None
    renderer = case.environment.get("renderer") or case.environment.get("webgpu")
    text = "a software renderer replaces the GPU"
    return Reason("software-renderer", text, {"renderer": renderer})


# --- The measurement ----------------------------------------------------------------------------


def has_a_wide_interval(case: Case) -> Reason | None:
    """The measurement cannot show a difference that would matter."""
    ratio = case.row.ratio_to_fp32
    if ratio is None or ratio.verdict != "not distinguishable":
        return None
    if ratio.low is None or ratio.high is None or ratio.high / ratio.low < 1 + TELLING_DIFFERENCE:
        return None
    interval = f"[{significant(ratio.low)}, {significant(ratio.high)}]"
    text = f"the interval {interval} is too wide to tell: measure longer, on a quieter machine"
    return Reason("wide-interval", text, {"low": ratio.low, "high": ratio.high})
