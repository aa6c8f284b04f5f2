"""The functions behind every command, in the same words: the command line calls only these.

Where the command line takes a list with commas or an option several times, these take either a
string with commas or a sequence. Where it takes a path to data, these take arrays too.

Errors are `edgekit.EdgekitError` and its subclasses (edgekit_runtimes.errors), with the messages of
the command line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from edgekit.bundle.bundle import Bundle
    from edgekit.bundle.manifest import ArtifactRecord
    from edgekit.bundle.verify import Verdict
    from edgekit.compare.changes import Comparison
    from edgekit.data import DataOptions
    from edgekit.demo.site import Site
    from edgekit.doctor.boards import BoardState
    from edgekit.doctor.examine import Finding
    from edgekit.gates.gate import Gate
    from edgekit.gates.judging import Outcome
    from edgekit.inspect import ArtifactFacts
    from edgekit.report.merge import Report
    from edgekit.results.results import Results
    from edgekit.run.artifact import Outputs
    from edgekit_runtimes.devices import DeviceOptions, KnownDevice
    from edgekit_runtimes.devices.board.cache import Userland
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
    input_dtype: Mapping[str, str] | None = None,
    weights: PathLike | None = None,
    fixed: Mapping[str, Any] | None = None,
    layout: Literal["nchw", "nhwc"] | None = None,
    signature: str | None = None,
    io: Literal["float", "int8"] = "float",
    effort: Literal["low", "default", "high"] = "default",
    explain: bool = False,
    resize: tuple[int, int] | None = None,
    scale: float = 1.0,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    imports: Sequence[str] = (),
    unsafe: bool = False,
    force: bool = False,
    wait: bool = True,
    on_wait: Say | None = None,
    progress: Say | None = None,
    on_artifact: Callable[[ArtifactRecord], None] | None = None,
) -> Bundle:
    """Convert a trained model and return its bundle: a folder of artifacts, formats x recipes.

    A recipe that a format does not have, and an artifact that fails, are rows of the bundle whose
    `status` is not "ok"; the others are made nevertheless. A conversion that was interrupted
    continues where it stopped.

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
        input_dtype: Dtypes of inputs of a PyTorch module, by name, where they are not "float32".
        weights: The weights of a PyTorch module: a .pt, .pth or .safetensors file.
        fixed: Values of inputs of an ONNX file, by name, that become constants.
        layout: The order of the axes of images in all artifacts: channels first or last. By default
            ONNX keeps the source's, and TFLite and TF.js have channels last.
        signature: Which signature of a SavedModel.
        io: What static int8 TFLite artifacts take and give.
        effort: How long to try what keeps quantized artifacts right: "low" makes each once,
            "default" takes at most 2.5 times as long, "high" tries everything.
        explain: Look at int8 artifacts layer by layer: what each loses by itself, what sparing
            it costs, and which samples changed class. `edgekit inspect --damage` shows it.
        resize: (height, width) that images are brought to when they are read.
        scale: Samples are multiplied by this first,
        mean: then this is subtracted, one number or one per channel,
        std: then they are divided by this.
        imports: Modules that register custom classes of a Keras model.
        unsafe: Allow Lambda layers, which run code from the file.
        force: Start over where the bundle exists already.
        wait: Wait for another run that writes the same bundle; otherwise that is a UsageError.
        on_wait: Called with the line that says so.
        progress: Called with each step in plain words; `print` will do.
        on_artifact: Called with the row of each artifact asked for, as soon as it is made, found
            finished, or known not to come.

    Raises:
        UsageError: What was asked for makes no sense, or the data does not fit.
        SourceError: The source cannot be read.
        ConversionError: No artifact at all could be made.

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
                source_options=SourceOptions(
                    shapes,
                    signature,
                    unsafe,
                    tuple(imports),
                    fixed=_plain(fixed),
                    layout=layout or "auto",
                    dtypes=dict(input_dtype or {}),
                    weights=None if weights is None else Path(weights),
                ),
                io=io,
                effort=effort,
                explain=explain,
                classes=tuple(classes or ()),
                force=force,
                wait=wait,
                on_wait=on_wait or _silent,
                progress=progress or _silent,
                on_artifact=on_artifact or _silent,
            )
        )


