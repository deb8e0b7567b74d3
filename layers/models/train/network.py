"""The network: a small residual net with squeeze and excitation, in Keras 2 as DeepFace's own."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from tf_keras import Model, layers

FEATURES: Final = "features"
LOGITS: Final = "logits"
"""The layers whose outputs training needs: what the last layer gets, and what it gives before the softmax."""

_SQUEEZE: Final = 8
"""Hu et al., Squeeze-and-Excitation Networks, 2018, use 16. This network has fewer channels."""


def build(side: int | None, stages: Sequence[Sequence[int]], classes: int) -> Any:
    """Return the network, which ends in probabilities.

    Parameters
    ----------
    side : int or None
        Pixels of the square gray input, of range 0 to 1. None: any.
    stages : sequence of (int, int)
        Channels and residual blocks. Each stage has half the side of the one before it.
    classes : int
    """
    images = layers.Input((side, side, 1), name="face")
    x = layers.Rescaling(4.0, -2.0, name="scale")(images)  # FER2013's mean is 0.5, its deviation a quarter
    x = layers.ReLU()(_convolved(x, stages[0][0], 1))
    for channels, blocks in stages:
        for block in range(blocks):
            x = _residual(x, channels, stride=2 if block == 0 else 1)
    x = layers.GlobalAveragePooling2D(name=FEATURES)(x)
    x = layers.Dense(classes, name=LOGITS)(x)
    return Model(images, layers.Softmax(name="probabilities")(x), name="compact")


def part(network: Any, layer: str) -> Any:
    """Return the network up to a layer. It shares the weights."""
    return Model(network.input, network.get_layer(layer).output)


def with_mirror(network: Any, side: int) -> Any:
    """Return a network that also looks at the mirrored face, and gives the mean of both.

    A face and its mirror image have the same expression. In a trial run this was worth 0.9 points of accuracy.
    """
    images = layers.Input((side, side, 1), name="face")
    # A matrix turns the columns around: a file of Keras 2 can hold no code for it.
    mirror = layers.Dense(side, use_bias=False, trainable=False, name="mirror")
    mirrored = layers.Reshape((side, side, 1))(mirror(layers.Reshape((side, side))(images)))
    mirror.set_weights([np.eye(side, dtype=np.float32)[::-1]])
    looks = part(network, LOGITS)
    mean = layers.Average(name="mean")([looks(images), looks(mirrored)])
    return Model(images, layers.Softmax(name="probabilities")(mean), name="compact")


def _convolved(x: Any, channels: int, stride: int, size: int = 3) -> Any:
    x = layers.Conv2D(channels, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(x)


def _residual(x: Any, channels: int, stride: int) -> Any:
    short = layers.AveragePooling2D(stride, padding="same")(x) if stride != 1 else x
    if stride != 1 or x.shape[-1] != channels:
        short = _convolved(short, channels, 1, 1)
    x = layers.ReLU()(_convolved(x, channels, stride))
    x = _convolved(x, channels, 1)
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(channels // _SQUEEZE, 1, activation="relu")(weights)
    weights = layers.Conv2D(channels, 1, activation="sigmoid")(weights)
    return layers.ReLU()(layers.Add()([layers.Multiply()([x, weights]), short]))
