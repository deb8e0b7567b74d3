"""The way of a video through the system: nine steps, in order. Read this first."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.aws.interfaces import ObjectStore
from video_common.errors import UndecodableVideo
from video_common.schema import AnalysisSettings, FacelessFrames, Options, Result
from video_emotions.aggregate import Observation, Report, ScoredFace, summarise
from video_emotions.boxes import Box
from video_emotions.emotions import EmotionModel, Scores, letterbox
from video_emotions.faces.detector import Detector
from video_emotions.faces.finder import Face, FaceFinder, find_faces
from video_emotions.frames import Frame, read
from video_emotions.parallel import ordered_map, prefetched
from video_emotions.plan import Plan
from video_emotions.responses import build_result
from video_emotions.settings import Settings
from video_emotions.telemetry import Stopwatch, record_analysis
from video_emotions.video_request import VideoRequest
from video_emotions.workspace import video_file


@dataclass(frozen=True)
class Pipeline:
    """What stays loaded between videos. `analyze` carries a request (made by step 1) through the other steps."""

    settings: Settings
    model: EmotionModel
    finder: FaceFinder
    store: ObjectStore | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What shapes the numbers, besides the request: the same video and options give the same Result under it."""
        return {
            "model": self.model.facts.model_dump(mode="json"),
            "detectors": self.finder.identity,
            "centre_tolerance": self.settings.centre_tolerance,
        }

    def analyze(self, request: VideoRequest) -> Result:
        """Analyze one video.

        Raises
        ------
        VideoEmotionsError
            Any leaf of `video_common.errors`; nothing is left behind in ``work_dir``.
        """
        watch, options = Stopwatch(), request.options
        detector = self.finder.detector(options.detector)
        with watch.step("file"), video_file(request, self.settings.work_dir, self.store) as path:
            with watch.step("probe"):
                info, plan, frames = read(path, options, self.settings.worker_threads)
            with closing(frames):
                report = self.report(frames, plan, options, watch)
        if not report.frames_analyzed:
            raise UndecodableVideo("No sampled frame can be decoded. Export the video again, then send the new file.")
        timings = watch.milliseconds()
        record_analysis(report.frames_analyzed, report.frames_with_face, timings)
        longer = max(info.size)
        settings = AnalysisSettings(
            **options.model_dump(exclude={"detector"}),
            detector=detector.facts.name,
            centre_tolerance=self.settings.centre_tolerance,
            smallest_face_px=ceil(detector.smallest_face * longer / max(longer * plan.scale, limits.MIN_SCALED_SIDE)),
        )
        return build_result(report, info, settings, detector.facts, self.model.facts, timings)

    def report(self, frames: Iterator[Frame], plan: Plan, options: Options, watch: Stopwatch) -> Report:
        """Find and score the faces of frames, and add them up.

        Parameters
        ----------
        frames : iterator of Frame
            In presentation order.
        plan : Plan
            What was to come; frames that do not come count as unreadable.
        options : Options
        watch : Stopwatch
            Gets the time of each step.
        """
        detector = self.finder.detector(options.detector)
        look = partial(self._look, options=options, detector=detector)
        with (
            closing(prefetched(frames)) as coming,
            closing(ordered_map(look, watch.iterate("frames", coming), self.settings.worker_threads)) as seen,
        ):
            return summarise(
                watch.iterate("emotions", _score(watch.iterate("faces", seen), self.model)),
                frames_wanted=len(plan.indices),
                truncated=plan.truncated,
                keep_timeline=options.include == "timeline",
            )

    def _look(self, frame: Frame, options: Options, detector: Detector) -> "_SeenFrame":
        most = None if options.include == "timeline" else 1  # only the largest face votes
        found = list(islice(find_faces(frame.image, detector), most))
        contact = bool(found) and found[0].box.is_centred(frame.size, self.settings.centre_tolerance)
        seen = [_SeenFace.of(face, frame) for face in found]
        if not found and options.faceless_frames is FacelessFrames.ANALYZE:
            seen = [_SeenFace.of(Face(Box(0, 0, *frame.size), frame.image), frame, detected=False)]
        return _SeenFrame(frame.index, frame.time_ms, contact, seen)


@dataclass(frozen=True, slots=True, eq=False)
class _SeenFace:
    """A face that waits for its scores, in pixels of the video; the picture itself is released.

    Attributes
    ----------
    box : Box
    detected : bool
        False where the whole frame stands in.
    network_input : NDArray of float32
        See `letterbox`.
    detection_score : float or None
    landmarks : tuple of tuple of int, or None
    """

    box: Box
    detected: bool
    network_input: NDArray[np.float32]
    detection_score: float | None
    landmarks: tuple[tuple[int, int], ...] | None

    @classmethod
    def of(cls, face: Face, frame: Frame, *, detected: bool = True) -> "_SeenFace":
        across, down = (own / analyzed for own, analyzed in zip(frame.own_size, frame.size, strict=True))
        points = face.landmarks and tuple((round(x * across), round(y * down)) for x, y in face.landmarks)
        return cls(face.box.scaled(frame.size, frame.own_size), detected, letterbox(face.crop), face.score, points)

    def scored(self, scores: Scores) -> ScoredFace:
        return ScoredFace(self.box, self.detected, scores, self.detection_score, self.landmarks)


@dataclass(frozen=True, slots=True, eq=False)
class _SeenFrame:
    """A frame whose faces wait for their scores."""

    index: int
    time_ms: int
    eye_contact: bool
    faces: list[_SeenFace]


def _score(frames: Iterable[_SeenFrame], model: EmotionModel) -> Iterator[Observation]:
    """Score faces in batches that span frames."""
    waiting: list[_SeenFrame] = []
    faces = 0
    for seen in frames:
        waiting.append(seen)
        faces += len(seen.faces)
        if max(len(waiting), faces) >= limits.FACE_BATCH:
            yield from _observations(waiting, model)
            waiting, faces = [], 0
    yield from _observations(waiting, model)


def _observations(frames: list[_SeenFrame], model: EmotionModel) -> Iterator[Observation]:
    scores = iter(model.score([face.network_input for seen in frames for face in seen.faces]))
    for seen in frames:
        faces = tuple(face.scored(next(scores)) for face in seen.faces)
        yield Observation(seen.index, seen.time_ms, seen.eye_contact, faces)
