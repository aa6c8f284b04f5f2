"""The straight line of a conversion: source -> golden samples -> bundle -> artifacts.

The request is checked, the source loaded, its outputs for the golden samples kept, and a bundle
opened; pipeline.py then makes the artifacts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit._version import __version__
from edgekit.bundle.bundle import BUNDLE_SUFFIX, Bundle, create_bundle, load_bundle
from edgekit.bundle.manifest import Manifest, signature_of
from edgekit.convert.pipeline import Pipeline
from edgekit.convert.request import (
    ConvertRequest,
    bundle_to_continue,
    check_place,
    check_request,
    refuse_other,
)
from edgekit.data import arrays_hash, open_data
from edgekit.files import discard, writing
from edgekit.text.grouping import grouped
from edgekit_converters.formats import format_writer
from edgekit_converters.sources import load_source, source_hash, source_kind
from edgekit_runtimes.errors import ConversionError, EdgekitError, UsageError
from edgekit_runtimes.owned.folder import OwnFolder, sweep
from edgekit_runtimes.owned.lock import place_lock

if TYPE_CHECKING:
    from edgekit.data import Dataset
    from edgekit.data.split import Split
    from edgekit_converters.calibration import Calibration
    from edgekit_converters.sources import Source
    from edgekit_runtimes.tensors import TensorSpec

# Whose versions the manifest keeps.
TOOLS = (
    *("tensorflow", "keras", "tf_keras", "litert-quantizer", "ai-edge-litert"),
    *("tf2onnx", "onnx", "onnxruntime", "torch", "onnxscript"),
)

# What folders in a bundle for what is not finished begin with.
WORK = ".partial-"


def run_conversion(request: ConvertRequest) -> Bundle:
    """Convert a source and return its bundle.

    A recipe that a format does not have, and an artifact that fails, are rows of the bundle; the
    others are made nevertheless. Finished artifacts of an interrupted conversion are kept; a bundle
    without any is not left behind.

    Raises UsageError for a request that makes no sense, SourceError if the source cannot be read,
    ConversionError if no artifact at all could be made.
    """
    check_request(request)
    check_place(request.folder)
    with place_lock(request.folder, _waiting(request)):
        return _convert(request)


def _waiting(request: ConvertRequest) -> Callable[[], None] | None:
    """Return what says that another conversion has the bundle; None if it is not waited for."""
    line = f"waiting for another run that writes {request.folder} (--no-wait ends instead)"
    return (lambda: request.on_wait(line)) if request.wait else None


def _convert(request: ConvertRequest) -> Bundle:
    """Convert a source into a bundle that no other run writes."""
    existing = bundle_to_continue(request)
    settings = request.settings(source_hash(request.source))
    refuse_other(existing, settings)
    request.progress(f"loading {request.source}")
    source = load_source(request.source, request.source_options)
    _check_classes(request, source.graph.output_specs)
    dataset = _open_data(request, source)
    split = _split(request, existing, dataset)
    writers = {name: format_writer(name) for name in request.formats}
    request.progress("running the original on the golden samples")
    with writing(request.folder):
        is_open = existing is None
        try:
            bundle = _open_bundle(request, existing, source, settings, dataset, split)
            is_open = True
            sweep(bundle.folder, WORK)
            with OwnFolder(bundle.folder, WORK) as work:
                calibration = _calibration(dataset, split)
                pipeline = Pipeline(bundle, request, writers, calibration, work.path)
                pipeline.run(source)
                _check_success(request, pipeline)
        except BaseException:
            # Ctrl-C may come between any two lines: the manifest on the disk decides.
            if is_open:
                _discard_empty(request.folder)
            raise
    return pipeline.bundle


def _discard_empty(folder: Path) -> None:
    """Remove a bundle that has no artifact, if there is one."""
    with contextlib.suppress(OSError, EdgekitError):
        if all(record.status != "ok" for record in load_bundle(folder).artifacts):
            discard(folder)


def _check_classes(request: ConvertRequest, outputs: tuple[TensorSpec, ...]) -> None:
    count = len(request.classes)
    sizes = [spec.shape[-1] for spec in outputs if spec.shape]
    if count and count not in sizes and None not in sizes:
        raise UsageError(
            f"--classes names {count} classes, and no output of {request.source} has that many "
            f"values: {'; '.join(map(str, outputs))}."
        )


def _open_data(request: ConvertRequest, source: Source) -> Dataset | None:
    if request.calibration is None:
        return None
    return open_data(
        request.calibration,
        source.graph.input_specs,
        "calibration",
        request.data_options,
        source.axes if request.source_options.layout == "auto" else {},
    )


def _split(
    request: ConvertRequest, existing: Bundle | None, dataset: Dataset | None
) -> Split | None:
    """Choose golden and calibration samples, and check each one that will be used.

    A bundle whose golden samples calibrated its artifacts is continued with the same ones.
    """
    from edgekit.bundle.golden import split_samples

    if dataset is None:
        return None
    may_hold_back = existing is None or existing.manifest.golden.held_back
    split = split_samples(dataset, may_hold_back)
    if request.calibrated_recipes:
        for _ in dataset.model_inputs(numbers=split.calibration):
            pass
    return split


def _calibration(dataset: Dataset | None, split: Split | None) -> Calibration | None:
    from edgekit_converters.calibration import Calibration

    if dataset is None or split is None:
        return None
    return Calibration(
        samples=lambda: dataset.model_inputs(numbers=split.calibration),
        count=len(split.calibration),
    )


def _open_bundle(
    request: ConvertRequest,
    existing: Bundle | None,
    source: Source,
    settings: Mapping[str, Any],
    dataset: Dataset | None,
    split: Split | None,
) -> Bundle:
    """Return the bundle to write into: an existing one with the same settings, or a new one."""
    from edgekit.bundle.golden import answer, choose_golden
    from edgekit_runtimes.tensors import Preprocessing

    preprocessing = dataset.preprocessing if dataset else Preprocessing()
    golden, inputs = choose_golden(source, dataset, split)
    settings = {
        **settings,
        "calibration": golden.sha256,
        "preprocessing": preprocessing.to_json(),
    }
    refuse_other(existing, settings)
    if existing is not None:
        return existing
    outputs = answer(source, inputs, preprocessing)
    manifest = Manifest(
        name=request.folder.name.removesuffix(BUNDLE_SUFFIX),
        source=_source_facts(request, source, settings["source"]),
        signature=signature_of(source.graph.input_specs, source.graph.output_specs),
        preprocessing=preprocessing,
        golden=replace(golden, outputs_sha256=arrays_hash(outputs)),
        settings=settings,
        tools={"edgekit": __version__, **_tool_versions()},
        classes=request.classes,
        notes=(*source.notes, *(dataset.notes if dataset else ()), *_said(split)),
    )
    return create_bundle(request.folder, manifest, inputs, outputs)


def _source_facts(request: ConvertRequest, source: Source, digest: str) -> dict[str, Any]:
    """Return where the artifacts come from, as the manifest says it."""
    facts: dict[str, Any] = {
        "path": _relative(request.source, request.folder),
        "kind": source_kind(request.source).name,
        "sha256": digest,
        "signature": request.source_options.signature,
    }
    if source.axes:
        facts["axes"] = {name: list(order) for name, order in source.axes.items()}
    if request.source_options.weights is not None:
        facts["weights"] = _relative(request.source_options.weights, request.folder)
    return facts


def _said(split: Split | None) -> tuple[str, ...]:
    if split is None or not split.held_back:
        return ()
    return (
        f"{len(split.golden)} samples are held back from calibration: fidelity is judged on them, "
        f"and {len(split.calibration)} others calibrate",
    )


def _check_success(request: ConvertRequest, pipeline: Pipeline) -> None:
    """Raise ConversionError if no artifact that was asked for exists."""
    if all(record.status != "ok" for record in pipeline.rows):
        said = grouped((str(record.reason), record.id) for record in pipeline.rows)
        reasons = "; ".join(f"{', '.join(ids)}: {reason}" for reason, ids in said.items())
        raise ConversionError(f"No artifact could be made of {request.source}. {reasons}")


def _tool_versions() -> dict[str, str]:
    installed = {distribution.name for distribution in metadata.distributions()}
    return {tool: metadata.version(tool) for tool in TOOLS if tool in installed}


def _relative(path: Path, folder: Path) -> str:
    """Return `path` as seen from `folder`, so that both can be moved together.

    A word, as module:function, stays as it is.
    """
    if not path.exists():
        return str(path)
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
