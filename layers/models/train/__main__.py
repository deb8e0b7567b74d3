"""Train `compact`: ``python -m layers.models.train DATA FOLDER``, some hours on two processors; run again, it goes on.

FOLDER gets the state after each epoch, the curve (`curve.jsonl`), and at the end the weights with their record.
"""

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from layers.models.train import data
from layers.models.train.augment import augmented
from layers.models.train.network import build

CLASSES = 7


@dataclass(frozen=True)
class Recipe:
    """All that shapes the weights, beside the data and the code."""

    seed: int = 1
    epochs: int = 60
    batch: int = 128
    sides: tuple[tuple[float, int], ...] = ((0.5, 32), (0.75, 40), (1.0, 48))
    """Up to which part of the epochs, pixels of a face: small pictures teach most of it in less than half the time."""
    learning_rate: float = 2e-3
    warm_up: float = 0.08
    weight_decay: float = 2e-2
    smoothing: float = 0.1
    mix_up: float = 0.2
    average: float = 0.998
    held_out: float = 0.05

    def side(self, epoch: int) -> int:
        """Return the pixels of a face's side in an epoch."""
        return next(side for until, side in self.sides if epoch < until * self.epochs)

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at a step of so many: up in a line, down by a cosine."""
        warm = self.warm_up * steps
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def main() -> None:
    """Train, and go on where an earlier run ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    recipe = Recipe(epochs=arguments.epochs)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    train(recipe, arguments.data, arguments.folder)


def train(recipe: Recipe, path: Path, folder: Path) -> None:
    """Train all epochs that are not done yet."""
    faces, held = data.split(data.load(path, "train"), recipe.held_out, recipe.seed)
    tf_keras.utils.set_random_seed(recipe.seed)
    network, average = build(None, CLASSES), build(None, CLASSES)
    average.set_weights(network.get_weights())
    optimizer = tf_keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(network.trainable_variables)
    done = tf.Variable(0, dtype=tf.int64)
    state = tf.train.CheckpointManager(
        tf.train.Checkpoint(network=network, average=average, optimizer=optimizer, done=done),
        str(folder / "state"),
        max_to_keep=2,
    )
    state.restore_or_initialize()
    step = _step(network, average, optimizer, recipe)
    steps = len(faces) // recipe.batch
    for epoch in range(int(done.numpy()), recipe.epochs):
        began, losses = time.monotonic(), []
        random = np.random.default_rng([recipe.seed, epoch])
        order = random.permutation(len(faces))
        for place in range(steps):
            chosen = faces.of(order[place * recipe.batch : (place + 1) * recipe.batch])
            images, labels = mixed(chosen, recipe, recipe.side(epoch), random)
            optimizer.learning_rate.assign(recipe.rate(epoch * steps + place, recipe.epochs * steps))
            losses.append(float(step(tf.constant(images), tf.constant(labels))))
        done.assign(epoch + 1)
        state.save()
        line = {
            "epoch": epoch + 1,
            "side": recipe.side(epoch),
            "loss": round(float(np.mean(losses)), 4),
            "held_out": {name: round(accuracy(model, held), 4) for name, model in (("last", network), ("average", average))},
            "seconds": round(time.monotonic() - began),
        }
        with (folder / "curve.jsonl").open("a") as curve:
            curve.write(json.dumps(line) + "\n")
        print(line, flush=True)
    average.save_weights(folder / "average.weights.h5")
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe) | {"data_sha256": data.digest(path)}, indent=2))


def mixed(
    faces: data.Faces, recipe: Recipe, side: int, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a batch of varied faces, some blended with another one, and their smoothed labels.

    Returns
    -------
    NDArray of float32, shape (count, side, side, 1)
    NDArray of float32, shape (count, classes)
    """
    images = augmented(faces.images, side, random)
    labels = np.eye(CLASSES, dtype=np.float32)[faces.labels]
    labels = labels * (1 - recipe.smoothing) + recipe.smoothing / CLASSES
    if random.random() < 0.5:
        part = np.float32(random.beta(recipe.mix_up, recipe.mix_up))
        other = random.permutation(len(faces))
        images = images * part + images[other] * (1 - part)
        labels = labels * part + labels[other] * (1 - part)
    return images, labels.astype(np.float32)


def _step(network: Any, average: Any, optimizer: Any, recipe: Recipe) -> Any:
    pairs = list(zip(average.weights, network.weights, strict=True))

    @tf.function(reduce_retracing=True)
    def step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf_keras.losses.categorical_crossentropy(labels, network(images, training=True)))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        kept = tf.minimum(recipe.average, tf.cast(optimizer.iterations, tf.float32) / 2000.0)
        for mean, weight in pairs:
            mean.assign(mean * kept + weight * (1 - kept))
        return loss

    return step


def probabilities(model: Any, faces: data.Faces) -> NDArray[np.float32]:
    """Return the model's answers for faces of 48 pixels: (count, classes)."""
    images = faces.images[..., None].astype(np.float32) / 255
    return np.concatenate([model(images[at : at + 512], training=False).numpy() for at in range(0, len(faces), 512)])


def accuracy(model: Any, faces: data.Faces) -> float:
    """Return the part of the faces whose most probable label is right."""
    return float((probabilities(model, faces).argmax(1) == faces.labels).mean())


if __name__ == "__main__":
    main()
