"""From a bundle to a bench: artifacts, samples, and the original if it is available."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bench.accuracy.metric import Metric, open_metric
from edgekit.bundle.bundle import Bundle
from edgekit.bundle.golden import store_golden
from edgekit.bundle.manifest import LOOSE
from edgekit.data import open_data, spool, stored_options
from edgekit.inspect import Graph, read_graph
from edgekit.inspect.subject import Subject
from edgekit.results.plan import ORIGINAL, QUICK, BenchPlan
from edgekit_converters.sources import original_engine, source_hash, source_kind, source_kinds
from edgekit_runtimes.devices import DeviceOptions
from edgekit_runtimes.devices.node.engines import NODE_ENGINES, node_engines
from edgekit_runtimes.engines import load_engine
from edgekit_runtimes.engines.registry import engine_words
from edgekit_runtimes.errors import (
    DataError,
    EdgekitError,
    EngineError,
    MissingExtraError,
    UsageError,
    unknown_name,
)
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.protocol.job import JobModel
from edgekit_runtimes.tensors import Array, Preprocessing


@dataclass(frozen=True)
class Evaluation:
    """Labelled data.

    inputs: a .npy file for each input, samples along the first axis, before preprocessing.
    labels: one per sample: integers for classification, floats for regression.
    output: which output they are about; None is enough where there is only one.
    metric: what judges instead of top-1 accuracy or MAE and RMSE.
    """

    inputs: Mapping[str, str]
    labels: Array
    output: str | None = None
    metric: Metric | None = None


@dataclass(frozen=True)
class BenchRequest:
    """What to measure, and where.

    bundle: the name of the bundle.
    inputs: golden samples, a .npy file for each input, before preprocessing.
    golden: the original's outputs on them, samples along the first axis.
    noise: whether the golden samples are noise.
    original: the source with the engine that runs it, under the id "original".
    clean: whether to leave nothing on devices that keep what is copied to them.
    device_options: what the devices' words do not say: which browser, how much memory, how long.
    engines: the words of the engines to measure with ("tfjs"); empty for the one that each device
    prefers.
    stands_in: the id of the artifact whose answers are `golden` where there is no original: it is
    not judged by them. files: what loose artifacts were given as, by their ids.
    """

    bundle: str
    subjects: Sequence[Subject]
    inputs: Mapping[str, str]
    golden: Mapping[str, Array]
    noise: bool = False
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    devices: Sequence[str] = ("host",)
    threads: int = 1
    original: JobModel | None = None
    evaluation: Evaluation | None = None
    plan: BenchPlan = QUICK
    clean: bool = False
    device_options: DeviceOptions = field(default_factory=DeviceOptions)
    engines: Sequence[str] = ()
    stands_in: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How many golden samples there are."""
        return len(next(iter(self.golden.values())))


def bench_request(
    bundle: Bundle,
    work: Path,
    devices: Sequence[str] = ("host",),
    *,
    data: str | None = None,
    original: Path | None = None,
    threads: int = 1,
    engines: Sequence[str] = (),
    device_options: DeviceOptions | None = None,
    plan: BenchPlan = QUICK,
    metric: str | Callable[[Array, Array], Any] | None = None,
    labels_of: str | None = None,
    clean: bool = False,
) -> BenchRequest:
    """Return what is to be measured of a bundle.

    work: a folder for the samples that workers read. data: labelled samples, or None for no
    accuracy. original: the source; None takes the one that the manifest names where it is still
    there with the same hash and TensorFlow is installed. engines: the words of those to measure
    with, also several with commas; none for the one that each device prefers. device_options: as
    `BenchRequest`. metric: a function, or "module:function", that judges instead of
    top-1 accuracy or MAE and RMSE. labels_of: which of several outputs the labels are about.
    clean: whether to leave nothing on devices over SSH.
    """
    for option, word in (("--metric", metric), ("--labels-of", labels_of)):
        if word and not data:
            raise UsageError(f"{option} is about labelled samples: give them with --data.")
    judged_by = open_metric(metric) if metric else None
    words = [word for text in engines for word in text.split(",")]
    for word in words:
        if word not in engine_words():
            raise unknown_name("engine", word, engine_words())
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
            graph=_graph(bundle.artifact_path(record), record.format),
            damage=record.damage,
        )
        for record in bundle.artifacts
        if record.status == "ok"
    ]
    if not subjects:
        raise UsageError(f"{bundle.folder} holds no artifact. Convert it again.")
    golden = store_golden(bundle, work / "golden")
    return BenchRequest(
        bundle=bundle.manifest.name,
        subjects=subjects,
        inputs={name: str(file) for name, file in golden.files.items()},
        golden=golden.outputs,
        noise=bundle.manifest.golden.kind == "noise",
        preprocessing=golden.preprocessing,
        devices=tuple(devices),
        threads=threads,
        original=_original(bundle, original),
        evaluation=_evaluation(bundle, data, work / "data", judged_by, labels_of) if data else None,
        plan=plan,
        engines=tuple(dict.fromkeys(words)),
        device_options=device_options or DeviceOptions(),
        clean=clean,
        stands_in=bundle.manifest.source.get("stands_in"),
        files=bundle.manifest.source.get("files", {}),
    )


