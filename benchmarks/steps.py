"""Where the time of a frame goes, on one processor: ours at both scales, and the Flask app's loop."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
from video_emotions.search import coarse_to_fine, everywhere, load_cascade

from benchmarks.subject import MODELS
from video_common.schema import Engine, Options
from video_emotions.emotions import letterbox, load_model
from video_emotions.faces import FaceFinder
from video_emotions.frames import plan, sample
from video_emotions.probe import probe
from video_models.manifest import load_manifest

MODEL = "mini-xception"
Steps = dict[str, float]
"""Milliseconds a frame."""


def ours(path: Path, scale_factor: float | None) -> Steps:
    """Return what each step of our analysis takes, one after the other and not while another runs."""
    options = Options(scale_factor=scale_factor)
    finder, model = FaceFinder(), load_model(MODEL, Engine.ONNX, MODELS, threads=1)
    cascade, exact = load_cascade("haarcascade_frontalface_default.xml"), scale_factor is not None
    search = everywhere if exact else coarse_to_fine
    begun = time.perf_counter()
    info = probe(path, 1)
    frames = list(sample(path, info, options, plan(info, options), 1))
    steps = {"list packets, decode, shrink": 1000 * (time.perf_counter() - begun) / len(frames)}
    images = [frame.image for frame in frames]
    greys = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in images]
    steps["search for faces"], _ = _timed(lambda grey: search(cascade, grey), greys)
    whole, found = _timed(lambda image: finder.find(image, exact=exact, most=1), images)
    steps["eyes, turning, cutting out"] = whole - steps["search for faces"]
    crops = [faces[0].crop for faces in found if faces]
    each, _ = _timed(lambda crop: model.score([letterbox(crop)]), crops)
    steps["emotions"] = each * len(crops) / len(frames)
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


def steps_section(path: Path, warm_up: Path, bar_ms: float) -> str:
    """Return the page's section for clip A.

    Parameters
    ----------
    path, warm_up : Path
        Clip A, and another one that warms up what is measured as it runs.
    bar_ms : float
        What a frame at 0.5 may take on all processors, in milliseconds.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        ways = {
            "default": ours(path, None),
            "`scale_factor=0.5`": ours(path, 0.5),
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
    at_half, processors = ways["`scale_factor=0.5`"], len(allowed)
    search = at_half["search for faces"] / processors
    rest = sum(at_half.values()) / processors - search
    lines += [
        "",
        f"At 0.5 the bar is {bar_ms:.0f} ms a frame on {processors} processors. Shared out among them without loss,",
        f"the search for faces takes {search:.0f} and the other steps {rest:.0f}.",
    ]
    return "\n".join(lines)
