"""Run one artifact on the user's samples."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.data import DataOptions, open_data, spool, stored_options
from edgekit.files import check_writable, write_whole, writing
from edgekit.inspect import engine_of, find_record, load_signature, told_of
from edgekit.results.events import read_events
from edgekit_runtimes.artifact import artifact_format
from edgekit_runtimes.devices import DeviceOptions, open_device
from edgekit_runtimes.errors import EngineError, UsageError
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.printable import member_name
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import Array, Arrays


@dataclass(frozen=True)
class Outputs:
    """What an artifact answered: arrays by output name, samples along the first axis."""

    arrays: Arrays
    classes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: nested lists by output name, and the class names."""
        return {
            "outputs": {name: array.tolist() for name, array in self.arrays.items()},
            "classes": list(self.classes),
        }


def run_artifact(
    path: Path,
    data: str,
    options: DataOptions,
    limit: int | None,
    device_options: DeviceOptions | None = None,
) -> Outputs:
    """Run an artifact in a worker on the samples that `data` names.

    device_options: how much memory and how long it may take.

    Preprocessing that the user does not give is taken from the artifact's bundle. Raises
    EngineError if the artifact does not load or run, or kills its interpreter.
    """
    format_name = artifact_format(path)
    found = find_record(path)
    if found and options == DataOptions():
        options = stored_options(found[0].manifest.preprocessing, data)
    with open_device("host", device_options) as device, temporary_folder() as folder:
        engine = engine_of(device, path, format_name)
        kept = found[1].engine_options if found else {}
        specs, _ = load_signature(path, format_name, kept)
        if found:
            # Integer inputs are fed with the real numbers that they represent.
            specs = tuple(
                replace(spec, dtype="float32") if spec.quantization else spec for spec in specs
            )
        axes = found[0].manifest.data_axes if found else {}
        dataset = open_data(data, specs, "evaluation", options, axes)
        samples = spool(dataset, Path(folder), limit)
        job = Job(
            models=(engine.job_model("artifact", str(path), kept),),
            inputs={name: str(file) for name, file in samples.inputs.items()},
            preprocessing=dataset.preprocessing,
            outputs=-1,
        )
        pieces: dict[str, list[Array]] = {}

        def keep(_: str, start: int, outputs: Arrays) -> None:
            for name, array in outputs.items():
                pieces.setdefault(name, []).append(array)

        if failure := read_events(device.run(job), keep).failure:
            raise EngineError(told_of(path, failure))
    arrays = {name: np.concatenate(parts) for name, parts in pieces.items()}
    return Outputs(arrays, found[0].manifest.classes if found else ())


def check_output(path: Path) -> None:
    """Raise UsageError if outputs cannot be written to a file of this name."""
    if path.suffix != ".npz":
        raise UsageError(f"-o {path}: outputs are written as .npz. Name it {path}.npz.")
    check_writable(path.parent)


def write_outputs(path: Path, arrays: Arrays) -> None:
    """Write outputs to a .npz file, whole or not at all.

    A name that would lead out of the folder that it is unpacked in is written quoted, as in a URL.
    """
    content = io.BytesIO()
    # Not by np.savez: it takes an output that is named "file" for its own argument.
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{member_name(name)}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue())
