"""The network: a small residual net with squeeze and excitation, in Keras 2 as DeepFace's own."""

from typing import Any, Final

from tf_keras import Model, layers

STAGES: Final = ((32, 2), (64, 2), (96, 2))
"""Channels and residual blocks at a half, a quarter and an eighth of the input's side: 0.5 million weights, 2 MB."""

_SQUEEZE: Final = 8
"""Hu et al., Squeeze-and-Excitation Networks, 2018, use 16; there are few channels here."""


def build(side: int | None, classes: int, dropout: float = 0.3) -> Any:
    """Return the network, with seven probabilities at its end.

    Parameters
    ----------
    side : int or None
        Pixels of the square grey input, of range 0 to 1. None: any.
    classes : int
    dropout : float
        Part of the last features that is left out while training.
    """
    images = layers.Input((side, side, 1), name="face")
    x = layers.Rescaling(4.0, -2.0, name="scale")(images)  # FER2013's mean is 0.5, its deviation a quarter
    x = _convolved(x, STAGES[0][0], 1)
    x = layers.ReLU()(x)
    for channels, blocks in STAGES:
        for block in range(blocks):
            x = _residual(x, channels, stride=2 if block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Dense(classes, name="logits")(x)
    return Model(images, layers.Softmax(name="probabilities")(x), name="compact")


def _convolved(x: Any, channels: int, stride: int, size: int = 3) -> Any:
    x = layers.Conv2D(channels, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(x)


def _residual(x: Any, channels: int, stride: int) -> Any:
    short = x
    if stride != 1 or x.shape[-1] != channels:
        short = layers.AveragePooling2D(stride, padding="same")(short) if stride != 1 else short
        short = _convolved(short, channels, 1, 1)
    x = layers.ReLU()(_convolved(x, channels, stride))
    x = _convolved(x, channels, 1)
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(channels // _SQUEEZE, 1, activation="relu")(weights)
    weights = layers.Conv2D(channels, 1, activation="sigmoid")(weights)
    return layers.ReLU()(layers.Add()([layers.Multiply()([x, weights]), short]))
