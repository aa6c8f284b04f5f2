"""The site: a folder that any web server can hand out, from any sub-folder.

    index.html, assets/…        the page, as `make web` built it
    licences.txt                of the runtimes
    sw.js                       keeps a copy of what was visited, for when there is no network
    site.json                   what the page knows of the bundle
    runtimes/ENGINE/…           what each engine needs; only engines of the bundle's formats
    artifacts/…                 the bundle's artifacts
    golden/…                    samples and the original's answers

All paths are relative. A bundle may come from anyone: nothing from outside of it is copied, and
its words are text in the page, never markup.
"""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit._version import __version__
from edgekit.bundle.bundle import Bundle
from edgekit.bundle.manifest import LOOSE, ArtifactRecord
from edgekit.demo.picture import Picture, picture_of
from edgekit.files import check_writable, write_folder, write_npy, writing
from edgekit.forms import encode
from edgekit_runtimes.artifact import sha256_of, size_of
from edgekit_runtimes.devices.browser import device as browser
from edgekit_runtimes.errors import ArtifactError, UsageError
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.owned.lock import place_lock
from edgekit_runtimes.tensors import Array, Arrays, is_batched

SITE_FILE = "site.json"
SITE_SCHEMA_VERSION = 1
INDEX = "index.html"
# Among the built pages: the demo's own, and what it shares with others.
PAGE, SHARED, OFFLINE, LICENCES = "demo.html", "assets", "sw.js", "licences.txt"
RUNTIMES = "runtimes"

# What a visitor is asked for.
HEADINGS = {"drawing": "Draw here", "image": "Give it an image", "samples": "Input"}

# What a visitor downloads to look at samples: as many as fit, at least one.
GOLDEN_BYTES = 4_000_000
# An output with more classes shows the first few only; the page keeps room for these.
MOST_BARS, BARS_OF_MANY = 10, 5
# Probabilities of a thousand classes, added up in half precision.
PROBABILITY_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Site:
    """A site that was written. bytes: of all its files."""

    folder: Path
    artifacts: tuple[str, ...]
    engines: tuple[str, ...]
    samples: int
    bytes: int


def write_site(bundle: Bundle, folder: Path, force: bool = False) -> Site:
    """Write the demo site of a bundle to `folder`, whole or not at all.

    A site that edgekit wrote, or an empty folder, is replaced; anything else only by `force`.
    Raises UsageError if the pages are not built, the bundle has no artifact, or the folder is
    taken; ArtifactError if the bundle is damaged or links out of itself.
    """
    records = [record for record in bundle.artifacts if record.status == "ok"]
    if not records:
        raise UsageError(
            f"{bundle.folder} has no artifact to show. `edgekit inspect {bundle.folder}` says why."
        )
    browser.check_pages()
    _check_place(folder, bundle.folder, force)
    preferred = (FORMATS[record.format].page_engines[0] for record in records)
    engines = tuple(dict.fromkeys(engine.word for engine in preferred))

    def write(place: Path) -> int:
        place.mkdir()
        return _fill(place, bundle, records, engines)

    with writing(folder), place_lock(folder, lambda: None):
        samples = write_folder(folder, write)
    return Site(folder, tuple(record.id for record in records), engines, samples, size_of(folder))


def _check_place(folder: Path, bundle: Path, force: bool) -> None:
    """Raise UsageError if `folder` must not be replaced."""
    check_writable(folder)
    place = folder.resolve()
    for kept, what in ((bundle.resolve(), "the bundle"), (Path.cwd(), "the folder you are in")):
        if kept.is_relative_to(place):
            raise UsageError(f"{folder} holds {what}. Choose another folder with -o.")
    if place.is_relative_to(bundle.resolve()):
        raise UsageError(f"{folder} is inside the bundle. Choose another folder with -o.")
    if not force and folder.exists() and not _is_ours(folder):
        raise UsageError(
            f"{folder} exists and is not a site that edgekit wrote. Choose another folder with "
            "-o, or replace it and all that is in it with --force."
        )


