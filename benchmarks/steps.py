"""Where the time of a frame goes, on one processor: ours by detector and scale, and the Flask app's loop."""

import os
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.subject import MODELS
from video_common.schema import Engine, Options
from video_emotions.emotions import letterbox, load_model
from video_emotions.faces.finder import FaceFinder, find_faces
from video_emotions.frames import read
from video_models.manifest import load_manifest

MODEL = "mini-xception"
Steps = dict[str, float]
"""Milliseconds a frame."""


def ours(path: Path, **chosen: Any) -> Steps:
    """Return what each step of our analysis takes, one after the other and not while another runs."""
    options = Options(**chosen)
    detector = FaceFinder(MODELS).detector(options.detector)
    model = load_model(MODEL, Engine.ONNX, MODELS, threads=1)
    begun = time.perf_counter()
    images = [frame.image for frame in read(path, options, 1)[2]]
    steps = {"list packets, decode, shrink": 1000 * (time.perf_counter() - begun) / len(images)}
    steps["find the largest face and its eyes"], _ = _timed(
        lambda image: list(islice(detector.detect(image), 1)), images
    )
    whole, found = _timed(lambda image: list(islice(find_faces(image, detector.detect(image)), 1)), images)
    steps["turn, cut"] = max(0.0, whole - steps["find the largest face and its eyes"])
    crops = [faces[0].crop for faces in found if faces]
    each, _ = _timed(lambda crop: model.score([letterbox(crop)]), crops)
    steps["emotions"] = each * len(crops) / len(images)
    return steps


def _timed(step: Callable[[Any], Any], items: Iterable[Any]) -> tuple[float, list[Any]]:
    begun = time.perf_counter()
    results = [step(item) for item in items]
    return 1000 * (time.perf_counter() - begun) / len(results), results


def seed(path: Path, warm_up: Path) -> Steps:
    """Return what each step of the Flask app's loop takes by its own count, after it ran on another video."""
    from testbed import flask_app

    os.environ["DEEPFACE_HOME"] = str(MODELS)
    weights = load_manifest().emotions[MODEL].weights_path(MODELS)
    flask_app.run(warm_up, 30, 0.5, model=MODEL, weights=weights)
    outcome = flask_app.run(path, 30, 0.5, model=MODEL, weights=weights)
    names = {"decode": "decode", "analyze": "shrink, `DeepFace.analyze`", "eye_contact": "second search for faces"}
    return {name: 1000 * outcome["seconds"][key] / outcome["total_frames_analyzed"] for key, name in names.items()}


def steps_section(path: Path, warm_up: Path) -> str:
    """Return the page's section for clip A.

    Parameters
    ----------
    path, warm_up : Path
        Clip A, and another one that warms up what is measured as it runs.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        ways = {
            "default": ours(path),
            "yunet": ours(path, detector="yunet"),
            "default at 0.5": ours(path, scale_factor=0.5),
            "yunet at 0.5": ours(path, detector="yunet", scale_factor=0.5),
            "Flask app at 0.5": seed(path, warm_up),
        }
    finally:
        os.sched_setaffinity(0, allowed)
    lines = [
        "Clip A, milliseconds a sampled frame on one processor: ours step after step, the Flask app's as it counts.",
        "",
        f"| step | {' | '.join(ways)} |",
        f"|---|{'---|' * len(ways)}",
    ]
    for step in dict.fromkeys(step for steps in ways.values() for step in steps):
        cells = (f"{steps[step]:.1f}" if step in steps else "" for steps in ways.values())
        lines.append(f"| {step} | {' | '.join(cells)} |")
    lines.append(f"| all | {' | '.join(f'{sum(steps.values()):.1f}' for steps in ways.values())} |")
    return "\n".join(lines)
