"""What a visitor can give a model besides the golden samples: a picture, or a drawing.

Both are told from the signature and from the golden samples: what they look like is what the
model was trained on. The page makes its pictures and drawings alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit_runtimes.tensors import Array, TensorSpec

GRAY, COLOUR = 1, 3
# The largest side to draw on: beyond it, the data is rarely made of the lines of a pen.
MAX_DRAWN_SIDE = 64
# Ink on a ground: at least this share of all elements is the ground, within a tenth of the range.
# The digits of MNIST have 81 %, those of scikit-learn (8 x 8) 51 %, photographs of faces 5 to 20 %.
GROUND_SHARE = 0.4
GROUND_WIDTH = 0.1
# What differs from the ground by a quarter of the range belongs to the figure.
INK_LEVEL = 0.25
# MNIST: the figure is 20 of 28 pixels, and its centre of mass is in the middle.
USUAL_FIGURE_SHARE = 20 / 28
USUAL_STROKE_SHARE = 2.5 / 28
# A line's area is width x length and its outline twice the length. On lines of a known width, of
# 2.5 to 3.5 pixels and round ends, that falls short by this much.
STROKE_CORRECTION = 1.17
# Without an axis for channels it may as well be a series of measurements; a square is a picture.
LEAST_BARE_SIDE = 8
BYTE_RANGE = (0.0, 255.0)


@dataclass(frozen=True)
class Drawing:
    """How drawings are placed in the data.

    ground, ink: values of the empty ground and of a full line.
    figure: the longer side of a figure, in pixels. stroke: the width of a line, in pixels.
    centre: (y, x) of a figure, in pixels from the middle of the first one.
    centred_by: what of a figure is there: its "mass" or its "box".
    """

    ground: float
    ink: float
    figure: int
    stroke: float
    centre: tuple[float, float]
    centred_by: str


@dataclass(frozen=True)
class Picture:
    """A model's only input, where it takes a picture.

    size: (height, width). channels: 1 or 3. low, high: the values of black and white, before
    preprocessing. assumed: there was no data to see them in. drawing: None if pictures are not
    drawings.
    """

    size: tuple[int, int]
    channels: int
    low: float
    high: float
    assumed: bool
    drawing: Drawing | None


def picture_of(inputs: Sequence[TensorSpec], samples: Array, noise: bool) -> Picture | None:
    """Return what pictures the model takes, or None if its input is not a picture.

    samples: golden inputs of the first input, before preprocessing, samples along the first axis.
    """
    if len(inputs) != 1:
        return None
    images = samples[..., 0] if samples.ndim == 4 and samples.shape[-1] == GRAY else samples
    channels = COLOUR if images.ndim == 4 else GRAY
    if images.ndim not in (3, 4) or images.shape[3:] not in ((), (COLOUR,)):
        return None
    size = (int(images.shape[1]), int(images.shape[2]))
    if samples.ndim == 3 and (size[0] != size[1] or size[0] < LEAST_BARE_SIDE):
        return None
    value_range = BYTE_RANGE if noise else _value_range(images)
    if value_range is None:
        return None
    drawing = None
    if channels == GRAY and max(size) <= MAX_DRAWN_SIDE:
        drawing = _usual_drawing(size) if noise else _drawing(images.astype(np.float64))
    return Picture(size, channels, *value_range, assumed=noise, drawing=drawing)


def _value_range(images: Array) -> tuple[float, float] | None:
    """Return the values of black and white, or None if they are not grey values."""
    if images.dtype == np.uint8:
        return BYTE_RANGE
    if not np.isfinite(images).all():
        return None
    least, most = float(images.min()), float(images.max())
    if least < 0:
        return (-1.0, 1.0) if least >= -1 and most <= 1 else None
    if most <= 1:
        return 0.0, 1.0
    # Other values, such as 0 to 16 in the digits of scikit-learn.
    return BYTE_RANGE if 100 <= most <= 255 else (0.0, most)


def _drawing(images: Array) -> Drawing | None:
    """Return how the drawings in `images` are placed, or None if they are not drawings."""
    least, most = float(images.min()), float(images.max())
    reach = most - least
    border = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    ground = float(np.median(border))
    if reach == 0 or (np.abs(images - ground) <= GROUND_WIDTH * reach).mean() < GROUND_SHARE:
        return None
    weights = np.abs(images - ground)
    figures = [weight for weight in weights if (weight > INK_LEVEL * reach).any()]
    boxes = np.array([_box(weight > INK_LEVEL * reach) for weight in figures])
    by_box = (boxes[:, 0] + boxes[:, 1]) / 2
    by_mass = np.array([_centre_of_mass(weight) for weight in figures])
    # What moves less from figure to figure is what they were centred by.
    is_mass = by_mass.std(axis=0).sum() <= by_box.std(axis=0).sum()
    centre = (by_mass if is_mass else by_box).mean(axis=0)
    return Drawing(
        ground=ground,
        ink=most if most - ground >= ground - least else least,
        figure=int(np.median((boxes[:, 1] - boxes[:, 0] + 1).max(axis=1))),
        stroke=round(float(np.median([_stroke(weight / reach) for weight in figures])), 2),
        centre=(round(float(centre[0]), 2), round(float(centre[1]), 2)),
        centred_by="mass" if is_mass else "box",
    )


def _usual_drawing(size: tuple[int, int]) -> Drawing:
    """Return how drawings are usually placed, for when there are only noise samples."""
    height, width = size
    figure = round(USUAL_FIGURE_SHARE * min(size))
    stroke = round(USUAL_STROKE_SHARE * min(size), 2)
    return Drawing(*BYTE_RANGE, figure, stroke, ((height - 1) / 2, (width - 1) / 2), "mass")


def _box(mask: Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and the last (row, column) that hold ink."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (int(rows[0]), int(columns[0])), (int(rows[-1]), int(columns[-1]))


def _stroke(ink: Array) -> float:
    """Return the mean width of the lines of a figure; ink: 0 to 1.

    The length of the outline is the total variation of the picture.
    """
    padded = np.pad(ink, 1)
    down, right = np.diff(padded, axis=0)[:, 1:], np.diff(padded, axis=1)[1:, :]
    return float(STROKE_CORRECTION * 2 * ink.sum() / np.hypot(down, right).sum())


def _centre_of_mass(weights: Array) -> tuple[float, float]:
    height, width = weights.shape
    total = weights.sum()
    return (
        float((weights.sum(axis=1) * np.arange(height)).sum() / total),
        float((weights.sum(axis=0) * np.arange(width)).sum() / total),
    )
