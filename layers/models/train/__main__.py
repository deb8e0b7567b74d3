"""Train `compact`: ``python -m layers.models.train DATA FOLDER``. It takes hours on two processors.

FOLDER gets the state, the curve (``curve.jsonl``), and at the end ``compact.h5`` with its record ``compact.json``. Stop
the program at any time. Start it again with the same FOLDER to go on. It reads the training faces only: `make accuracy`
judges the model on the validation faces.
"""

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # DeepFace's networks are Keras 2; read when TensorFlow is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import cv2
import tensorflow as tf

from layers.models.train import data
from layers.models.train.export import export
from layers.models.train.recipe import Recipe
from layers.models.train.training import train
from video_models.files import sha256_of


def main() -> None:
    """Train, or go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="train_x, train_y: gray faces of 48 x 48 pixels and their labels")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=0, help="0: one for each processor")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)  # sums come in one order
    cv2.setNumThreads(1)
    recipe, folder = Recipe(), arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"data_sha256": sha256_of(arguments.data)}
    _claim(folder, json.dumps({**facts, **asdict(recipe)}, indent=1) + "\n")
    faces, held = data.split(data.load(arguments.data, "train"), recipe.held_out, recipe.seed)
    print(f"{len(faces)} faces to train on, {len(held)} held out", flush=True)
    average = train(recipe, faces, held, folder)
    record = export(average, recipe, held, {**facts, "faces": len(faces)}, folder)
    print(json.dumps({name: value for name, value in record.items() if name != "curve"}, indent=1))


def _claim(folder: Path, plan: str) -> None:
    """Note what a folder's training is, or end the program if it is another one."""
    path = folder / "recipe.json"
    if not path.exists():
        path.write_text(plan, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != plan:
        raise SystemExit(f"{path} is of another recipe or of other faces. Use another folder.")


if __name__ == "__main__":
    main()
