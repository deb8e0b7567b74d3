"""The steps of a training, and its state on disk, from which it goes on as if it had never stopped."""

import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from layers.models.train.augment import augmented
from layers.models.train.data import Faces
from layers.models.train.network import FEATURES, LOGITS, build, part
from layers.models.train.recipe import Recipe
from video_common.schema import EMOTION_LABELS

CLASSES: Final = len(EMOTION_LABELS)

SAVE_STEPS: Final = 50
"""Steps that a stopped training can lose, less than a minute of work."""

_AVERAGE_STEPS: Final = 2000
"""The average begins as the weights themselves, and takes its full length after about so many steps."""


def train(recipe: Recipe, faces: Faces, held: Faces, folder: Path, most_steps: int | None = None) -> Any:
    """Train, and go on where an earlier run in the folder stopped.

    What happens in a step depends on the seed and the step's number only. So a run that was stopped ends with the same
    weights as one that was not, up to the rounding of sums, on the same machine with the same number of threads.

    Parameters
    ----------
    recipe : Recipe
    faces : Faces
        To train on.
    held : Faces
        The curve shows the accuracy on them.
    folder : Path
        Gets the state and ``curve.jsonl``.
    most_steps : int, optional
        Stop after so many steps of this run.

    Returns
    -------
    Model or None
        The network with the average of the weights. None: epochs are left.
    """
    tf_keras.utils.set_random_seed(recipe.seed)
    network, average = (build(None, recipe.stages, CLASSES) for _ in range(2))
    average.set_weights(network.get_weights())
    optimizer = tf_keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(network.trainable_variables)
    done, losses = tf.Variable(0, dtype=tf.int64), tf.Variable(0.0)
    state = tf.train.CheckpointManager(
        tf.train.Checkpoint(network=network, average=average, optimizer=optimizer, done=done, losses=losses),
        str(folder / "state"),
        max_to_keep=2,
    )
    state.restore_or_initialize()
    steps = len(faces) // recipe.batch
    first, last = int(done.numpy()), recipe.all_epochs * steps
    until = last if most_steps is None else min(last, first + most_steps)
    _forget(folder / "curve.jsonl", first // steps)
    step, began = _step(network, average, optimizer, recipe), time.monotonic()
    for at in range(first, until):
        epoch, place = divmod(at, steps)
        optimizer.learning_rate.assign(recipe.rate(at, steps))
        loss = step(*(tf.constant(values) for values in batch(recipe, faces, epoch, place)))
        losses.assign_add(loss / steps)
        done.assign(at + 1)
        if place + 1 == steps:
            line: dict[str, Any] = {"epoch": epoch + 1, "side": recipe.side(epoch), "loss": round(float(losses), 4)}
            for name, model in (("held_out", average), ("held_out_last", network)):
                line[name] = round(accuracy(model, held, recipe.side(epoch)), 4)
            line["seconds"] = round(time.monotonic() - began)
            with (folder / "curve.jsonl").open("a", encoding="utf-8") as curve:
                curve.write(f"{json.dumps(line)}\n")
            losses.assign(0.0)
            began = time.monotonic()
        if place + 1 == steps or (at + 1) % SAVE_STEPS == 0 or at + 1 == until:
            state.save()
    return average if until == last else None


def batch(
    recipe: Recipe, faces: Faces, epoch: int, place: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return what a step gets: varied faces, some blended with another one, their labels, and the features to keep.

    Returns
    -------
    NDArray of float32, shape (count, side, side, 1)
    NDArray of float32, shape (count, classes)
    NDArray of float32, shape (count, channels)
        Zero, or what keeps the mean.
    """
    order = np.random.default_rng([recipe.seed, epoch]).permutation(len(faces))
    chosen = faces.of(order[place * recipe.batch : (place + 1) * recipe.batch])
    random = np.random.default_rng([recipe.seed, epoch, place])
    images = augmented(chosen.images, recipe.side(epoch), random, whole=recipe.is_calm(epoch))
    labels = np.eye(CLASSES, dtype=np.float32)[chosen.labels]
    labels = labels * (1 - recipe.smoothing) + recipe.smoothing / CLASSES
    if not recipe.is_calm(epoch) and random.random() < 0.5:
        weight = np.float32(random.beta(recipe.mix_up, recipe.mix_up))
        other = random.permutation(len(chosen))
        images = images * weight + images[other] * (1 - weight)
        labels = labels * weight + labels[other] * (1 - weight)
    kept = random.random((len(chosen), recipe.stages[-1][0])) >= recipe.dropout
    return images, labels.astype(np.float32), (kept / (1 - recipe.dropout)).astype(np.float32)


def _step(network: Any, average: Any, optimizer: Any, recipe: Recipe) -> Any:
    trunk, head = part(network, FEATURES), network.get_layer(LOGITS)
    pairs = list(zip(average.weights, network.weights, strict=True))

    def step(images: Any, labels: Any, kept: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = head(trunk(images, training=True) * kept)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        old = tf.minimum(recipe.average, tf.cast(optimizer.iterations - 1, tf.float32) / _AVERAGE_STEPS)
        for mean, weight in pairs:
            mean.assign(mean * old + weight * (1 - old))
        return loss

    return tf.function(step)


def logits(model: Any, faces: Faces, side: int) -> NDArray[np.float32]:
    """Return the model's logits for faces, of shape (count, classes)."""
    inputs, ends_early = faces.inputs(side), part(model, LOGITS)
    return np.concatenate([ends_early(inputs[at : at + 256]).numpy() for at in range(0, len(faces), 256)])


def accuracy(model: Any, faces: Faces, side: int) -> float:
    """Return the part of the faces whose most probable label is right."""
    return float((logits(model, faces, side).argmax(1) == faces.labels).mean())


def _forget(curve: Path, epochs: int) -> None:
    """Leave the lines of so many epochs: a run that was stopped between a line and the state writes it again."""
    if curve.exists():
        lines = curve.read_text(encoding="utf-8").splitlines(keepends=True)
        curve.write_text("".join(lines[:epochs]), encoding="utf-8")
