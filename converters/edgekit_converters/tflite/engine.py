"""A TFLite file run in this process, by the engine that artifacts are made for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_runtimes.tensors import Arrays

THREADS = 2


def answers(content: bytes, samples: Iterable[Arrays]) -> list[Arrays]:
    """Return what a file gives for each sample. Raises RuntimeError where it does not load."""
    run = runner(content)
    return [run(sample) for sample in samples]


def runner(content: bytes) -> Callable[[Arrays], Arrays]:
    """Return what runs a file on one sample. Raises RuntimeError where it does not load."""
    interpreter: Any = Interpreter(model_content=content, num_threads=THREADS)
    run = interpreter.get_signature_runner(SIGNATURE_KEY)
    return lambda sample: dict(run(**sample))
