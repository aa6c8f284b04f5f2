"""The Python API: `edgekit convert` and `edgekit bench` as functions, in the same words.

Where the command line takes a list with commas or an option several times, these take either a
string with commas or a sequence. Where it takes a path to data, these take arrays too.

Errors are `edgekit.EdgekitError` and its subclasses (edgekit_runtimes.errors), with the messages of
the command line.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from edgekit.bundle.bundle import Bundle
    from edgekit.bundle.manifest import ArtifactRecord
    from edgekit.results.results import Results
    from edgekit_runtimes.tensors import Array

PathLike = str | os.PathLike[str]
Words = str | Sequence[str]
Say = Callable[[str], None]


def convert(
    source: PathLike,
    output: PathLike | None = None,
    *,
    to: Words = ("tflite", "tfjs", "onnx"),
    recipe: Words | None = None,
    calibration: PathLike | Mapping[str, Array] | None = None,
    classes: PathLike | Sequence[str] | None = None,
    input_shape: Mapping[str, Sequence[int]] | None = None,
    signature: str | None = None,
    io: Literal["float", "int8"] = "float",
    resize: tuple[int, int] | None = None,
    scale: float = 1.0,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    imports: Sequence[str] = (),
    unsafe: bool = False,
    force: bool = False,
    progress: Say | None = None,
    on_artifact: Callable[[ArtifactRecord], None] | None = None,
) -> Bundle:
    """Convert a trained model and return its bundle: a folder of artifacts, formats x recipes.

    A recipe that a format does not have, and an artifact that fails, are rows of the bundle whose
    `status` is not "ok"; the others are made all the same. A conversion that was interrupted goes
    on where it stopped.

    Args:
        source: The trained model: a `.keras` or `.h5` file, a SavedModel folder, or another kind
            that `edgekit convert --help` lists.
        output: The bundle; NAME.edgekit in the working folder by default.
        to: Formats.
        recipe: What is done to the weights, as "fp32,int8,int8+prune50". By default fp32, fp16 and
            int8-weights, and int8 where calibration is given.
        calibration: Samples that look like real inputs: a .npz or .npy file, a folder of images,
            "module:function", or a dict of arrays by input name, samples along the first axis.
        classes: The names of the classes, in the order of the output, or a text file with one per
            line.
        input_shape: Shapes of inputs, by name, whose sizes the model leaves open.
        signature: Which signature of a SavedModel.
        io: What static int8 TFLite artifacts take and give.
        resize: (height, width) that images are brought to when they are read.
        scale: Samples are multiplied by this first,
        mean: then this is subtracted, one number or one per channel,
        std: then they are divided by this.
        imports: Modules that register custom classes of a Keras model.
        unsafe: Allow Lambda layers, which run code from the file.
        force: Start over where the bundle exists already.
        progress: Called with each step in plain words; `print` will do.
        on_artifact: Called with the row of each artifact asked for, as soon as it is made, found
            finished, or known not to come.

    Raises:
        UsageError: What was asked for makes no sense, or the data does not fit.
        SourceError: The source cannot be read.
        ConversionError: No artifact at all came to be.

    Example:
        >>> import edgekit
        >>> bundle = edgekit.convert(
        ...     "digits.keras", to="tflite", recipe="fp32,int8", calibration="digits.npz"
        ... )
        >>> [(row.id, row.status) for row in bundle.artifacts]
        [('tflite/fp32', 'ok'), ('tflite/int8', 'ok')]
    """
    from edgekit.bundle.recipe import parse_recipes
    from edgekit.convert.conversion import run_conversion
    from edgekit.convert.request import ConvertRequest, parse_formats, read_classes
    from edgekit.data import DataOptions
    from edgekit_converters.sources import SourceOptions

    if isinstance(classes, str | os.PathLike):
        classes = read_classes(Path(classes))
    shapes = {name: tuple(shape) for name, shape in (input_shape or {}).items()}
    with _data_file(calibration, "calibration") as calibration_data:
        return run_conversion(
            ConvertRequest(
                source=Path(source),
                output=None if output is None else Path(output),
                formats=parse_formats(_with_commas(to)),
                recipes=None if recipe is None else parse_recipes(_with_commas(recipe)),
                calibration=calibration_data,
                data_options=DataOptions(resize, scale, tuple(mean), tuple(std)),
                source_options=SourceOptions(shapes, signature, unsafe, tuple(imports)),
                io=io,
                classes=tuple(classes or ()),
                force=force,
                progress=progress or _silent,
                on_artifact=on_artifact or _silent,
            )
        )


def bench(
    bundle: Bundle | PathLike,
    *,
    on: Words = "host",
    engine: Words = (),
    browser: str | None = None,
    data: PathLike | Mapping[str, Array] | None = None,
    metric: str | Callable[[Array, Array], Any] | None = None,
    labels_of: str | None = None,
    original: PathLike | None = None,
    thorough: bool = False,
    threads: int = 1,
    clean: bool = False,
    progress: Say | None = None,
) -> Results:
    """Measure a bundle's artifacts beside their fp32 artifact, and return the results.

    What fails is a row whose `status` is "error", with its `reason`. In a notebook the results
    show as tables; `results.save(path)` writes what `edgekit report`, `check` and `compare` read.

    Args:
        bundle: A bundle, or its folder.
        on: Devices, as "host", "board:pi5", "ssh://pi@raspberrypi" or "browser:wasm".
        engine: Measure only artifacts that these engines run, each by all of them that can: litert,
            tflite-runtime, onnxruntime; in a browser tfjs, litertjs, ort-web.
        browser: The path of the browser to measure in, or "none" to open the page yourself.
        data: Labelled samples for accuracy: as `calibration` of `convert`, with labels "y".
        metric: What judges instead of top-1 accuracy, or MAE and RMSE: "module:function" or a
            function of outputs [n, …] and labels [n, …] that returns one number a sample, or one
            for all of them. Higher is better, but for names that end in _error, _loss or _distance.
        labels_of: Which of several outputs the labels are about.
        original: The source to measure against; by default the one the bundle was made of, where
            it is still there.
        thorough: At least 1,024 runs and 60 s of each model, over 5 processes, instead of 50 runs
            and 1 s over 4.
        threads: How many each engine may use.
        clean: Leave nothing on devices over SSH.
        progress: Called with each step in plain words; `print` will do.

    Raises:
        UsageError: A device, engine or option is unknown or does not fit.
        DeviceError: A device cannot be reached.
        DataError: The labelled samples do not fit the model.

    Example:
        >>> import edgekit
        >>> results = edgekit.bench("digits.edgekit", data="digits.npz")
        >>> fp32, int8 = (row for row in results.rows if row.format == "tflite")
        >>> int8.bytes < fp32.bytes / 2
        True
        >>> int8.ratio_to_fp32.low < int8.ratio_to_fp32.high
        True
        >>> round(int8.accuracy.top1, 1)
        1.0
        >>> results.save("results.json")
    """
    from edgekit.bench.request import bench_request
    from edgekit.bench.run import run_bench
    from edgekit.bundle.bundle import Bundle, load_bundle
    from edgekit.results.plan import QUICK, THOROUGH

    opened = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    with tempfile.TemporaryDirectory() as work, _data_file(data, "data") as data_file:
        request = bench_request(
            opened,
            Path(work),
            _words(on),
            data=data_file,
            original=None if original is None else Path(original),
            threads=threads,
            engines=_words(engine),
            browser=browser,
            plan=THOROUGH if thorough else QUICK,
            metric=metric,
            labels_of=labels_of,
            clean=clean,
        )
        say = progress or _silent
        return run_bench(request, lambda step: say(str(step)))


def _silent(_: object) -> None:
    """Say nothing."""


def _words(words: Words) -> list[str]:
    return words.split(",") if isinstance(words, str) else list(words)


def _with_commas(words: Words) -> str:
    return words if isinstance(words, str) else ",".join(words)


@contextlib.contextmanager
def _data_file(data: PathLike | Mapping[str, Array] | None, name: str) -> Iterator[str | None]:
    """Yield what names the data; arrays are written to a .npz file for the time being."""
    if data is None or isinstance(data, str | os.PathLike):
        yield None if data is None else os.fspath(data)
        return
    import numpy as np

    from edgekit_runtimes.errors import UsageError

    if not isinstance(data, Mapping):
        raise UsageError(
            f"{name}: a {type(data).__name__} is no data. Give a path, or a dict of arrays by "
            "input name, as {'image': images}."
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.npz"
        arrays: dict[str, Any] = {key: np.asarray(array) for key, array in data.items()}
        np.savez(path, **arrays)
        yield str(path)
