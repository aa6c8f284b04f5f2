"""An artifact as text: its signature, what it costs, and its layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edgekit.inspect.model import Graph, Node, Shape
from edgekit.text.units import BYTE_UNITS, COUNT_UNITS, Unit, percent, pick_unit, significant

if TYPE_CHECKING:
    from rich.console import Console

    from edgekit.inspect import ArtifactFacts

# What fits a screen; the layers beyond these are small.
LARGEST_LAYERS = 10
# The columns of text; those of numbers follow.
HEADINGS = ("layer", "operator", "makes", "computes")
GAP = "  "
# Shorter, and the names of a net's layers are no longer told apart.
SHORTEST_NAME = 16


def print_artifact(facts: ArtifactFacts, console: Console, all_layers: bool = False) -> None:
    """Print the facts of one artifact, and its largest layers or all of them in their order."""
    lines = artifact_lines(facts)
    if facts.graph:
        width = console.width if console.is_terminal else None
        table = layer_table(facts.graph, all_layers, width)
        lines += ["", *table] if table else []
        shown, count = len(table) - 1, len(facts.graph.nodes)
        if not all_layers and shown < count:
            lines.append(f"the {shown} largest of {count} nodes; --layers shows all")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def artifact_lines(facts: ArtifactFacts) -> list[str]:
    """Return the facts of one artifact, a line each."""
    origin = f" ({facts.recipe}, in {facts.bundle})" if facts.recipe else ""
    lines = [f"{facts.path}  {facts.format}{origin}"]
    for kind, specs in (("input", facts.inputs), ("output", facts.outputs)):
        for spec in specs:
            scale = ""
            if spec.quantization:
                scale = f"  (value - {spec.quantization[1]}) * {spec.quantization[0]:.6g}"
            lines.append(f"{kind:>6}  {spec}{scale}")
    lines.append(f" bytes  {facts.bytes:,} ({_with_unit(facts.bytes, BYTE_UNITS)})")
    lines.append(f"sha256  {facts.sha256}")
    if len(facts.files) > 1:
        lines.append(f" files  {', '.join(facts.files)}")
    if facts.graph:
        lines += graph_lines(facts.graph)
    if facts.graph_reason:
        lines.append(f" nodes  not read: {facts.graph_reason}")
    return lines


def graph_lines(graph: Graph) -> list[str]:
    """Return what a graph holds and costs, a line each."""
    lines = [
        f" nodes  {len(graph.nodes)}: {_counts(graph.ops.items())}",
        f"        {_counts(graph.nodes_by_compute.items())}; {graph.tensors} tensors",
        f"params  {graph.params:,}; constants take {_with_unit(graph.bytes, BYTE_UNITS)}",
        f"  MACs  {macs_line(graph)}",
    ]
    islands = graph.float_islands
    if islands:
        nodes = [node for island in islands for node in island]
        lines.append(
            f" float  {len(nodes)} of the nodes, in {_number(len(islands), 'island')}: "
            f"{_counts(_ops(nodes))}"
        )
    return lines


def macs_line(graph: Graph) -> str:
    """Return the multiply-accumulates, as "301 M multiply-accumulates a sample: 100.0 % int8"."""
    parts = [
        f"{percent(macs / graph.macs)} % {compute}"
        for compute, macs in graph.macs_by_compute.items()
    ]
    line = f"{graph.macs:,} multiply-accumulates a sample"
    if parts:
        line += f": {', '.join(parts)}"
    if graph.uncounted:
        line += (
            f"; and those of {_number(len(graph.uncounted), 'node')} that the file does not tell: "
            f"{_counts(_ops(graph.uncounted))}"
        )
    return line


def layer_table(graph: Graph, all_layers: bool, width: int | None = None) -> list[str]:
    """Return a table of the largest layers, or of all nodes in their order: a line each.

    width: how wide a line may be, at the cost of the layers' names; None for no limit.
    """
    nodes = list(graph.nodes) if all_layers else largest_layers(graph)
    if not nodes:
        return []
    macs_unit = pick_unit((node.macs or 0 for node in nodes), COUNT_UNITS)
    byte_unit = pick_unit((node.bytes for node in nodes), BYTE_UNITS)
    headings = [*HEADINGS, f"MACs {macs_unit.word}".strip(), "params", byte_unit.word]
    rows = [headings, *(_cells(node, macs_unit, byte_unit) for node in nodes)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(headings))]
    if width is not None:
        others = sum(size + len(GAP) for size in widths[1:])
        widths[0] = min(widths[0], max(width - others, SHORTEST_NAME))
    lines = []
    for row in rows:
        cells = [_end_of(row[0], widths[0]).ljust(widths[0])]
        for place, cell in enumerate(row[1:], 1):
            is_text = place < len(HEADINGS)
            cells.append(cell.ljust(widths[place]) if is_text else cell.rjust(widths[place]))
        lines.append(GAP.join(cells).rstrip())
    return lines


def _end_of(name: str, width: int) -> str:
    """Return a name, or its end: what it begins with is mostly the same for all layers."""
    return name if len(name) <= width else f"…{name[len(name) - width + 1 :]}"


def largest_layers(graph: Graph) -> list[Node]:
    """Return the layers that take most of the file, the largest first."""
    holding = [node for node in graph.nodes if node.bytes]
    return sorted(holding, key=lambda node: -node.bytes)[:LARGEST_LAYERS]


def _cells(node: Node, macs_unit: Unit, byte_unit: Unit) -> list[str]:
    made = node.outputs[0] if node.outputs else None
    return [
        node.name,
        node.op,
        f"{made.dtype}{_shape(made.shape)}" if made else "",
        node.compute,
        "?" if node.macs is None else significant(node.macs / macs_unit.size) if node.macs else "",
        f"{node.params:,}" if node.params else "",
        significant(node.bytes / byte_unit.size) if node.bytes else "",
    ]


def _shape(shape: Shape | None) -> str:
    if shape is None:
        return "[…]"
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def _ops(nodes: Sequence[Node]) -> Iterable[tuple[str, int]]:
    return Graph(tuple(nodes), 0).ops.items()


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts)


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _with_unit(value: float, units: tuple[Unit, ...]) -> str:
    unit = pick_unit([value], units)
    return f"{significant(value / unit.size)} {unit.word}"
