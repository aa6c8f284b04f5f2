"""An artifact as text: its signature, what it costs, and its layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgekit.inspect.model import Graph, Node, Shape
from edgekit.report.terminal.tables import print_line, print_table, table_width
from edgekit.text.table import Column
from edgekit.text.units import BYTE_UNITS, COUNT_UNITS, Unit, percent, pick_unit, significant

if TYPE_CHECKING:
    from rich.console import Console

    from edgekit.inspect import ArtifactFacts

# What fits a screen; the layers beyond these are small.
LARGEST_LAYERS = 10
# The columns of text; those of numbers follow.
HEADINGS = ("layer", "operator", "makes", "computes")
# Any shorter, and the names of a net's layers cannot be told apart.
SHORTEST_NAME = 16


def print_artifact(facts: ArtifactFacts, console: Console, all_layers: bool = False) -> None:
    """Print the facts of one artifact, and its largest layers or all of them in their order."""
    for line in artifact_lines(facts):
        print_line(console, line)
    columns = layer_columns(facts.graph, all_layers) if facts.graph else []
    if not columns or not facts.graph:
        return
    print_line(console)
    print_table(_fitted(columns, console) if console.is_terminal else columns, console)
    shown, count = len(columns[0].cells), len(facts.graph.nodes)
    if shown < count:
        print_line(console, f"the {shown} largest of {count} nodes; --layers shows all")


def artifact_lines(facts: ArtifactFacts) -> list[str]:
    """Return the facts of one artifact, one per line."""
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
    """Return what a graph holds and costs, one fact per line."""
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
    """Return the multiply-accumulates, as "301 M multiply-accumulates per sample: 100.0 % int8"."""
    parts = [
        f"{percent(macs / graph.macs)} % {compute}"
        for compute, macs in graph.macs_by_compute.items()
    ]
    line = f"{graph.macs:,} multiply-accumulates per sample"
    if parts:
        line += f": {', '.join(parts)}"
    if graph.uncounted:
        line += (
            f"; and those of {_number(len(graph.uncounted), 'node')} that the file does not tell: "
            f"{_counts(_ops(graph.uncounted))}"
        )
    return line


def layer_columns(graph: Graph, all_layers: bool) -> list[Column]:
    """Return the table of the largest layers, or of all nodes in their order."""
    nodes = list(graph.nodes) if all_layers else largest_layers(graph)
    if not nodes:
        return []
    macs_unit = pick_unit((node.macs or 0 for node in nodes), COUNT_UNITS)
    byte_unit = pick_unit((node.bytes for node in nodes), BYTE_UNITS)
    numbers = (f"MACs {macs_unit.word}".strip(), "params", byte_unit.word)
    cells = zip(*(_cells(node, macs_unit, byte_unit) for node in nodes), strict=True)
    return [
        Column(heading, texts, is_text=heading in HEADINGS)
        for heading, texts in zip((*HEADINGS, *numbers), cells, strict=True)
    ]


def _fitted(columns: Sequence[Column], console: Console) -> list[Column]:
    """Return the columns with the layers' names cut where the table would be too wide."""
    names, *others = columns
    longest = max(map(len, names.cells))
    excess = table_width(columns) - console.width
    width = max(longest - max(excess, 0), SHORTEST_NAME)
    return [replace(names, cells=tuple(_end_of(name, width) for name in names.cells)), *others]


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
