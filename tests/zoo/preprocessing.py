"""Preprocessing layers: images, sound, categories; random ones do nothing when a model answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from keras import layers
from zoo.case import Case, Feed, grouped, layer, layers_with, net

PICTURE = Feed((8, 8, 3), "image")
SOUND = Feed((512,))
IDS = Feed((4,), 6, "int32")
ONE_ID = Feed((1,), 6, "int32")

# With the options that each needs. They change images in training only.
RANDOM: dict[str, dict[str, Any]] = {
    "AugMix": {},
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {},
    "CutMix": {},
    "Equalization": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.2},
    "RandomColorDegeneration": {"factor": 0.2},
    "RandomColorJitter": {},
    "RandomContrast": {"factor": 0.2},
    "RandomCrop": {"height": 6, "width": 6},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.2},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.2},
    "RandomSharpness": {"factor": 0.2},
    "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Solarization": {},
}


def images() -> Iterator[Case]:
    yield layer("Rescaling", PICTURE, scale=1 / 255, offset=-0.5)
    yield layer("CenterCrop", PICTURE, height=4, width=6)
    yield layer("CenterCrop", PICTURE, height=12, width=10)
    size = {"height": 5, "width": 11}
    yield from layers_with(
        "Resizing",
        PICTURE,
        size,
        *({"interpolation": name} for name in ("nearest", "bicubic", "lanczos3", "lanczos5")),
        {"antialias": True},
        {"crop_to_aspect_ratio": True},
        {"pad_to_aspect_ratio": True},
        {"height": 16, "width": 16},
    )
    yield layer("Resizing", PICTURE, height=4, width=4, interpolation="area")
    for name, options in RANDOM.items():
        yield layer(name, PICTURE, **options)
    yield layer("Pipeline", PICTURE, layers=partial(_pipeline))


def _pipeline() -> list[layers.Layer]:
    return [layers.RandomFlip(), layers.Rescaling(1 / 127.5, -1.0)]


def sound() -> Iterator[Case]:
    yield layer(
        "MelSpectrogram",
        SOUND,
        fft_length=128,
        sequence_stride=64,
        sequence_length=128,
        num_mel_bins=8,
        sampling_rate=8000,
    )
    base = {"frame_length": 64, "frame_step": 32, "fft_length": 64}
    yield from layers_with(
        "STFTSpectrogram", Feed((512, 1)), base, {"mode": "real"}, {"mode": "log"}
    )


def categories() -> Iterator[Case]:
    for mode in ("one_hot", "count"):
        yield layer("CategoryEncoding", ONE_ID, num_tokens=6, output_mode=mode)
    yield layer("CategoryEncoding", IDS, num_tokens=6, output_mode="multi_hot")
    edges = {"bin_boundaries": [-1.0, 0.0, 0.5]}
    yield from layers_with("Discretization", Feed((4,)), edges, {"output_mode": "multi_hot"})
    for mode in ("int", "one_hot", "multi_hot", "count"):
        feed = ONE_ID if mode == "one_hot" else IDS
        yield layer("IntegerLookup", feed, vocabulary=[1, 3, 4], output_mode=mode)
    yield layer("IntegerLookup", IDS, vocabulary=[1, 3, 4], num_oov_indices=2)
    yield layer("IntegerLookup", IDS, vocabulary=[1, 3, 4], mask_token=0)
    yield layer("Hashing", IDS, num_bins=3)

    @net("HashedCrossing", ONE_ID, ONE_ID, covers=("HashedCrossing",))
    def crossing(left: Any, right: Any) -> Any:
        return layers.HashedCrossing(5)((left, right))

    yield crossing


def cases() -> list[Case]:
    return [
        *grouped("Images", images()),
        *grouped("Sound", sound()),
        *grouped("Categories", categories()),
    ]
