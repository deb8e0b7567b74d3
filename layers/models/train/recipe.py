"""All that shapes the weights, besides the faces and the code."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    Attributes
    ----------
    seed : int
    epochs : int
    batch : int
        Faces in a step.
    stages : tuple of (int, int)
        Channels and residual blocks of each stage of the network. Half a million weights are 2 MB. Most of them are
        where pictures are small: with (32, 2), (64, 2), (96, 2) as many weights take 1.7 times as long.
    sides : tuple of (float, int)
        Pixels of a face's side, up to a part of the epochs. Small pictures teach most of it in half the time. The last
        one is the network's input: with 48 pixels a face and its mirror image take over 2 ms.
    learning_rate : float
        The largest one.
    warm_up : float
        Part of the steps in which the rate rises.
    weight_decay : float
    dropout : float
        Part of the last features that a step leaves out.
    smoothing : float
        Part of a label that is spread over all classes, since FER2013's labels are noisy.
    mix_up : float
        Zhang et al., mixup, 2018: alpha of the Beta distribution. Half the batches are mixed.
    average : float
        How much of the average of the weights a step keeps.
    held_out : float
        Part of the training faces that the weights never see.
    """

    seed: int = 1
    epochs: int = 80
    batch: int = 128
    stages: tuple[tuple[int, int], ...] = ((24, 1), (48, 2), (88, 3))
    sides: tuple[tuple[float, int], ...] = ((0.7, 32), (1.0, 40))
    learning_rate: float = 2e-3
    warm_up: float = 0.08
    weight_decay: float = 2e-2
    dropout: float = 0.3
    smoothing: float = 0.1
    mix_up: float = 0.2
    average: float = 0.998
    held_out: float = 0.05

    def side(self, epoch: int) -> int:
        """Return the pixels of a face's side in an epoch, which counts from 0."""
        return next(side for until, side in self.sides if epoch < until * self.epochs)

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at a step of so many: up in a line, down by a cosine."""
        warm = self.warm_up * steps
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