def _graph(path: Path, format_name: str) -> Graph | None:
    """Return what an artifact holds; None if it cannot be read: its engine says why."""
    with contextlib.suppress(EdgekitError):
        return read_graph(path, format_name)
    return None


def _original(bundle: Bundle, given: Path | None) -> JobModel | None:
    """Return the original, where it may be measured.

    A bundle may come from anyone: what its manifest says may run code (--unsafe, --import) only
    when the user names the source.
    """
    source, settings = bundle.manifest.source, bundle.manifest.settings
    if source["kind"] == LOOSE:
        if given is None:
            return None
        raise UsageError(
            f"--original {given}: nobody knows whether these artifacts were made of it. Convert "
            "it, and measure the bundle."
        )
    trust, engine = settings["trust"], original_engine(source["kind"])
    is_installed = _is_installed(engine)
    if given is not None:
        if not given.exists() and ":" not in str(given):
            raise UsageError(f"No such file or folder: {given} (--original)")
        if not is_installed:
            kind = source_kinds().get(source["kind"])
            raise MissingExtraError("Measuring the original", (kind and kind.extra) or "convert")
        if source_hash(given) != source["sha256"]:
            raise UsageError(
                f"{given} is not the source that {bundle.folder} was made from: its hash differs."
            )
        path = str(given.resolve()) if given.exists() else str(given)
    else:
        # Nothing is imported from a module of the user's that only a manifest names.
        kept = bundle.folder / source["path"]
        may_load = is_installed and not trust["unsafe"] and not trust["imports"]
        if not may_load or not _is_source(kept) or source_hash(kept) != source["sha256"]:
            return None
        path = str(kept.resolve())
    weights = source.get("weights")
    options = {
        "signature": source["signature"],
        "input_shapes": settings["input_shapes"],
        "fixed": settings.get("fixed", {}),
        "dtypes": settings.get("dtypes", {}),
        "weights": None if weights is None else str((bundle.folder / weights).resolve()),
        "axes": source.get("axes", {}),
        **trust,
    }
    if engine in NODE_ENGINES:
        (choice,) = (one for name in FORMATS for one in node_engines(name) if one.word == engine)
        return choice.job_model(ORIGINAL, path, options)
    return JobModel(ORIGINAL, engine, path, options)


def _is_installed(engine: str) -> bool:
    """Return whether what runs an original is installed."""
    if engine in NODE_ENGINES:
        return any(
            one.word == engine and one.module for name in FORMATS for one in node_engines(name)
        )
    with contextlib.suppress(EngineError, PackageNotFoundError):
        return bool(load_engine(engine).version())
    return False


def _is_source(path: Path) -> bool:
    """Return whether a path is worth hashing; /dev/zero never ends."""
    try:
        source_kind(path)
    except UsageError:
        return False
    return path.is_file() or path.is_dir()


def _evaluation(
    bundle: Bundle, data: str, folder: Path, metric: Metric | None, output: str | None
) -> Evaluation | None:
    manifest = bundle.manifest
    options = stored_options(manifest.preprocessing, data)
    dataset = open_data(data, manifest.inputs, "evaluation", options, manifest.data_axes)
    is_loose = manifest.source["kind"] == LOOSE
    if is_loose and not dataset.labelled and metric is None and output is None:
        # Loose artifacts are judged on it against each other.
        return None
    if not dataset.labelled:
        raise DataError(
            f"{data} holds no labels, and accuracy needs them: 'y' (or 'y_test') in a .npz, "
            "one sub-folder per class for images. Leave --data out to measure without accuracy."
        )
    samples = spool(dataset, folder, None)
    return Evaluation(
        inputs={name: str(file) for name, file in samples.inputs.items()},
        labels=np.load(str(samples.labels), mmap_mode="r", allow_pickle=False),
        output=output,
        metric=metric,
    )
