"""Every family of keras.applications in its smallest size, without downloads."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers
from zoo.case import ALONE, SEED, Case, Feed

# The smallest member of each family, and the smallest images that it takes.
FAMILIES: dict[str, tuple[str, int]] = {
    "convnext": ("ConvNeXtTiny", 32),
    "densenet": ("DenseNet121", 32),
    "efficientnet": ("EfficientNetB0", 32),
    "efficientnet_v2": ("EfficientNetV2B0", 32),
    "inception_resnet_v2": ("InceptionResNetV2", 75),
    "inception_v3": ("InceptionV3", 75),
    "mobilenet": ("MobileNet", 32),
    "mobilenet_v2": ("MobileNetV2", 32),
    "mobilenet_v3": ("MobileNetV3Small", 32),
    "nasnet": ("NASNetMobile", 32),
    "resnet": ("ResNet50", 32),
    "resnet_v2": ("ResNet50V2", 32),
    "vgg16": ("VGG16", 32),
    "xception": ("Xception", 71),
}
# Modules of keras.applications that have no family of their own.
OTHERS = {
    "imagenet_utils": "functions for reading images",
    "resnet50": "the same as resnet",
    "vgg19": "vgg16 with more layers of the same kinds",
}
CLASSES = 10
# Of fewer images than a layer has channels the statistics are poor: EfficientNetV2B0 with those of
# 16 blows its outputs up to 1,770, and its numbers rounded anew are 64 to 70 dB apart; of 64, 103.
STATISTICS_IMAGES = 64
# Shifts of batch norms, as training leaves them. At zero, where Keras starts them, each relu blows
# differences up (Yang et al., "A Mean Field Theory of Batch Normalization", 2019): the numbers of
# InceptionV3 rounded anew are then 80 dB apart, with these 103.
SHIFTS = (0.5, 1.5)


def build(name: str, size: int) -> keras.Model:
    """Return a seeded model whose batch norms have the statistics of its inputs."""
    keras.utils.set_random_seed(SEED)
    more = {"classifier_activation": None}
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), classes=CLASSES, **more
    )
    norms = [one for one in model._flatten_layers() if isinstance(one, layers.BatchNormalization)]
    kept = [one.momentum for one in norms]
    images = Feed((size, size, 3), "picture").sample(STATISTICS_IMAGES, SEED)
    make = np.random.default_rng(SEED)
    if norms:
        for one in norms:
            one.momentum = 0.0
            one.beta.assign(make.uniform(*SHIFTS, one.beta.shape))
        _answer_in_training(model, images)
        for one, momentum in zip(norms, kept, strict=True):
            one.momentum = momentum
    return model


def _answer_in_training(model: Any, images: np.ndarray) -> None:
    model(images, training=True)


def cases() -> list[Case]:
    return [
        Case(
            "keras.applications",
            f"{name}, {size} px",
            (Feed((size, size, 3), "picture"),),
            company=ALONE,
            model=partial(build, name, size),
        )
        for name, size in FAMILIES.values()
    ]
