"""The operators of ONNX: a small function each, registered by its name.

A function takes a Node and returns its output, or several; it asks each input for the order in
which it wants it. The operators' definitions: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.value import Value

Operator = Callable[[Node], Value | Sequence[Value]]

_operators: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Register the function of one or more operators; those of other domains as "domain.Name"."""

    def register(function: Operator) -> Operator:
        for name in names:
            _operators[name] = function
        return function

    return register


@functools.cache
def operators() -> Mapping[str, Operator]:
    """Return all operators by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _operators


def word_of(proto: object) -> str:
    """Return the name under which a node's operator is registered."""
    domain = getattr(proto, "domain", "")
    op: str = getattr(proto, "op_type", "")
    return op if domain in ("", "ai.onnx") else f"{domain}.{op}"
