"""What the default's search changes on real clips: every picture, its largest face, beside the same explicit scale.

::

    make bench-search
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.page import write_section
from benchmarks.search import overlap
from benchmarks.subject import MODELS
from testbed import footage
from video_common.schema import Box, Engine, Options, Result, TimelineFace, TimelineFrame
from video_emotions.emotions import load_model
from video_emotions.frames import default_scale
from video_emotions.pipeline import Pipeline
from video_emotions.settings import Settings
from video_emotions.video_request import VideoRequest

CLOSE = 0.02
"""How far a confidence may be from the other's."""

SAME_PLACE = 0.9
"""Least intersection over union."""


@dataclass(frozen=True)
class Agreement:
    """Of two analyses of a clip.

    Attributes
    ----------
    pictures, faces : int
        All pictures, and those with a face in both.
    lost, found : int
        Pictures with a face in the exact analysis only, and in the fast one only.
    other_emotion, moved, less_sure : int
        Pictures whose largest faces have another dominant emotion, overlap by less than `SAME_PLACE`, or whose
        confidence in the same emotion is not `CLOSE`.
    least_overlap, mean_difference : float
        The smallest intersection over union, and by how much the clip's confidence differs.
    """

    pictures: int
    faces: int
    lost: int
    found: int
    other_emotion: int
    moved: int
    less_sure: int
    least_overlap: float
    mean_difference: float


def analyses(pipeline: Pipeline, clip: Path) -> tuple[Result, Result]:
    """Analyse every picture, by default and at the same explicit scale."""

    def analyzed(scale: float | None) -> Result:
        options = Options(frame_interval=1, scale_factor=scale, include="timeline")
        return pipeline.analyze(VideoRequest(clip.read_bytes(), options))

    fast = analyzed(None)
    return fast, analyzed(default_scale((fast.video.width, fast.video.height)))


def compare(fast: Result, exact: Result) -> Agreement:
    """Count what differs."""
    pairs = [(_largest(one), _largest(other)) for one, other in zip(fast.timeline, exact.timeline, strict=True)]
    both = [(one, other) for one, other in pairs if one and other]
    overlaps = [overlap(_corners(one.box), _corners(other.box)) for one, other in both]
    same = [(one, other) for one, other in both if one.dominant_emotion == other.dominant_emotion]
    return Agreement(
        pictures=len(pairs),
        faces=len(both),
        lost=sum(one is None and other is not None for one, other in pairs),
        found=sum(one is not None and other is None for one, other in pairs),
        other_emotion=len(both) - len(same),
        moved=sum(value < SAME_PLACE for value in overlaps),
        less_sure=sum(abs(_confidence(one) - _confidence(other)) > CLOSE for one, other in same),
        least_overlap=min(overlaps, default=1.0),
        mean_difference=abs(fast.average_confidence_score - exact.average_confidence_score),
    )


def _largest(frame: TimelineFrame) -> TimelineFace | None:
    """Return the face that votes."""
    return max(frame.faces, key=lambda face: face.box.width * face.box.height, default=None)


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.x, box.y, box.width, box.height


def _confidence(face: TimelineFace) -> float:
    return float(getattr(face.probabilities, face.dominant_emotion))


def main() -> None:
    """Compare, print, and write the page."""
    settings = Settings(models_dir=MODELS)
    pipeline = Pipeline(settings, load_model("mini-xception", Engine.ONNX, MODELS, settings.worker_threads))
    head = (
        "| clip | pictures | with a face | face lost | face found | other dominant emotion "
        f"| overlap below {SAME_PLACE} | least overlap | confidence off by more than {CLOSE} | clip's off by |"
    )
    lines = [
        "`make bench-search`: every picture of each clip, the largest face by default and at the same explicit scale.",
        "",
        head,
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for clip in footage.CLIPS:
        one = compare(*analyses(pipeline, clip))
        lines.append(
            f"| {clip.name} | {one.pictures} | {one.faces} | {one.lost} | {one.found} | {one.other_emotion} "
            f"| {one.moved} | {one.least_overlap:.3f} | {one.less_sure} | {one.mean_difference:.4f} |"
        )
        print(lines[-1], flush=True)
    write_section("agreement", "\n".join(lines))


if __name__ == "__main__":
    main()
