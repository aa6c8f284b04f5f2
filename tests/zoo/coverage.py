"""Which layers and families Keras has, and which of them the zoo lacks."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import keras
from zoo.applications import FAMILIES, OTHERS
from zoo.case import Case

EXCLUDED = {
    "FlaxLayer": "runs JAX, not TensorFlow",
    "InputLayer": "every net has one",
    "JaxLayer": "runs JAX, not TensorFlow",
    "Lambda": "is code in a file; see the tests of --unsafe",
    "Layer": "the base of the others",
    "MaxNumBoundingBoxes": "takes boxes of training data, not tensors",
    "StringLookup": "takes strings, which no edge format does",
    "TFSMLayer": "wraps a SavedModel, which is a source itself",
    "TextVectorization": "takes strings, which no edge format does",
    "TorchModuleWrapper": "runs PyTorch, not TensorFlow",
    "Wrapper": "the base of others",
}


def layer_names() -> dict[str, set[str]]:
    """Return the layers of keras.layers by their own name, with all names that each has."""
    names: dict[str, set[str]] = {}
    for name, value in inspect.getmembers(keras.layers, inspect.isclass):
        if issubclass(value, keras.layers.Layer):
            names.setdefault(value.__name__, {value.__name__}).add(name)
    return names


def uncovered(cases: Iterable[Case]) -> list[str]:
    """Return the layers that neither a case nor an exclusion names."""
    covered = {name for case in cases for name in case.covers} | set(EXCLUDED)
    return sorted(name for name, all_of in layer_names().items() if not all_of & covered)


def uncovered_families() -> list[str]:
    """Return the modules of keras.applications that neither FAMILIES nor OTHERS names."""
    modules = {name for name, _ in inspect.getmembers(keras.applications, inspect.ismodule)}
    return sorted(modules - set(FAMILIES) - set(OTHERS))
