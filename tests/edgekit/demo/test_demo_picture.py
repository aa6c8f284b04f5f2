"""What a visitor may draw or photograph for a model, told from its signature and its samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import DIGITS

from edgekit.demo.picture import Drawing, Picture, picture_of
from edgekit_runtimes.tensors import TensorSpec

Array = Any
GENERATOR = np.random.default_rng(3)


def picture(samples: Array, noise: bool = False) -> Picture | None:
    spec = TensorSpec("image", (None, *samples.shape[1:]), samples.dtype.name)
    return picture_of([spec], samples, noise)


def drawing(samples: Array) -> Drawing:
    found = picture(samples)
    assert found
    assert found.drawing
    return found.drawing


def photos(size: int, channels: int) -> Array:
    """Return smooth pictures, uint8."""
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(7 * x * (number + 1) + 5 * y) for number in range(8)]
    shades = (127.5 + 120 * np.stack(waves)[..., None]).astype(np.uint8)
    return np.repeat(shades, channels, axis=-1)


@pytest.fixture(scope="module")
def digits() -> Array:
    with np.load(DIGITS / "digits.npz") as data:
        return data["x"]


def test_the_digits_are_drawn_white_on_black_twenty_pixels_high_by_their_mass(
    digits: Array,
) -> None:
    found = drawing(digits)
    assert (found.ground, found.ink, found.figure, found.centred_by) == (0, 255, 20, "mass")
    assert found.centre == pytest.approx((14, 14), abs=0.1)
    assert 2 < found.stroke < 3.5


def test_dark_ink_on_a_light_ground_is_told(digits: Array) -> None:
    light = 1 - digits.astype(np.float32) / 255
    found = picture(light)
    assert found
    assert (found.low, found.high) == (0, 1)
    assert (drawing(light).ground, drawing(light).ink) == (1, 0)
    assert drawing(light).figure == 20


def test_figures_that_fill_their_box_are_centred_by_it() -> None:
    samples = np.zeros((40, 8, 8), np.float32)
    for sample in samples:
        # Full height as the digits of scikit-learn, and mass that is anywhere.
        left = GENERATOR.integers(0, 5)
        sample[:, 2] = 16
        sample[left, 2:6] = 16
        sample[-1, 5] = 16
    found = picture(samples)
    assert found
    assert (found.low, found.high) == (0, 16)
    assert (drawing(samples).figure, drawing(samples).centred_by) == (8, "box")


def test_lines_of_a_known_width_are_found_to_have_it() -> None:
    y, x = np.mgrid[:28, :28]
    for width in (2.0, 3.0):
        angles = np.linspace(0, np.pi, 12)
        lines = []
        for angle in angles:
            along = (y - 14) * np.sin(angle) + (x - 14) * np.cos(angle)
            clipped = np.clip(along, -9, 9)
            distance = np.hypot(y - 14 - clipped * np.sin(angle), x - 14 - clipped * np.cos(angle))
            lines.append(np.clip(0.5 + width / 2 - distance, 0, 1))
        assert drawing(np.stack(lines)).stroke == pytest.approx(width, rel=0.15)


def test_photographs_are_not_drawings() -> None:
    for channels in (1, 3):
        found = picture(photos(32, channels))
        assert found
        assert found.drawing is None
        assert (found.size, found.channels) == ((32, 32), channels)
        assert (found.low, found.high, found.assumed) == (0, 255, False)


def test_large_pictures_are_not_drawn() -> None:
    large = np.zeros((4, 96, 96, 1), np.uint8)
    large[:, 30:60, 40:44] = 255
    found = picture(large)
    assert found
    assert found.drawing is None


@pytest.mark.parametrize(
    ("scale", "shift", "expected"),
    [(1 / 255, 0, (0, 1)), (2 / 255, -1, (-1, 1)), (1, 0, (0, 255))],
)
def test_black_and_white_are_told_from_the_values(
    scale: float, shift: float, expected: tuple[float, float]
) -> None:
    found = picture(photos(32, 3).astype(np.float32) * np.float32(scale) + np.float32(shift))
    assert found
    assert (found.low, found.high) == expected


def test_values_that_are_not_shades_are_not_a_picture() -> None:
    assert picture(photos(32, 3).astype(np.float32) / 50 - 2) is None
    assert picture(np.full((4, 32, 32, 3), np.nan, np.float32)) is None


def test_noise_says_nothing_so_bytes_and_the_usual_drawing_are_assumed() -> None:
    noise = GENERATOR.normal(size=(8, 28, 28, 1)).astype(np.float32)
    found = picture(noise, noise=True)
    assert found
    assert (found.low, found.high, found.assumed) == (0, 255, True)
    assert found.drawing == Drawing(0, 255, 20, 2.5, (13.5, 13.5), "mass")


@pytest.mark.parametrize(
    "shape", [(8, 10, 6), (8, 4, 4), (8, 64), (8, 16, 16, 2), (8, 4, 28, 28, 1)]
)
def test_series_and_tables_are_not_a_pictures(shape: tuple[int, ...]) -> None:
    assert picture(np.zeros(shape, np.uint8)) is None


def test_a_square_without_channels_is_a_picture(digits: Array) -> None:
    with_channel = picture(digits)
    assert with_channel
    assert picture(digits[..., 0]) == replace(with_channel)


def test_two_inputs_are_not_a_picture(digits: Array) -> None:
    specs = [TensorSpec(name, (None, 28, 28, 1), "float32") for name in ("left", "right")]
    assert picture_of(specs, digits, noise=False) is None
