"""What an artifact holds: its signature, its files, its nodes, and the recipe of its bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.bundle.manifest import MANIFEST_NAME, ArtifactRecord
from edgekit.inspect.model import Graph
from edgekit.inspect.read import read_graph
from edgekit.results.events import read_events
from edgekit_runtimes.artifact import artifact_format, sha256_of, size_of
from edgekit_runtimes.devices import Device, EngineChoice, open_device
from edgekit_runtimes.errors import ArtifactError, EngineError, MissingExtraError, UsageError
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import TensorSpec

# An artifact is at FORMAT/RECIPE in its bundle; a file of a TF.js folder one level deeper.
BUNDLE_LEVELS = 3

# TF.js names dtypes as TensorFlow does.
TFJS_DTYPES = {"DT_FLOAT": "float32", "DT_INT32": "int32", "DT_BOOL": "bool"}


@dataclass(frozen=True)
class ArtifactFacts:
    """One artifact.

    recipe, bundle: None if it is outside a bundle.
    graph: None with `graph_reason` where the package that reads it is not installed.
    """

    path: Path
    format: str
    recipe: str | None
    bundle: str | None
    bytes: int
    sha256: str
    files: tuple[str, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    graph: Graph | None = None
    graph_reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "path": str(self.path),
            "format": self.format,
            "recipe": self.recipe,
            "bundle": self.bundle,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "files": list(self.files),
            "inputs": [spec.to_json() for spec in self.inputs],
            "outputs": [spec.to_json() for spec in self.outputs],
            "graph": self.graph.to_json() if self.graph else None,
            "graph_reason": self.graph_reason,
        }


def inspect_artifact(path: Path) -> ArtifactFacts:
    """Return the facts of a .tflite or .onnx file or a TF.js folder.

    Raises UsageError if it is not one, EngineError if its engine cannot load it,
    ArtifactError if it is damaged.
    """
    format_name = artifact_format(path)
    inputs, outputs = (
        _tfjs_signature(path) if format_name == "tfjs" else load_signature(path, format_name)
    )
    graph, graph_reason = None, None
    try:
        graph = read_graph(path, format_name)
    except MissingExtraError as error:
        graph_reason = str(error)
    found = find_record(path)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return ArtifactFacts(
        path=path,
        format=format_name,
        recipe=found[1].recipe if found else None,
        bundle=str(found[0].folder) if found else None,
        bytes=size_of(path),
        sha256=sha256_of(path),
        files=tuple(file.name for file in files if file.is_file()),
        inputs=inputs,
        outputs=outputs,
        graph=graph,
        graph_reason=graph_reason,
    )


def find_record(path: Path) -> tuple[Bundle, ArtifactRecord] | None:
    """Return the bundle that an artifact is in and its row there, or None."""
    for folder in list(path.resolve().parents)[:BUNDLE_LEVELS]:
        if (folder / MANIFEST_NAME).is_file():
            bundle = load_bundle(folder)
            for record in bundle.artifacts:
                if record.status == "ok" and bundle.artifact_path(record) == path.resolve():
                    return bundle, record
    return None


def engine_of(device: Device, path: Path, format_name: str) -> EngineChoice:
    """Return the engine that runs an artifact on a device.

    Raises UsageError with the remedy if there is none.
    """
    engine = device.engine_for(format_name)
    if engine.module is None:
        raise UsageError(f"{path} cannot be run here: {engine.reason}")
    return engine


def told_of(path: Path, message: str) -> str:
    """Return an engine's message with the artifact's name, which a dying one does not say."""
    return message if str(path) in message else f"{path}: {message}"


def load_signature(
    path: Path, format_name: str, options: Mapping[str, Any] | None = None
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Return the inputs and outputs of an artifact, as its engine sees them.

    options: those of the artifact in its bundle. A worker loads it: a file that kills its
    interpreter is an EngineError here.
    """
    with open_device("host") as device:
        engine = engine_of(device, path, format_name)
        job = Job(models=(engine.job_model("artifact", str(path), options or {}),), inputs={})
        record = read_events(device.run(job))
    if record.failure:
        raise EngineError(told_of(path, record.failure))
    (model,) = record.models.values()
    return model.inputs, model.outputs


def _tfjs_signature(folder: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    path = folder / FORMATS["tfjs"].main_file
    try:
        signature = json.loads(path.read_text(encoding="utf-8"))["signature"]
        inputs, outputs = (
            tuple(_tfjs_spec(name, form) for name, form in signature[kind].items())
            for kind in ("inputs", "outputs")
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(
            f"{path} is not a TF.js graph model ({type(error).__name__}: {error})."
        ) from error
    return inputs, outputs


def _tfjs_spec(name: str, form: dict[str, Any]) -> TensorSpec:
    sizes = [int(axis["size"]) for axis in form.get("tensorShape", {}).get("dim", [])]
    return TensorSpec(
        name=name,
        shape=tuple(None if size < 0 else size for size in sizes),
        dtype=TFJS_DTYPES.get(form["dtype"], form["dtype"]),
    )