def bench(
    bundle: Bundle | PathLike | Sequence[PathLike],
    *,
    on: Words = "host",
    engine: Words = (),
    browser: str | None = None,
    data: PathLike | Mapping[str, Array] | None = None,
    metric: str | Callable[[Array, Array], Any] | None = None,
    labels_of: str | None = None,
    original: PathLike | None = None,
    plan: str = "quick",
    threads: int = 1,
    clean: bool = False,
    memory: str | None = None,
    time_limit: float | None = None,
    progress: Say | None = None,
) -> Results:
    """Measure a bundle's artifacts beside their fp32 artifact, and return the results.

    What fails is a row whose `status` is "failed", with its `reason`. In a notebook the results
    show as tables; `results.save(path)` writes what `edgekit report`, `check` and `compare` read.

    Args:
        bundle: A bundle, or its folder; or artifacts that no bundle holds: .tflite and .onnx files
            and folders of TF.js. They take the same samples, whatever the order of their axes and
            their tensors' names, and are compared with the first one in plain float32.
        on: Devices, as "host", "node:cpu", "board:pi5", "ssh://pi@raspberrypi" or "browser:wasm".
        engine: Measure only artifacts that these engines run, each by all of them that can: litert,
            tflite-runtime, onnxruntime, tfjs; in a browser tfjs, litertjs, ort-web.
        browser: The path of the browser to measure in, or "none" to open the page yourself.
        data: Labelled samples for accuracy: as `calibration` of `convert`, with labels "y".
        metric: What judges instead of top-1 accuracy, or MAE and RMSE: "module:function" or a
            function of outputs [n, …] and labels [n, …] that returns one number per sample, or one
            for all of them. Higher is better, except for names that end in _error, _loss or
            _distance.
        labels_of: Which of several outputs the labels are about.
        original: The source to measure against; by default the one the bundle was made from, if it
        still exists.
        plan: "quick": at least 50 runs and 1 s of each model, over 4 processes. "thorough": 1,024
            runs and 60 s over 5. "glance": nine runs in one process, for a first look.
        threads: How many each engine may use.
        clean: Leave nothing on devices over SSH.
        memory: What a worker in Python may allocate, as "4GB"; by default what is available where
            it runs, less 500 MB.
        time_limit: For how many seconds a model may give no sign of life, as in its first run; by
            default 600, and 900 on an emulated board.
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
    from edgekit.results.plan import PLANS
    from edgekit_runtimes.errors import unknown_name
    from edgekit_runtimes.owned.folder import temporary_folder

    if plan not in PLANS:
        raise unknown_name("plan", plan, PLANS)
    with (
        temporary_folder() as work,
        _data_file(data, "data") as data_file,
        _any_bundle(bundle, "bench", data_file) as opened,
    ):
        request = bench_request(
            opened,
            Path(work),
            _words(on),
            data=data_file,
            original=None if original is None else Path(original),
            threads=threads,
            engines=_words(engine),
            device_options=_device_options(memory, time_limit, browser),
            plan=PLANS[plan],
            metric=metric,
            labels_of=labels_of,
            clean=clean,
        )
        say = progress or _silent
        return run_bench(request, lambda step: say(str(step)))


def sources() -> list[tuple[str, str]]:
    """Return the kinds of sources that `convert` reads, with where they come from."""
    from edgekit_converters.sources import source_kinds

    kinds = source_kinds().values()
    return [(kind.title, kind.description) for kind in kinds if kind.is_listed]


def recipes() -> list[tuple[str, str]]:
    """Return the quantizations and modifiers that recipes are made of, with what each brings."""
    from edgekit.bundle.recipe import explain_recipes

    return explain_recipes()


def report(results: Sequence[PathLike], output: PathLike | None = None) -> Report:
    """Return the results in several files as one report; write it to `output` where that is given.

    output: a file that ends with .html, .md or .csv. Raises UsageError for another, or if a
    results file is missing, ArtifactError if one cannot be read.
    """
    from edgekit.report.files import check_output, write_report
    from edgekit.report.merge import read_report

    if output is not None:
        check_output(Path(output))
    merged = read_report([Path(path) for path in results])
    if output is not None:
        write_report(merged, Path(output))
    return merged


def gates(
    texts: Sequence[str], *, max_regression: str | None = None, of_changes: bool = False
) -> tuple[Gate, ...]:
    """Return the project's gates with those in `texts`, which replace their counterparts.

    of_changes: gates on what became worse between two results, instead of on one.
    max_regression: limits all figures that `compare` watches, as "5%". Raises UsageError.
    """
    from edgekit.gates.chosen import chosen_gates
    from edgekit.gates.gate import general_gates

    limit = max_regression
    general = [] if limit is None else general_gates(limit)
    return tuple(chosen_gates(texts, general, of_changes, Path.cwd()))


def check(results: Sequence[Results | PathLike], gates: Sequence[Gate]) -> list[Outcome]:
    """Judge results, or results files, by gates; nothing is measured."""
    from edgekit.gates.judging import judge

    return judge(gates, [_results(one) for one in results])


def compare(
    old: Results | PathLike,
    new: Results | PathLike,
    gates: Sequence[Gate] = (),
    *,
    force: bool = False,
) -> tuple[Comparison, list[Outcome]]:
    """Return what changed between two results, and what gates say of it.

    Raises UsageError if they are of different machines or models, unless `force` is true.
    """
    from edgekit.compare.changes import compare_results, judge_changes
    from edgekit_runtimes.errors import UsageError

    comparison = compare_results(_results(old), _results(new))
    if comparison.obstacles and not force:
        raise UsageError(
            f"{old} and {new} should not be compared: {'; '.join(comparison.obstacles)}. Bench "
            "both alike, or give --force."
        )
    return comparison, judge_changes(gates, comparison)


def demo(
    bundle: Bundle | PathLike | Sequence[PathLike],
    output: PathLike = "site",
    *,
    force: bool = False,
) -> Site:
    """Write a static site in which visitors try a bundle's artifacts. Raises UsageError.

    bundle: what `bench` takes. force: replace the folder whatever is in it.
    """
    from edgekit.demo.site import write_site

    with _any_bundle(bundle, "demo") as opened:
        return write_site(opened, Path(output), force)


def serve(folder: PathLike, port: int, started: Say) -> None:
    """Serve a site on this machine until Ctrl-C; `started` gets the address. Raises UsageError."""
    from edgekit.demo.serve import serve_site

    serve_site(Path(folder), port, started)


def inspect(path: PathLike) -> Bundle | ArtifactFacts:
    """Return the bundle at `path`, or what is in the artifact there.

    Raises UsageError if there is neither, ArtifactError if it is damaged.
    """
    from edgekit.bundle.bundle import load_bundle
    from edgekit.bundle.manifest import MANIFEST_NAME
    from edgekit.inspect import inspect_artifact
    from edgekit_runtimes.errors import UsageError

    path = Path(path)
    if not path.exists():
        raise UsageError(f"No such file or folder: {path}")
    return load_bundle(path) if (path / MANIFEST_NAME).is_file() else inspect_artifact(path)


def verify(bundle: Bundle | PathLike) -> list[Verdict]:
    """Compare each artifact and the golden samples of a bundle with the manifest's hashes.

    Raises UsageError if it is not a bundle, ArtifactError if its manifest is damaged.
    """
    from edgekit.bundle.verify import verify_bundle

    return verify_bundle(_bundle(bundle))


def run(
    artifact: PathLike,
    data: str,
    options: DataOptions | None = None,
    *,
    output: PathLike | None = None,
    limit: int | None = None,
    memory: str | None = None,
    time_limit: float | None = None,
) -> Outputs:
    """Run an artifact on samples, return its outputs, and write them where `output` is given.

    data: what `bench` takes. options: how samples are read; by default as the artifact's bundle
    says. output: a .npz file. limit: read only this many samples, from the first on. memory,
    time_limit: as of `bench`. Raises UsageError, DataError, and EngineError if the artifact does
    not load or run.
    """
    from edgekit.data import DataOptions
    from edgekit.run.artifact import check_output, run_artifact, write_outputs

    if output is not None:
        check_output(Path(output))
    device = _device_options(memory, time_limit)
    outputs = run_artifact(Path(artifact), data, options or DataOptions(), limit, device)
    if output is not None:
        write_outputs(Path(output), outputs.arrays)
    return outputs


def devices() -> list[KnownDevice]:
    """Return the devices that `bench` can use from here, and why it cannot use the others."""
    from edgekit_runtimes.devices import known_devices

    return known_devices()


def ways_to_name_devices() -> list[str]:
    """Return how `on` is written for each kind of device, and what it is for."""
    from edgekit_runtimes.devices import device_kinds

    return [kind.HELP for kind in device_kinds().values()]


def engines() -> tuple[list[str], list[str]]:
    """Return the words of the engines in Python and under Node, and of those in pages."""
    from edgekit_runtimes.devices.node.engines import NODE_ENGINES
    from edgekit_runtimes.engines.registry import page_engine_words, registered_engines

    here = [*(engine.word for engine in registered_engines()), *NODE_ENGINES]
    return here, page_engine_words()


def doctor() -> list[Finding]:
    """Try everything that edgekit needs on this machine, and return what works."""
    from edgekit.doctor.examine import examine

    return examine()


def boards() -> BoardState:
    """Return all emulated boards, and whether they are built."""
    from edgekit.doctor.boards import board_state

    return board_state()


def build_boards(names: Sequence[str], progress: Say | None = None) -> Userland:
    """Build what the named boards need, unless it is there. Raises UsageError, DeviceError."""
    from edgekit.doctor.boards import build_boards

    return build_boards(names, progress or _silent)


def clean_boards() -> tuple[int, Path]:
    """Remove what was built and fetched for all boards; return its bytes and its folder."""
    from edgekit.doctor.boards import clean_boards

    return clean_boards()


def _bundle(bundle: Bundle | PathLike) -> Bundle:
    from edgekit.bundle.bundle import Bundle, load_bundle

    return bundle if isinstance(bundle, Bundle) else load_bundle(bundle)


@contextlib.contextmanager
def _any_bundle(
    bundle: Bundle | PathLike | Sequence[PathLike], command: str, data: str | None = None
) -> Iterator[Bundle]:
    """Yield a bundle: the one named, or one made in passing of the artifacts named."""
    from edgekit.bundle.bundle import Bundle, load_bundle
    from edgekit.loose.bundle import loose_bundle
    from edgekit.loose.files import is_loose

    if isinstance(bundle, Bundle):
        yield bundle
        return
    words = [bundle] if isinstance(bundle, str | os.PathLike) else bundle
    paths = [Path(word) for word in words]
    if not is_loose(paths, command):
        yield load_bundle(paths[0])
        return
    with loose_bundle(paths, data) as made:
        yield made


def _results(results: Results | PathLike) -> Results:
    from edgekit.results.results import Results, load_results

    return results if isinstance(results, Results) else load_results(results)


def _device_options(
    memory: str | None, time_limit: float | None, browser: str | None = None
) -> DeviceOptions:
    from edgekit.gates.limits import parse_limit
    from edgekit.text.quantities import BYTES
    from edgekit_runtimes.devices import DeviceOptions

    most = None if memory is None else int(parse_limit(memory, BYTES, "--memory").value)
    return DeviceOptions(browser, most, time_limit)


def _silent(_: object) -> None:
    """Say nothing."""


def _plain(fixed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return values as a manifest keeps them: numbers, and lists of numbers."""
    return {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in (fixed or {}).items()
    }


def _words(words: Words) -> list[str]:
    return words.split(",") if isinstance(words, str) else list(words)


def _with_commas(words: Words) -> str:
    return words if isinstance(words, str) else ",".join(words)


@contextlib.contextmanager
def _data_file(data: PathLike | Mapping[str, Array] | None, name: str) -> Iterator[str | None]:
    """Yield what names the data; arrays are written to a temporary .npz file."""
    if data is None or isinstance(data, str | os.PathLike):
        yield None if data is None else os.fspath(data)
        return

    import numpy as np

    from edgekit_runtimes.errors import UsageError
    from edgekit_runtimes.owned.folder import temporary_folder

    if not isinstance(data, Mapping):
        raise UsageError(
            f"{name}: a {type(data).__name__} is not data. Give a path, or a dict of arrays by "
            "input name, as {'image': images}."
        )
    with temporary_folder() as folder:
        path = Path(folder) / f"{name}.npz"
        arrays: dict[str, Any] = {key: np.asarray(array) for key, array in data.items()}
        np.savez(path, **arrays)
        yield str(path)
