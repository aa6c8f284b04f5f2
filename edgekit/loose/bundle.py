"""A bundle made in passing of loose artifacts: nothing is converted.

What is measured, shown and judged for bundles then holds for files that people have already. There
is no original: the first artifact in plain float32, or else the first one, answers in its place,
and everything that shows these answers says so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgekit._version import __version__
from edgekit.bundle.bundle import Bundle, create_bundle
from edgekit.bundle.golden import GoldenSamples, noise_golden, split_samples, stored_golden
from edgekit.bundle.manifest import LOOSE, ArtifactRecord, Manifest, signature_of
from edgekit.bundle.recipe import rank
from edgekit.convert.answers import artifact_answers
from edgekit.convert.wire import wire_size
from edgekit.data import arrays_hash, open_data
from edgekit.loose.files import LooseFile, put, read_files
from edgekit.loose.signature import Joined, joined
from edgekit.results.plan import REFERENCE_RECIPE
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import EdgekitError, UsageError
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.tensors import Arrays, Preprocessing

# Files beyond these are counted in a bundle's name.
NAMED = 3


@contextlib.contextmanager
def loose_bundle(paths: Sequence[Path], data: str | None = None) -> Iterator[Bundle]:
    """Yield a bundle that holds loose artifacts, in a temporary folder.

    data: samples, from which the golden ones are taken; None for noise. Raises UsageError for
    artifacts that do not take and give the same, EngineError for one that does not load,
    ArtifactError for a damaged one, DataError for data that does not fit.
    """
    with temporary_folder() as work:
        files = read_files(paths)
        files.sort(key=lambda file: file.recipe != REFERENCE_RECIPE)
        signature = joined(files[0].given, files[0].facts.inputs, files[0].facts.outputs)
        files = [_fitted(file, signature) for file in files]
        yield _write(Path(work) / "loose.edgekit", files, signature, data)


def _fitted(file: LooseFile, signature: Joined) -> LooseFile:
    told = signature.add(file.given, file.facts.inputs, file.facts.outputs)
    return replace(file, options={**file.options, **told})


def _write(folder: Path, files: Sequence[LooseFile], signature: Joined, data: str | None) -> Bundle:
    specs = tuple(signature.inputs)
    preprocessing = Preprocessing()
    if data is None:
        golden, inputs = noise_golden(specs)
    else:
        dataset = open_data(data, specs, "evaluation", axes=signature.axes)
        preprocessing = dataset.preprocessing
        # None of them calibrates.
        numbers = split_samples(dataset, may_hold_back=False)
        golden, inputs = stored_golden(dataset, numbers)
    reference, outputs = _answers(files, signature, inputs, preprocessing)
    source = reference.facts
    manifest = Manifest(
        name=_bundle_name(files),
        source={
            "path": str(reference.path.resolve()),
            "kind": LOOSE,
            "sha256": source.sha256,
            "signature": None,
            "axes": signature.axes,
            "stands_in": reference.id,
            "files": {file.id: str(file.given) for file in files},
        },
        signature=signature_of(specs, signature.outputs),
        preprocessing=preprocessing,
        golden=replace(golden, outputs_sha256=arrays_hash(outputs)),
        settings={
            "source": source.sha256,
            "signature": None,
            "input_shapes": {},
            "io": "float",
            "classes": [],
            "trust": {"unsafe": False, "imports": []},
            "calibration": golden.sha256,
            "preprocessing": preprocessing.to_json(),
        },
        tools={"edgekit": __version__},
    )
    records = [_record(file) for file in files]
    records.sort(key=lambda row: ([*FORMATS].index(row.format), rank(row.recipe)))
    bundle = create_bundle(folder, replace(manifest, artifacts=tuple(records)), inputs, outputs)
    for file in files:
        put(file, folder / FORMATS[file.facts.format].path(file.recipe))
    return bundle


def _record(file: LooseFile) -> ArtifactRecord:
    facts = file.facts
    return ArtifactRecord(
        id=file.id,
        format=facts.format,
        recipe=file.recipe,
        status="ok",
        path=FORMATS[facts.format].path(file.recipe),
        sha256=facts.sha256,
        bytes=facts.bytes,
        wire=wire_size(file.path),
        engine_options=dict(file.options),
    )


def _answers(
    files: Sequence[LooseFile], signature: Joined, inputs: Arrays, preprocessing: Preprocessing
) -> tuple[LooseFile, Arrays]:
    """Return the first artifact that runs here, and what it answers to the golden samples.

    Raises UsageError with each one's own reason where none does.
    """
    reasons = []
    with open_device("host") as device, temporary_folder() as work:
        places = {name: Path(work) / f"{number}.npy" for number, name in enumerate(inputs)}
        for name, place in places.items():
            np.save(place, inputs[name])
        golden = GoldenSamples(tuple(signature.inputs), places, {}, preprocessing)
        for file in files:
            path, form = file.path.resolve(), file.facts.format
            try:
                found = artifact_answers(path, form, file.options, golden, device)
            except EdgekitError as error:
                reasons.append(f"{file.given}: {error}")
            else:
                return file, {spec.name: found[spec.name] for spec in signature.outputs}
    raise UsageError(f"None of these artifacts runs here. {' '.join(reasons)}")


def _bundle_name(files: Sequence[LooseFile]) -> str:
    names = [file.path.resolve().name for file in files]
    more = len(names) - NAMED
    return ", ".join([*names[:NAMED], *([f"{more} more"] if more > 0 else [])])
