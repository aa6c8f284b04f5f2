"""Operators that work number by number."""

from __future__ import annotations

from edgekit_converters.tfjs.rewrites.elementwise import (
    casts,
    choices,
    clips,
    composed,
    divisions,
    fake_quant,
    one_hot,
    random_integers,
)

REWRITES = (
    casts.rewrite,
    choices.rewrite,
    clips.rewrite,
    composed.rewrite,
    divisions.rewrite,
    fake_quant.rewrite,
    one_hot.rewrite,
    random_integers.rewrite,
)
