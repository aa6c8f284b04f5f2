"""From a bundle to a bench: artifacts, samples, and the original where it is at hand."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.bench.plan import ORIGINAL
from edgekit.bench.run import BenchRequest, Evaluation
from edgekit.bench.subject import Subject
from edgekit.bundle import Bundle
from edgekit.data import open_data, spool, stored_options
from edgekit.golden import store_golden
from edgekit_runtimes.artifact import sha256_of
from edgekit_runtimes.errors import DataError, MissingExtraError, UsageError
from edgekit_runtimes.job import JobModel

ORIGINAL_ENGINE = "edgekit_converters.original"


def bench_request(
    bundle: Bundle,
    work: Path,
    devices: Sequence[str],
    data: str | None,
    original: Path | None,
    threads: int,
) -> BenchRequest:
    """Return what is to be measured of a bundle.

    work: a folder for the samples that workers read. data: labelled samples, or None for no
    accuracy. original: the source; None takes the one that the manifest names where it is still
    there with the same hash and TensorFlow is installed.
    """
    subjects = [
        Subject(
            id=record.id,
            format=record.format,
            recipe=record.recipe,
            path=bundle.artifact_path(record).resolve(),
            bytes=record.bytes or 0,
            wire_bytes=(
                {"gzip": record.wire.gzip, "brotli": record.wire.brotli} if record.wire else {}
            ),
            engine_options=record.engine_options,
        )
        for record in bundle.artifacts
        if record.status == "ok"
    ]
    if not subjects:
        raise UsageError(f"{bundle.folder} holds no artifact. Convert it again.")
    golden = store_golden(bundle, work / "golden")
    return BenchRequest(
        subjects=subjects,
        inputs={name: str(file) for name, file in golden.files.items()},
        golden=golden.outputs,
        noise=bundle.manifest.golden.kind == "noise",
        preprocessing=golden.preprocessing,
        devices=tuple(devices),
        threads=threads,
        original=_original(bundle, original),
        evaluation=_evaluation(bundle, data, work / "data") if data else None,
    )


def _original(bundle: Bundle, given: Path | None) -> JobModel | None:
    """Return the original, where it may be measured.

    A bundle may come from anyone: what its manifest says may run code (--unsafe, --import) only
    when the user names the source.
    """
    source, trust = bundle.manifest.source, bundle.manifest.settings["trust"]
    path = given or bundle.folder / source["path"]
    has_tensorflow = importlib.util.find_spec("tensorflow") is not None
    may_load = has_tensorflow and not trust["unsafe"] and not trust["imports"]
    if given is not None:
        if not given.exists():
            raise UsageError(f"No such file or folder: {given} (--original)")
        if not has_tensorflow:
            raise MissingExtraError("Measuring the original", "convert")
        if sha256_of(given) != source["sha256"]:
            raise UsageError(
                f"{given} is not the source that {bundle.folder} was made of: its hash differs."
            )
    elif not may_load or not _is_source(path) or sha256_of(path) != source["sha256"]:
        return None
    options = {
        "signature": source["signature"],
        "input_shapes": bundle.manifest.settings["input_shapes"],
        **trust,
    }
    return JobModel(ORIGINAL, ORIGINAL_ENGINE, str(path.resolve()), options)


def _is_source(path: Path) -> bool:
    """Return whether a path is worth hashing; /dev/zero has no end."""
    return path.is_file() or any(path.glob("saved_model.pb*"))


def _evaluation(bundle: Bundle, data: str, folder: Path) -> Evaluation:
    manifest = bundle.manifest
    options = stored_options(manifest.preprocessing, data)
    dataset = open_data(data, manifest.inputs, "evaluation", options)
    if not dataset.labelled:
        raise DataError(
            f"{data} holds no labels, and accuracy needs them: 'y' (or 'y_test') in a .npz, "
            "one sub-folder a class for images. Leave --data out to measure without accuracy."
        )
    samples = spool(dataset, folder, None)
    return Evaluation(
        inputs={name: str(file) for name, file in samples.inputs.items()},
        labels=np.load(str(samples.labels), allow_pickle=False),
    )
