"""Open PyTorch's modules and programs, as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch.utils import _pytree as pytree

from edgekit_converters.sources.source import SourceOptions
from edgekit_converters.sources.torch.containers import check_container
from edgekit_converters.sources.torch.export import quiet, refuse_state
from edgekit_converters.sources.torch.factory import example_inputs, make_module
from edgekit_converters.sources.torch.program import Original, names_of, specs_of
from edgekit_runtimes.errors import SourceError, first_line

# Without it torch.export.load unpickles sample inputs, and weights whose configuration asks for
# it: both can run code.
ONLY_WEIGHTS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
SUFFIX = ".pt2"


def open_original(path: Path, options: SourceOptions) -> Original:
    """Return what a .pt2 file or module:factory computes.

    Raises UsageError and SourceError.
    """
    if path.suffix == SUFFIX:
        return program_original(read_program(path))
    module = make_module(str(path), options)
    inputs = example_inputs(module, str(path), options.input_shapes, options.dtypes)
    return module_original(module, inputs)


def read_program(path: Path) -> Any:
    """Return the exported program of a .pt2 file, unless it would run code.

    Raises SourceError.
    """
    check_container(path)
    before = os.environ.get(ONLY_WEIGHTS)
    os.environ[ONLY_WEIGHTS] = "1"
    try:
        with quiet():
            program = torch.export.load(path).run_decompositions({})
    except Exception as error:
        said = first_line(error)
        if "weights_only" in str(error) or "Weights only" in str(error):
            said = "it holds pickled objects, which would run code. Get it from whom you trust"
        raise SourceError(f"{path} could not be read as a .pt2 file: {said}.") from error
    finally:
        if before is None:
            del os.environ[ONLY_WEIGHTS]
        else:
            os.environ[ONLY_WEIGHTS] = before
    refuse_state(program)
    return program


def program_original(program: Any) -> Original:
    """Return a program as the original."""
    module, spec = program.module(), program.call_spec.in_spec

    def call(*tensors: Any) -> Any:
        args, kwargs = pytree.tree_unflatten(list(tensors), spec)
        return module(*args, **kwargs)

    signature = program.graph_signature
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    names = tuple(signature.user_inputs)
    tree = program.call_spec.out_spec
    outputs = names_of(pytree.tree_unflatten(list(range(tree.num_leaves)), tree), names)
    return Original(
        specs_of(names, [values[name] for name in names], batch=False),
        specs_of(outputs, [values[name] for name in signature.user_outputs], batch=False),
        call,
    )


def module_original(module: Any, inputs: dict[str, Any]) -> Original:
    """Return a module as the original. inputs: examples by the names of its parameters."""
    with torch.no_grad():
        tree = module(*inputs.values())
    names = tuple(inputs)
    return Original(
        specs_of(names, list(inputs.values()), batch=False),
        specs_of(names_of(tree, names), pytree.tree_leaves(tree), batch=False),
        module,
    )
