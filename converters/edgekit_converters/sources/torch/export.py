"""A module becomes an exported program, with a free batch where it can have one."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from edgekit_runtimes.errors import SourceError, first_line

# torch.export takes a size of 1 for a constant ("0/1 specialization"), so a free batch is tried
# with this one. https://github.com/pytorch/pytorch/issues/117393
TRIED_BATCH = 2
BATCH = "batch"
CODE_LINE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)\n\s+(.+)')
TORCH_FOLDER = str(Path(torch.__file__).parent)


def export(module: Any, inputs: Mapping[str, Any], text: str) -> tuple[Any, tuple[str, ...]]:
    """Return the exported program of a module, and notes.

    inputs: examples by the names of forward()'s parameters. Where the first size of each is 1, it
    is a batch, which stays free if the module allows. Raises SourceError that names the line of
    the user's code where it cannot be exported.
    """
    examples = tuple(inputs.values())
    is_batch = all(x.ndim and x.shape[0] == 1 for x in examples)
    fault = ""
    if is_batch:
        tried = tuple(x.expand(TRIED_BATCH, *x.shape[1:]).clone() for x in examples)
        free = torch.export.Dim(BATCH, min=1)
        shapes = tuple({0: free} for _ in examples)
        try:
            return _export(module, tried, shapes), ()
        except Exception as error:
            fault = _said(error)
    try:
        program = _export(module, examples, None)
    except Exception as error:
        raise SourceError(f"{text} cannot be exported by torch.export: {_said(error)}") from error
    return program, (f"the batch is fixed to 1: {fault}",) if is_batch else ()


def _export(module: Any, examples: tuple[Any, ...], shapes: Any) -> Any:
    with quiet():
        program = torch.export.export(module, examples, dynamic_shapes=shapes, strict=False)
        program = program.run_decompositions({})
    refuse_state(program)
    return program


def refuse_state(program: Any) -> None:
    """Raise SourceError where a program writes a buffer: artifacts keep nothing between runs."""
    written = list(program.graph_signature.buffers_to_mutate.values())
    if written:
        raise SourceError(
            f"forward() writes the buffer '{written[0]}', and artifacts keep nothing from one run "
            "to the next. Make it an input and an output of forward()."
        )


def to_onnx(program: Any, inputs: list[str], outputs: list[str], opset: int) -> Any:
    """Return a program as an ONNX model."""
    with quiet():
        written = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=opset,
            input_names=inputs,
            output_names=outputs,
            verbose=False,
        )
    if written is None:
        raise SourceError("torch.onnx wrote nothing.")
    return written.model_proto


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's own chatter away: what it means is in our errors and notes."""
    loggers = [logging.getLogger(name) for name in ("torch", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _said(error: BaseException) -> str:
    """Return why a module cannot be exported, with the line of the user's code."""
    lines = [found for found in CODE_LINE.findall(str(error)) if TORCH_FOLDER not in found[0]]
    place = ""
    if lines:
        file, number, _, code = lines[-1]
        place = f" at {Path(file).name}:{number} ({code.strip()})"
    if "data-dependent" in str(error):
        return f"forward() decides by the values of a tensor{place}. Use torch.where."
    return f"{first_line(error)}{place}"
