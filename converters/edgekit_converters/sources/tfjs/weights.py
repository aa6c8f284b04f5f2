"""The weights of a TF.js model, as TF.js computes with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgekit_converters.sources.quantized import refusal
from edgekit_converters.sources.tfjs.files import MODEL_FILE, shard
from edgekit_converters.tfjs.weights import decode, stored_size
from edgekit_runtimes.errors import SourceError, UsageError, map_exceptions
from edgekit_runtimes.tensors import Arrays

HALF = "float16"
HALF_NOTE = "the weights are stored as float16 in the file: their numbers are the model's"


def read_weights(main: Path, model: Mapping[str, Any]) -> tuple[Arrays, tuple[str, ...]]:
    """Return the weights by name, in the file's order, and notes for the user.

    Raises UsageError where they are stored as integers, SourceError where a file is missing, or
    holds more or less than it should.
    """
    with map_exceptions(f"{main} does not say how its weights are stored", SourceError):
        groups = [(group["paths"], group["weights"]) for group in model["weightsManifest"]]
        stored = {str(storage["dtype"]) for _, weights in groups for storage in _storages(weights)}
    if stored - {HALF}:
        # A folder is what is measured.
        raise UsageError(refusal(main.parent if main.name == MODEL_FILE else main))
    weights: Arrays = {}
    for paths, entries in groups:
        with map_exceptions(f"{main} does not say how its weights are stored", SourceError):
            weights.update(_read_group(main, paths, entries))
    return weights, (HALF_NOTE,) if stored else ()


def _storages(entries: Any) -> Iterator[Mapping[str, Any]]:
    """Yield how weights of floats are stored otherwise."""
    for entry in entries:
        if entry.get("quantization") and entry["dtype"] == "float32":
            yield entry["quantization"]


def _read_group(main: Path, paths: Any, entries: Any) -> Arrays:
    shards = [shard(main, name) for name in paths]
    for entry in entries:
        if entry["dtype"] == "string":
            raise SourceError(
                f"{main} holds strings ('{entry['name']}'), which no edge format has. Export the "
                "model without its text or lookup layers."
            )
    sizes = [stored_size(entry) for entry in entries]
    held = sum(file.stat().st_size for file in shards)
    if held != sum(sizes) or any(size < 0 for size in sizes):
        raise SourceError(
            f"{main} says that {', '.join(map(str, paths))} hold {sum(sizes):,} bytes of weights, "
            f"and they hold {held:,}. Get the files again."
        )
    data = memoryview(b"".join(file.read_bytes() for file in shards))
    weights: Arrays = {}
    start = 0
    for entry, size in zip(entries, sizes, strict=True):
        weights[str(entry["name"])] = decode(entry, data[start : start + size])
        start += size
    return weights
