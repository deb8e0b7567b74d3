"""How often each model is right, and how sure it says it is, on FER2013's validation faces.

::

    make accuracy FACES=faces.npz     writes docs/accuracy.md; also runs the tables of intervals and people

The file has `validation_x`, gray faces of 48 x 48 pixels, `validation_y`, the places of their labels, and `train_x` and
`train_y`, the faces that models were trained on: copies of them say less about a model. Each face takes the way of a
face in a video: DeepFace's letterbox, then the model. The last table is about faces in pictures: a detector has to find
the face, and the model gets the detector's crop.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.diagram import reliability
from benchmarks.page import ACCURACY, machine, write_section
from benchmarks.subject import MODELS
from layers.models.train import data, measures
from layers.models.train.data import Faces
from video_common.errors import InvalidOption, ModelUnavailable
from video_common.limits import PROBABILITY_UNITS
from video_common.schema import EMOTION_LABELS, Engine
from video_emotions.emotions import EmotionModel, letterbox, load_spec
from video_emotions.faces.finder import FaceFinder, find_faces
from video_models.convert import convert
from video_models.fetch import fetch
from video_models.manifest import load_manifest

FACE: Final = 144
SCENE: Final = (320, 240)
"""Pixels of a face, and of the picture that it is put in."""

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Judged:
    """A model's answers: probabilities of shape (faces, 7), and the true labels."""

    name: str
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Part of the faces that is right."""
        return float((self.probabilities.argmax(axis=1) == self.labels).mean())

    def without(self, some: NDArray[np.bool_]) -> "Judged":
        """Return the answers for the other faces."""
        return Judged(self.name, self.probabilities[~some], self.labels[~some])

    @property
    def recalls(self) -> list[float]:
        """Part of each label's faces that is right."""
        counts = measures.confusion(self.probabilities, self.labels)
        return [float(part) for part in counts.diagonal() / counts.sum(axis=1).clip(1)]


def judge(name: str, model: EmotionModel, faces: Faces) -> Judged:
    """Score faces as the service does."""
    scores = model.score(letterbox(colored(image)) for image in faces.images)
    return Judged(name, np.array(scores) / PROBABILITY_UNITS, faces.labels)


def colored(image: Image) -> Image:
    """Return a gray picture as BGR."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)


def models() -> Iterator[tuple[str, EmotionModel | None]]:
    """Yield each emotion model on each engine, or None if it cannot be had here."""
    for spec in load_manifest().emotions.values():
        try:
            fetch(spec, MODELS, os.environ.get("MODEL_MIRROR"))
            convert(spec, MODELS)
            is_here = True
        except ModelUnavailable as error:
            print(error.detail, file=sys.stderr, flush=True)
            is_here = False
        for engine in Engine:
            yield f"{spec.name} ({engine.value})", load_spec(spec, engine, MODELS, threads=2) if is_here else None


def scene_of(face: Image) -> Image:
    """Put an enlarged face in the middle of a picture that continues its border."""
    width, height = SCENE
    large = cv2.resize(face, (FACE, FACE), interpolation=cv2.INTER_CUBIC)
    down, across = (height - FACE) // 2, (width - FACE) // 2
    picture = cv2.copyMakeBorder(large, down, down, across, across, cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(picture, (0, 0), 6)
    soft[down : down + FACE, across : across + FACE] = large
    return colored(np.asarray(soft, np.uint8))


def found_crops(finder: FaceFinder, detector: str, faces: Faces) -> tuple[NDArray[np.int64], list[Image]]:
    """Return which faces a detector finds in their pictures, and the crop of the largest find in each."""
    places, crops = [], []
    for place, image in enumerate(faces.images):
        scene = scene_of(image)
        largest = next(find_faces(scene, finder.detector(detector).detect(scene)), None)
        if largest is not None:
            places.append(place)
            crops.append(largest.crop)
    return np.array(places, np.int64), crops


def margin(part: float, count: int) -> float:
    """Return half the 95 % interval of a part of so many independent faces."""
    return 1.96 * math.sqrt(part * (1 - part) / max(1, count))


def section(judged: list[Judged], missing: list[str], ends: list[str], copies: NDArray[np.bool_]) -> str:
    """Return the page's section. `copies`: which of the faces are also training faces, or nearly."""
    lines = [
        f"`make accuracy`: FER2013's {len(copies):,} validation faces (its public test). Machine: {machine()}.",
        "",
        *_figures(judged),
        "",
        *(f"Not measured: {name}, because its weights cannot be had here." for name in missing),
        "",
        f"About {copies.sum()} of these faces are also among the training faces, or the same photograph is,",
        "cropped, lit or mirrored a little differently. They say less about faces that a model has never seen.",
        f"The same table for the {(~copies).sum():,} others:",
        "",
        *_figures([model.without(copies) for model in judged]),
        "",
        "The tables and pictures below are about all the faces again.",
        "",
    ]
    for model in judged:
        if model.name.endswith("(onnx)"):
            lines += [*_confusion(model), "", f"![{model.name}: accuracy by confidence]({_picture(model).name})", ""]
    return "\n".join([*lines, *ends])


