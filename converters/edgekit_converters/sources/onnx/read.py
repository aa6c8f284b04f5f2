"""Read an ONNX file: nothing from outside its folder, and as large as it says itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx.external_data_helper import load_external_data_for_model

from edgekit_converters.onnx.graph import graphs
from edgekit_runtimes.errors import SourceError, map_exceptions

OLDEST_OPSET = 7
# What protobuf reads and writes in one piece, and onnxruntime takes from memory.
MOST_BYTES = (1 << 31) - 1
MAIN_DOMAINS = ("", "ai.onnx")


def read(path: Path) -> Any:
    """Return the model of a file, with its external data.

    Raises SourceError where it is damaged, of an opset that is not read, or names external data
    that is not a plain file within the file's own folder.
    """
    with map_exceptions(f"{path} could not be read as an ONNX file", SourceError):
        if path.stat().st_size > MOST_BYTES:
            raise SourceError(f"{path} is larger than 2 GB, which protobuf cannot read.")
        model = onnx.load(path, load_external_data=False)
        if not model.graph.node or not model.graph.output:
            raise SourceError(f"{path} is not an ONNX file, or holds no graph.")
        has_external = False
        for tensor in tensors(model):
            _check_size(path, tensor)
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                _check_place(path, tensor)
                has_external = True
        if has_external:
            load_external_data_for_model(model, str(path.parent))
    check_opset(model, str(path))
    return model


def opset_of(model: Any, domain: str = "") -> int:
    """Return the version of a domain's operators that a model declares; 1 where it does not."""
    names = MAIN_DOMAINS if domain in MAIN_DOMAINS else (domain,)
    return max((entry.version for entry in model.opset_import if entry.domain in names), default=1)


def check_opset(model: Any, name: str) -> None:
    """Raise SourceError where the operators are older or newer than those that are known."""
    found, newest = opset_of(model), onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= found <= newest:
        raise SourceError(
            f"{name} is written in opset {found}, and edgekit reads {OLDEST_OPSET} to {newest}. "
            "Export it with one of these."
        )


def tensors(model: Any) -> Iterator[Any]:
    """Yield all constants of a model: initializers, and those in attributes."""
    for graph in graphs(model.graph):
        yield from graph.initializer
        yield from _attributes(graph.node)
    for function in model.functions:
        yield from _attributes(function.node)


def _attributes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield attribute.t
            yield from attribute.tensors


def _bytes_of(tensor: Any) -> int | None:
    """Return how many bytes a tensor's raw data must have; None for text and packed integers."""
    if any(size < 0 for size in tensor.dims):
        raise SourceError(f"the constant '{tensor.name}' has a negative size")
    try:
        width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError):
        raise SourceError(f"the constant '{tensor.name}' has no known type") from None
    packed = tensor.data_type in (
        onnx.TensorProto.INT4,
        onnx.TensorProto.UINT4,
        onnx.TensorProto.FLOAT4E2M1,
    )
    is_text = tensor.data_type == onnx.TensorProto.STRING
    return None if packed or is_text else math.prod(tensor.dims) * int(width)


def _check_size(path: Path, tensor: Any) -> None:
    wanted = _bytes_of(tensor)
    if wanted is None or not tensor.HasField("raw_data"):
        return
    if len(tensor.raw_data) != wanted:
        raise SourceError(
            f"{path} is damaged: the constant '{tensor.name}' has {len(tensor.raw_data)} bytes, "
            f"and its shape {list(tensor.dims)} asks for {wanted}."
        )


def _check_place(path: Path, tensor: Any) -> None:
    """Raise SourceError unless external data is a plain file in the folder of `path`."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    location = told.get("location", "")
    folder = path.resolve().parent
    place = folder / location
    parts = Path(location).parts
    if not location or Path(location).is_absolute() or ".." in parts:
        raise SourceError(
            f"{path} keeps the constant '{tensor.name}' in {location or 'no file'}, which is "
            "outside its folder. Move the data beside the file and save it again."
        )
    for depth in range(1, len(parts) + 1):
        if folder.joinpath(*parts[:depth]).is_symlink():
            raise SourceError(
                f"{path} keeps the constant '{tensor.name}' in {location}, which is a symbolic "
                "link. Copy the data itself beside the file."
            )
    if not place.is_file():
        raise SourceError(
            f"{path} keeps its weights in {location}, which is missing. Put it beside the file."
        )
    begin, length = int(told.get("offset", 0)), int(told.get("length", -1))
    size = place.stat().st_size
    end = begin + length if length >= 0 else size
    wanted = _bytes_of(tensor)
    if begin < 0 or end > size or (wanted is not None and end - begin < wanted):
        raise SourceError(
            f"{path} is damaged: the constant '{tensor.name}' of shape {list(tensor.dims)} goes "
            f"beyond the end of {location}."
        )