def _is_ours(folder: Path) -> bool:
    """Return whether `folder` is a site that edgekit wrote, or empty."""
    if not folder.is_dir():
        return False
    if not any(folder.iterdir()):
        return True
    try:
        form = json.loads((folder / SITE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(form, dict) and "edgekit" in form and "artifacts" in form


def _fill(
    folder: Path,
    bundle: Bundle,
    records: Sequence[ArtifactRecord],
    engines: Sequence[str],
) -> int:
    """Write all files of the site; return the number of samples in it."""
    manifest = bundle.manifest
    inputs, outputs = bundle.golden_inputs(), bundle.golden_outputs()
    samples = _fitting(inputs)
    first = next(iter(inputs.values()))
    is_noise = manifest.golden.kind == "noise"
    has_original = manifest.source["kind"] != LOOSE
    picture = picture_of(manifest.inputs, first, is_noise)
    site = {
        "schema": SITE_SCHEMA_VERSION,
        "edgekit": __version__,
        "name": manifest.name,
        "classes": list(manifest.classes),
        "preprocessing": manifest.preprocessing.to_json(),
        "inputs": [
            {**spec.to_json(), "sample": list(inputs[spec.name].shape[1:])}
            for spec in manifest.inputs
        ],
        "outputs": [
            {
                **spec.to_json(),
                "sample": list(outputs[spec.name].shape[1:]),
                "kind": _output_kind(outputs[spec.name], len(manifest.classes)),
            }
            for spec in manifest.outputs
        ],
        "batched": is_batched(manifest.inputs),
        "picture": picture,
        "golden": {
            "count": samples,
            "noise": is_noise,
            "first": _write_golden(folder, "first", inputs, 1),
            "inputs": _write_golden(folder, "input", inputs, samples),
            # Answers of loose artifacts are nobody's original: they only say what outputs are.
            "outputs": _write_golden(folder, "output", outputs, samples) if has_original else {},
        },
        "artifacts": [_copy_artifact(bundle, record, folder) for record in records],
    }
    for name in (SHARED, OFFLINE, LICENCES, *(f"{RUNTIMES}/{engine}" for engine in engines)):
        _copy(browser.PAGES / name, folder / name)
    (folder / SITE_FILE).write_bytes(encode(site) + b"\n")
    words = _words(manifest.name, picture, outputs, is_noise, has_original)
    page = _fill_in((browser.PAGES / PAGE).read_text(encoding="utf-8"), words)
    (folder / INDEX).write_text(page, encoding="utf-8")
    return samples


def _fitting(inputs: Arrays) -> int:
    """Return how many samples fit in GOLDEN_BYTES, at least one."""
    count = len(next(iter(inputs.values())))
    size = sum(array.nbytes for array in inputs.values()) / count
    return max(1, min(count, int(GOLDEN_BYTES / size)))


def _write_golden(folder: Path, kind: str, arrays: Arrays, count: int) -> dict[str, str]:
    """Write the first `count` samples; return the path of each array.

    Files are numbered: a name of a SavedModel may hold any character.
    """
    paths = {}
    for number, (name, array) in enumerate(arrays.items()):
        paths[name] = f"golden/{kind}-{number}.npy"
        write_npy(folder / paths[name], np.ascontiguousarray(array[:count]))
    return paths


def _copy_artifact(bundle: Bundle, record: ArtifactRecord, folder: Path) -> dict[str, Any]:
    """Copy an artifact into the site; return what the page has to know of it."""
    source = bundle.artifact_path(record)
    if not source.exists():
        raise ArtifactError(f"{source} is missing. Convert again with --force.")
    if sha256_of(source) != record.sha256:
        raise ArtifactError(
            f"{source} is not as it was made: its SHA-256 is another. Convert again with --force."
        )
    path = f"artifacts/{source.relative_to(bundle.folder.resolve()).as_posix()}"
    _copy(source, folder / path)
    return {
        "id": record.id,
        "format": record.format,
        "recipe": record.recipe,
        "path": FORMATS[record.format].opened(path),
        "hashes": _hashes(folder / path),
        "bytes": record.bytes,
        "wire": record.wire or {},
        "io": record.io,
        "options": dict(record.engine_options),
        "top1": record.fidelity.top1 if record.fidelity else None,
        "sqnr_db": record.fidelity.sqnr_db if record.fidelity else None,
        "notes": [str(note) for note in record.notes],
    }


def _hashes(copy: Path) -> dict[str, str]:
    """Return the hash of each file of an artifact, by its name: the page checks what it fetched."""
    folder, files = (copy.parent, [copy]) if copy.is_file() else (copy, copy.rglob("*"))
    return {
        file.relative_to(folder).as_posix(): sha256_of(file) for file in files if file.is_file()
    }


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder. Raises ArtifactError for a link: the site would publish its end."""
    for path in (source, *(source.rglob("*") if source.is_dir() else ())):
        if path.is_symlink():
            raise ArtifactError(
                f"{path} is a link. Nothing was written; put the file itself there."
            )
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _output_kind(output: Array, classes: int) -> str:
    """Return what an output holds: "probabilities", "scores" (before a softmax) or "values"."""
    if output.ndim != 2 or output.shape[1] < 2 or output.dtype.kind != "f":
        return "values"
    if output.min() >= 0 and np.allclose(output.sum(axis=1), 1, atol=PROBABILITY_TOLERANCE):
        return "probabilities"
    return "scores" if output.shape[1] == classes else "values"


def _words(
    name: str, picture: Picture | None, outputs: Arrays, is_noise: bool, has_original: bool
) -> dict[str, str]:
    """Return what the page says, and what it keeps room for, before its script runs."""
    samples = "Or take a sample; the original’s answer to it is known:"
    if is_noise:
        made = "bundle was" if has_original else "artifacts were"
        samples = f"The {made} {'made' if has_original else 'given'} without data: these samples "
        samples += "are noise."
        if picture:
            samples += f" Black and white are assumed to be {picture.low:g} and {picture.high:g}."
    elif picture is None:
        samples = "Samples of the bundle; the original’s answers to them are known:"
    kind = "samples" if picture is None else "drawing" if picture.drawing else "image"
    longest = max(array.shape[-1] if array.ndim > 1 else 1 for array in outputs.values())
    bars = longest if longest <= MOST_BARS else BARS_OF_MANY
    return {
        "name": name,
        "input": kind,
        "heading": HEADINGS[kind],
        "bars": str(bars),
        "samples": samples,
    }


def _fill_in(template: str, words: Mapping[str, str]) -> str:
    for key, word in words.items():
        template = template.replace(f"{{{{{key}}}}}", html.escape(word))
    return template
