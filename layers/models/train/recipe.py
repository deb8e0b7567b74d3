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
    calm_epochs : int
        Epochs after these, in which faces are neither blended nor cut out: the network ends with what it will see.
    batch : int
        Faces in a step.
    stages : tuple of (int, int)
        Channels and residual blocks of each stage of the network. Half a million weights are 2 MB. Most of them are
        where pictures are small: with (32, 2), (64, 2), (96, 2) as many weights take 1.7 times as long.
    sides : tuple of (float, int)
        Pixels of a face's side, up to a part of the epochs. Small pictures teach most of it in less time. The last one
        is the network's input: with 48 pixels a face and its mirror image take over 2 ms.
    learning_rate, calm_rate : float
        The largest ones.
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
    calm_epochs: int = 24
    batch: int = 128
    stages: tuple[tuple[int, int], ...] = ((24, 1), (48, 2), (88, 3))
    sides: tuple[tuple[float, int], ...] = ((0.7, 32), (1.0, 40))
    learning_rate: float = 2e-3
    calm_rate: float = 4e-4
    warm_up: float = 0.08
    weight_decay: float = 2e-2
    dropout: float = 0.3
    smoothing: float = 0.1
    mix_up: float = 0.2
    average: float = 0.998
    held_out: float = 0.05

    @property
    def all_epochs(self) -> int:
        """How many epochs there are in all."""
        return self.epochs + self.calm_epochs

    def is_calm(self, epoch: int) -> bool:
        """Report whether an epoch, which counts from 0, is one of the calm ones."""
        return epoch >= self.epochs

    def side(self, epoch: int) -> int:
        """Return the pixels of a face's side in an epoch."""
        return next((side for until, side in self.sides if epoch < until * self.epochs), self.sides[-1][1])

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at a step, with so many in an epoch.

        It goes up in a line and down by a cosine, and for the calm epochs down once more.
        """
        calm, warm = self.epochs * steps, self.warm_up * self.epochs * steps
        if step >= calm:
            return _down(self.calm_rate, (step - calm) / (self.calm_epochs * steps))
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return _down(self.learning_rate, (step - warm) / (calm - warm))


def _down(highest: float, part: float) -> float:
    return highest * 0.5 * (1 + math.cos(math.pi * part))
