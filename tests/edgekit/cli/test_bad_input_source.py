"""Sources that cannot be converted, through the command line: the message, the code, no output."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest
import sources_on_disk as disk
from conftest import Answer

Refused = Callable[..., tuple[str, int]]
Cli = Callable[..., Answer]
SavedModels = Callable[[str], Path]

WRONG_USE, FAILED = 2, 3

SOURCES = (
    "Sources are .keras files (what model.save() writes), .h5 files (the same in HDF5, of Keras 2 "
    "too; also .hdf5), .onnx files (what torch.onnx, tf2onnx and others write), SavedModel folders "
    "(what model.export() and tf.saved_model.save() write), TF.js models (a model.json, or its "
    "folder: graph models and layers models), .tflite files (in float32 or float16, of any "
    "converter), PyTorch modules (module:factory, a function that returns an nn.Module, with "
    "--input-shape) and .pt2 files (what torch.export.save() writes)."
)
NO_ZIP = "is damaged or cut off: a .keras file is a zip archive, and this is not one. Get it again."
STRINGS = (
    "takes strings, which no edge format does. Export the model without its text or decoding "
    "layers and feed it numbers."
)
LAMBDA = (
    "holds a Lambda layer, whose code would run on this machine when the model is loaded. If you "
    "trust the file, allow it with --unsafe; better, replace the layer by keras.ops and save the "
    "model again."
)
CUSTOM = (
    "holds the custom class or function 'Double', which is not registered here. Name the module "
    "that registers it (@keras.saving.register_keras_serializable) with --import MODULE, or bring "
    "the model as a SavedModel: model.export('folder')."
)


@pytest.fixture
def h5_file(saved_models: SavedModels, tmp_path: Path) -> Path:
    """A small model as .h5."""
    import keras

    path = tmp_path / "net.h5"
    keras.saving.load_model(saved_models("dense_net")).save(path)
    return path


@pytest.fixture
def no_leftovers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undo what --import does to this process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    disk.forget_custom()


def cut(path: Path, share: float, target: Path) -> Path:
    """Write the first part of a file; a share of 1 leaves out the last byte."""
    whole = path.read_bytes()
    target.write_bytes(whole[: min(int(len(whole) * share), len(whole) - 1)])
    return target


def test_a_missing_file_is_named(refused: Refused) -> None:
    assert refused("convert", "nosuch.keras") == (
        "No such file or folder: nosuch.keras",
        WRONG_USE,
    )


def test_a_folder_that_is_not_a_saved_model_is_refused_with_what_is_one(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    assert refused("convert", "plain") == (
        f"plain is a folder without saved_model.pb or model.json, so it is not a source. {SOURCES}",
        WRONG_USE,
    )


@pytest.mark.parametrize("name", ["net.txt", "net.zip", "net"])
def test_a_file_of_another_kind_is_refused_with_the_kinds_there_are(
    refused: Refused, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(b"PK")
    assert refused("convert", name) == (
        f"{name} is not a source that edgekit reads. {SOURCES}",
        WRONG_USE,
    )


@pytest.mark.parametrize("share", [0, 0.0001, 0.25, 0.5, 0.9, 1])
def test_a_truncated_keras_file_is_reported_with_its_name(
    refused: Refused, saved_models: SavedModels, tmp_path: Path, share: float
) -> None:
    cut(saved_models("dense_net"), share, tmp_path / "cut.keras")
    assert refused("convert", "cut.keras") == (f"cut.keras {NO_ZIP}", FAILED)


def test_garbage_that_is_called_keras_is_reported_with_its_name(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "garbage.keras").write_bytes(bytes(range(256)) * 20)
    assert refused("convert", "garbage.keras") == (f"garbage.keras {NO_ZIP}", FAILED)


def test_a_zip_that_holds_no_model_is_reported(refused: Refused, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.keras", "w") as archive:
        archive.writestr("photo.jpg", "no model")
    assert refused("convert", "photos.keras") == (
        "photos.keras is a zip archive without a Keras model (config.json).",
        FAILED,
    )


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_damage_inside_a_keras_file_is_reported_with_its_name(
    refused: Refused, saved_models: SavedModels, tmp_path: Path, member: str
) -> None:
    content = bytearray(saved_models("dense_net").read_bytes())
    with zipfile.ZipFile(saved_models("dense_net")) as archive:
        info = archive.getinfo(member)
    middle = info.header_offset + 30 + len(member) + info.compress_size // 2
    content[middle : middle + 20] = bytes(byte ^ 0xFF for byte in content[middle : middle + 20])
    (tmp_path / "bad.keras").write_bytes(content)
    assert refused("convert", "bad.keras") == (
        f"bad.keras is damaged: its member '{member}' does not match its checksum. Get it again.",
        FAILED,
    )


@pytest.mark.parametrize("share", [0, 0.001, 0.25, 0.5, 1])
def test_a_truncated_h5_file_is_reported_with_its_name(
    refused: Refused, h5_file: Path, share: float
) -> None:
    cut(h5_file, share, h5_file.with_name("cut.h5"))
    message, code = refused("convert", "cut.h5")
    assert message.startswith("cut.h5 is damaged, cut off or not an HDF5 file: ")
    assert message.endswith(". Get it again.")
    assert code == FAILED


def test_garbage_that_is_called_h5_is_reported_with_its_name(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "garbage.h5").write_bytes(bytes(range(256)) * 20)
    message, code = refused("convert", "garbage.h5")
    assert message.startswith("garbage.h5 is damaged, cut off or not an HDF5 file: ")
    assert code == FAILED


def test_an_h5_file_with_nothing_but_weights_is_refused_with_what_to_save(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    import keras

    keras.saving.load_model(saved_models("dense_net")).save_weights(tmp_path / "net.weights.h5")
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["x"] = [1, 2, 3]
    for name in ("net.weights.h5", "table.h5"):
        assert refused("convert", name) == (
            f"{name} holds no model, only its weights at most. Save the whole model: "
            "model.save('model.keras').",
            FAILED,
        )


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_lambda_layer_needs_the_user_s_word(
    refused: Refused, cli: Cli, tmp_path: Path, suffix: str
) -> None:
    name = f"lambda.{suffix}"
    disk.write_lambda(tmp_path / name)
    assert refused("convert", name) == (f"{name} {LAMBDA}", FAILED)
    answer = cli("convert", name, "--unsafe", "--to", "tflite", "--recipe", "fp32")
    assert answer.exit_code == 0
    assert (tmp_path / "lambda.edgekit" / "tflite" / "fp32.tflite").is_file()


def test_a_path_that_reads_unsafe_is_not_a_lambda_layer(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "unsafe_mode").mkdir()
    disk.write_custom(tmp_path / "unsafe_mode" / "net.keras")
    message, _ = refused("convert", "unsafe_mode/net.keras")
    assert message == f"unsafe_mode/net.keras {CUSTOM}"


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_custom_class_needs_the_module_that_registers_it(
    refused: Refused, cli: Cli, tmp_path: Path, no_leftovers: None, suffix: str
) -> None:
    name = f"custom.{suffix}"
    disk.write_custom(tmp_path / name)
    assert refused("convert", name) == (f"{name} {CUSTOM}", FAILED)
    words = ("--import", "my_layers", "--to", "tflite", "--recipe", "fp32")
    assert cli("convert", name, *words).exit_code == 0
    assert (tmp_path / "custom.edgekit" / "tflite" / "fp32.tflite").is_file()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "ModuleNotFoundError: No module named 'my_code'"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("raise ValueError('no luck')", "ValueError: no luck"),
        ("import sys; sys.exit(1)", "SystemExit: 1"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_reason(
    refused: Refused,
    saved_models: SavedModels,
    tmp_path: Path,
    no_leftovers: None,
    text: str | None,
    reason: str,
) -> None:
    if text is not None:
        (tmp_path / "my_code.py").write_text(text)
    message, code = refused("convert", saved_models("dense_net"), "--import", "my_code")
    assert message.startswith(
        f"--import my_code: it could not be imported from {tmp_path} or this Python's packages: "
        f"{reason}"
    )
    assert code == WRONG_USE


def test_a_keras_model_that_does_not_know_its_inputs_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    import keras

    keras.Sequential([keras.layers.Dense(3)]).save(tmp_path / "unbuilt.keras")
    assert refused("convert", "unbuilt.keras") == (
        "unbuilt.keras does not say what its inputs are (a subclassed or unbuilt model). Bring it "
        "as a SavedModel: call the model once, then model.export('folder').",
        FAILED,
    )


def test_a_saved_model_without_signatures_is_refused_with_how_to_save_it(
    refused: Refused, tmp_path: Path
) -> None:
    disk.write_saved_model(tmp_path / "saved")
    assert refused("convert", "saved") == (
        "saved has no signatures, so its inputs and outputs are not known. Save it with "
        "model.export('folder') or tf.saved_model.save(…, signatures=…).",
        WRONG_USE,
    )


def test_several_signatures_need_a_choice(refused: Refused, cli: Cli, tmp_path: Path) -> None:
    disk.write_saved_model(tmp_path / "saved", "product", "twice")
    assert refused("convert", "saved") == (
        "saved has several signatures: product, twice. Choose one: --signature product",
        WRONG_USE,
    )
    assert refused("convert", "saved", "--signature", "twise") == (
        "Unknown signature 'twise'. Did you mean 'twice'? Known: product, twice.",
        WRONG_USE,
    )
    answer = cli("convert", "saved", "--signature", "twice", "--to", "tflite", "--recipe", "fp32")
    assert answer.exit_code == 0
    assert "output  z: float32[?, 3]" in answer.out


def test_a_signature_of_a_keras_file_is_refused(
    refused: Refused, saved_models: SavedModels
) -> None:
    model = saved_models("dense_net")
    assert refused("convert", model, "--signature", "x") == (
        f"--signature is for SavedModel folders and .tflite files, and {model} is not one. "
        "Leave it out.",
        WRONG_USE,
    )


@pytest.mark.parametrize("words", [("--unsafe",), ("--import", "my_layers")])
def test_what_is_for_keras_files_is_refused_for_a_saved_model(
    refused: Refused, tmp_path: Path, words: tuple[str, ...]
) -> None:
    disk.write_saved_model(tmp_path / "saved", "product")
    assert refused("convert", "saved", *words) == (
        f"{words[0]} is for .keras files, .h5 files and TF.js models, and saved is not one. Leave "
        "it out.",
        WRONG_USE,
    )


@pytest.mark.parametrize(
    "damage", ["cut graph", "garbage graph", "empty graph", "no variables", "cut variables"]
)
def test_a_damaged_saved_model_is_reported_with_its_name(
    refused: Refused, tmp_path: Path, damage: str
) -> None:
    disk.write_saved_model(tmp_path / "saved", "product")
    graph = tmp_path / "saved" / "saved_model.pb"
    variables = sorted((tmp_path / "saved" / "variables").iterdir())
    match damage:
        case "cut graph":
            graph.write_bytes(graph.read_bytes()[:300])
        case "garbage graph":
            graph.write_bytes(b"\xff" * 4000)
        case "empty graph":
            graph.write_bytes(b"")
        case "no variables":
            for file in variables:
                file.unlink()
        case "cut variables":
            variables[0].write_bytes(variables[0].read_bytes()[:3])
    message, code = refused("convert", "saved")
    assert message.startswith("saved could not be read as a SavedModel (damaged or incomplete): ")
    assert code == FAILED


def test_strings_are_refused_with_the_input_that_takes_them(
    refused: Refused, tmp_path: Path
) -> None:
    disk.write_text(tmp_path / "text.keras")
    disk.write_saved_model(tmp_path / "saved", "length")
    for name in ("text.keras", "saved"):
        assert refused("convert", name) == (f"Input 'text' of {name} {STRINGS}", WRONG_USE)


def test_an_input_without_a_number_of_axes_is_refused(refused: Refused, tmp_path: Path) -> None:
    disk.write_saved_model(tmp_path / "saved", "any_rank")
    assert refused("convert", "saved") == (
        "Input 'x' of saved has no known number of axes. Export it with a signature that says its "
        "shape.",
        FAILED,
    )


def test_a_signature_without_inputs_is_refused(refused: Refused, tmp_path: Path) -> None:
    disk.write_saved_model(tmp_path / "saved", "no_input")
    assert refused("convert", "saved") == (
        "The signature 'serving_default' of saved has no inputs or no outputs. Choose another with "
        "--signature, or export the model with one.",
        FAILED,
    )


def test_outputs_that_change_their_shape_are_refused(refused: Refused, tmp_path: Path) -> None:
    disk.write_saved_model(tmp_path / "saved", "positive")
    message, code = refused("convert", "saved")
    assert message.startswith("Output 'found' of saved has shape [")
    assert message.endswith(
        "Such outputs cannot be compared: export the model without the step that makes them."
    )
    assert code == FAILED


def test_an_open_size_needs_a_shape(refused: Refused, saved_models: SavedModels) -> None:
    model = saved_models("any_size_net")
    assert refused("convert", model) == (
        f"Input image: float32[?, ?, ?, 3] of {model} has an open size besides the batch. Say "
        "which: --input-shape image=1,224,224,3",
        WRONG_USE,
    )


@pytest.mark.parametrize("shape", ["image=1,9,9", "image=1,9,9,4", "image=2,9,9,3,1"])
def test_a_shape_that_contradicts_the_model_is_refused(
    refused: Refused, saved_models: SavedModels, shape: str
) -> None:
    model = saved_models("any_size_net")
    assert refused("convert", model, "--input-shape", shape) == (
        f"--input-shape {shape} does not fit image: float32[?, ?, ?, 3] of {model}.",
        WRONG_USE,
    )


@pytest.mark.parametrize("shape", ["image=big", "image=1,-9,9,3", "image", "=1,9,9,3", "image="])
def test_a_shape_that_makes_no_sense_is_refused(
    refused: Refused, saved_models: SavedModels, shape: str
) -> None:
    assert refused("convert", saved_models("any_size_net"), "--input-shape", shape) == (
        f"--input-shape {shape} is not understood. Write it as NAME=1,224,224,3.",
        WRONG_USE,
    )


def test_a_shape_for_an_unknown_input_is_refused(
    refused: Refused, saved_models: SavedModels
) -> None:
    model = saved_models("any_size_net")
    assert refused("convert", model, "--input-shape", "picture=1,9,9,3") == (
        f"--input-shape names 'picture', which is not an input of {model}. Its inputs: image.",
        WRONG_USE,
    )


def test_a_shape_given_twice_is_refused(refused: Refused, saved_models: SavedModels) -> None:
    shapes = ("--input-shape", "image=1,9,9,3", "--input-shape", "image=1,8,8,3")
    assert refused("convert", saved_models("any_size_net"), *shapes) == (
        "--input-shape gives 'image' twice. Give it once.",
        WRONG_USE,
    )


def test_a_size_that_is_too_small_for_the_model_is_told_with_the_layer(
    refused: Refused, saved_models: SavedModels
) -> None:
    model = saved_models("any_size_net")
    assert refused("convert", model, "--input-shape", "image=1,1,1,3") == (
        f"{model} could not be turned into a graph for image: float32[?, 1, 1, 3]: Conv2D: "
        "Negative dimension size caused by subtracting 3 from 1",
        FAILED,
    )