def _figures(judged: list[Judged]) -> list[str]:
    lines = [
        f"| model | accuracy | balanced | ECE | Brier | {' | '.join(EMOTION_LABELS)} |",
        f"|---|---|---|---|---|{'---|' * len(EMOTION_LABELS)}",
    ]
    for model in judged:
        cells = [
            f"{100 * model.accuracy:.1f} ± {100 * margin(model.accuracy, len(model.labels)):.1f} %",
            f"{100 * float(np.mean(model.recalls)):.1f} %",
            f"{measures.calibration_error(model.probabilities, model.labels):.3f}",
            f"{measures.brier(model.probabilities, model.labels):.3f}",
            *(f"{recall:.2f}" for recall in model.recalls),
        ]
        lines.append(f"| {model.name} | {' | '.join(cells)} |")
    counts = np.bincount(judged[0].labels, minlength=len(EMOTION_LABELS)).tolist()
    return [*lines, f"| faces | {sum(counts):,} | | | | {' | '.join(map(str, counts))} |"]


def _confusion(model: Judged) -> list[str]:
    counts = measures.confusion(model.probabilities, model.labels)
    rows = [
        f"| **{label}** | {' | '.join(f'{100 * count / max(1, row.sum()):.0f}' for count in row)} | {row.sum():,} |"
        for label, row in zip(EMOTION_LABELS, counts, strict=True)
    ]
    head = f"| {model.name}: percent of a row's faces | {' | '.join(EMOTION_LABELS)} | faces |"
    return [head, "|" + "---|" * (len(EMOTION_LABELS) + 2), *rows]


def _picture(model: Judged) -> Path:
    return ACCURACY.with_name(f"accuracy-{model.name.split()[0]}.svg")


def end_to_end(found: dict[str, EmotionModel], faces: Faces) -> list[str]:
    """Return the table of faces in pictures."""
    finder = FaceFinder(MODELS)
    lines = [
        f"Faces in pictures: each face is enlarged to {FACE} pixels in a picture of {SCENE[0]} x {SCENE[1]} pixels.",
        "",
        "| detector | found | model | accuracy on the crops | accuracy on the same whole faces | what the crop costs |",
        "|---|---|---|---|---|---|",
    ]
    for detector in ("haar", "yunet"):
        try:
            places, crops = found_crops(finder, detector, faces)
        except InvalidOption:
            lines.append(f"| {detector} | cannot be had here | | | | |")
            continue
        some = faces.of(places)
        for name, model in found.items():
            crop = np.array(model.score(letterbox(image) for image in crops)).argmax(axis=1) == some.labels
            whole = judge(name, model, some).accuracy
            cells = [detector, f"{len(places):,} of {len(faces):,}", name, f"{100 * crop.mean():.1f} %"]
            cells += [f"{100 * whole:.1f} %", f"{100 * (crop.mean() - whole):+.1f} points"]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cost(found: dict[str, EmotionModel], faces: Faces) -> list[str]:
    """Return the table of how long a model needs for a face."""
    lines = ["| model | bytes | ms for a prepared face, one thread: median | fastest |", "|---|---|---|---|"]
    for name in found:
        spec = load_manifest().emotions[name.split()[0]]
        model, taken = load_spec(spec, Engine.ONNX, MODELS, threads=1), list[float]()
        for image in faces.images[:200]:
            face = letterbox(colored(image))
            began = time.perf_counter()
            model.score([face])
            taken.append(time.perf_counter() - began)
        size = spec.onnx_path(MODELS).stat().st_size
        lines.append(f"| {name} | {size:,} | {1000 * float(np.median(taken)):.1f} | {1000 * min(taken):.1f} |")
    return lines


def main() -> None:
    """Measure, print, and write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    path = parser.parse_args().faces
    if not path.is_file():
        parser.error("there is no file of labeled faces. Name it: make accuracy FACES=faces.npz")
    try:
        faces, trained = data.load(path, "validation"), data.load(path, "train")
    except KeyError as error:
        parser.error(f"{path}: {error}")
    found, missing, judged = dict[str, EmotionModel](), list[str](), list[Judged]()
    for name, model in models():
        if model is None:
            missing.append(name)
            continue
        judged.append(judge(name, model, faces))
        print(name, f"{judged[-1].accuracy:.4f}", flush=True)
        if name.endswith("(onnx)"):
            found[name] = model
            rows = measures.reliability(judged[-1].probabilities, judged[-1].labels)
            _picture(judged[-1]).write_text(reliability(name, rows), encoding="utf-8")
    text = section(judged, missing, [*_cost(found, faces), "", *end_to_end(found, faces)], faces.near_copies(trained))
    print(text)
    write_section("accuracy", text, ACCURACY)


if __name__ == "__main__":
    main()
