"""Samples from a folder of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edgekit.data.dataset import Sample
from edgekit_runtimes.errors import DataError, MissingExtraError, UsageError, map_exceptions
from edgekit_runtimes.tensors import Array, TensorSpec, is_batched, sample_shape

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MODES = {1: "L", 3: "RGB"}


class ImageReader:
    """The images of a folder: one sub-folder per class, or all in the folder and without labels.

    The label is the sub-folder's place in the order of names, as in Keras. Images are read as
    uint8 and resized (bilinear, averaging where they shrink; the aspect ratio is not kept); what
    a camera noted about rotation is not applied.
    """

    def __init__(
        self, folder: Path, inputs: Sequence[TensorSpec], resize: tuple[int, int] | None
    ) -> None:
        """List the images.

        Raises UsageError if the model takes no images or `resize` does not fit it, DataError
        if there are no images, or both loose and sorted ones.
        """
        self.name = str(folder)
        spec, height, width, self._channels = _image_input(folder, inputs)
        self._input = spec.name
        self._has_channel_axis = len(sample_shape(spec, is_batched(inputs))) == 3
        if resize is None:
            if height is None or width is None:
                raise UsageError(
                    f"{spec} leaves the size of images open. Say which: --resize HEIGHTxWIDTH"
                )
            resize = (height, width)
            size = f"{height} x {width}"
            self.notes: tuple[str, ...] = (f"Images are resized to the model's {size}.",)
        else:
            if height not in (None, resize[0]) or width not in (None, resize[1]):
                raise UsageError(f"--resize {resize[0]}x{resize[1]} does not fit {spec}.")
            self.notes = ()
        self.resize: tuple[int, int] | None = resize
        self._size = resize
        self.class_names, self._files = _list_images(folder)
        self.length: int | None = len(self._files)

    def read(self, chosen: Sequence[int] | None) -> Iterator[tuple[int, Sample]]:
        """Yield the images `chosen` with their numbers."""
        for number in range(len(self._files)) if chosen is None else chosen:
            path, label = self._files[number]
            arrays = {self._input: self._read_image(path)}
            yield number, Sample(arrays, None if label is None else np.asarray(label))

    def _read_image(self, path: Path) -> Array:
        try:
            from PIL import Image
        except ImportError as error:
            raise MissingExtraError("Reading images", "convert") from error
        with (
            map_exceptions(f"{path} could not be read as an image", DataError),
            Image.open(path) as image,
        ):
            if image.mode.startswith(("I", "F")):
                raise DataError(
                    f"{path} has more than 8 bits per channel, which edgekit would cut. "
                    "Convert it to 8 bits, or bring the data as .npz."
                )
            height, width = self._size
            converted = image.convert(MODES[self._channels])
            resized = converted.resize((width, height), Image.Resampling.BILINEAR)
            array = np.asarray(resized)
        return array[..., None] if self._has_channel_axis and array.ndim == 2 else array


def _image_input(
    folder: Path, inputs: Sequence[TensorSpec]
) -> tuple[TensorSpec, int | None, int | None, int]:
    """Return the model's only input with its height, width and number of channels."""
    if len(inputs) > 1:
        raise UsageError(
            f"{folder} is a folder of images, and the model has {len(inputs)} inputs: "
            f"{', '.join(spec.name for spec in inputs)}. Bring the data as .npz."
        )
    spec = inputs[0]
    shape = sample_shape(spec, is_batched(inputs))
    if len(shape) == 2:
        return spec, shape[0], shape[1], 1
    if len(shape) != 3 or shape[2] not in MODES:
        raise UsageError(
            f"{folder} is a folder of images, and the model takes {spec}: not height, width and "
            "1 or 3 channels. Bring the data as .npz."
        )
    return spec, shape[0], shape[1], shape[2]


def _list_images(folder: Path) -> tuple[tuple[str, ...], list[tuple[Path, int | None]]]:
    """Return the names of the classes, and each image with its label."""
    loose = _images(folder.iterdir())
    classes = sorted(
        entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    sorted_in = [
        (path, label) for label, entry in enumerate(classes) for path in _images(entry.rglob("*"))
    ]
    if loose and sorted_in:
        raise DataError(
            f"{folder} holds images beside sub-folders of images ({loose[0].name}, "
            f"{sorted_in[0][0].relative_to(folder)}). Sort all of them into classes, or none."
        )
    if sorted_in:
        return tuple(entry.name for entry in classes), list(sorted_in)
    if not loose:
        raise DataError(
            f"{folder} holds no images ({', '.join(SUFFIXES)}), neither in itself nor in "
            "sub-folders."
        )
    return (), [(path, None) for path in loose]


def _images(entries: Iterator[Path]) -> list[Path]:
    return sorted(
        path
        for path in entries
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
