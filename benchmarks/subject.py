"""One thing that is measured, in a process of its own: ``python -m benchmarks.subject NAME FILE``.

``NAME@1`` is the same on one processor.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving import Run, serve
from local.engine import ROOT

MODELS = Path(os.environ.get("MODELS_DIR", ROOT / ".models"))


def seed_loop() -> Run:
    """Return the Flask app's own loop: all decoded, DeepFace.analyze and a second search on every thirtieth picture."""
    from testbed import flask_app as seed
    from video_models.manifest import load_manifest

    weights = load_manifest().emotions["mini-xception"].weights_path(MODELS)
    loaded = seed.load_deepface("mini-xception", str(weights), "tensorflow")
    seed.load_deepface = lambda *_: loaded  # once: the model's loading is measured separately

    def run(path: Path) -> None:
        seed.run(path, 30, 0.5, model="mini-xception", weights=weights)

    return run


def floor() -> Run:
    """Return decoding the file whole and nothing else: the same decoder, the same threads."""
    from video_emotions.decoder import open_video

    threads = len(os.sched_getaffinity(0))

    def run(path: Path) -> None:
        with open_video(path, threads) as video:
            for _ in video.pictures():
                pass

    return run


def ours(**options: object) -> Run:
    """Return this project's analysis of a file, from the file on."""
    from video_common.schema import Engine, Options
    from video_common.upload import S3Object
    from video_emotions.emotions import load_model
    from video_emotions.faces.finder import FaceFinder
    from video_emotions.pipeline import Pipeline
    from video_emotions.settings import Settings
    from video_emotions.video_request import VideoRequest

    class Links:
        def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:  # noqa: ARG002
            path.symlink_to(key)

    settings = Settings(models_dir=MODELS)
    model = load_model("mini-xception", Engine.ONNX, MODELS, settings.worker_threads)
    pipeline = Pipeline(settings, model, FaceFinder(MODELS), Links())  # type: ignore[arg-type]
    chosen = Options.model_validate(options)

    def run(path: Path) -> None:
        pipeline.analyze(VideoRequest(S3Object("", str(path), None), chosen))

    return run


SUBJECTS: dict[str, Callable[[], Run]] = {
    "seed": seed_loop,
    "floor": floor,
    "default": ours,
    "yunet": lambda: ours(detector="yunet"),
    "default at 0.5": lambda: ours(scale_factor=0.5),
    "yunet at 0.5": lambda: ours(detector="yunet", scale_factor=0.5),
    "keyframes": lambda: ours(sampling="keyframes"),
    "yunet keyframes": lambda: ours(detector="yunet", sampling="keyframes"),
}


def main() -> None:
    """Take the processors that the name asks for, and serve."""
    name, _, processors = sys.argv[1].partition("@")
    if processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(processors)])
    serve(SUBJECTS[name], Path(sys.argv[2]).resolve())


if __name__ == "__main__":
    main()
