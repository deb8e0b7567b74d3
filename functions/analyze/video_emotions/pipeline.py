"""The way of a video through the system: eight steps, in order. Read this first."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from video_common import limits
from video_common.aws.interfaces import ObjectStore
from video_common.errors import UndecodableVideo
from video_common.schema import FacelessFrames, Options, Result
from video_emotions.aggregate import Observation, ScoredFace, summarise
from video_emotions.boxes import Rectangle, is_centred, resized
from video_emotions.emotions import EmotionModel, letterbox
from video_emotions.faces import FaceFinder
from video_emotions.frames import Frame, plan, sample
from video_emotions.parallel import ahead, in_order
from video_emotions.probe import probe
from video_emotions.responses import build_result
from video_emotions.settings import Settings
from video_emotions.telemetry import Stopwatch, record_analysis
from video_emotions.video_request import VideoRequest
from video_emotions.workspace import video_file


@dataclass(frozen=True)
class Pipeline:
    """What stays loaded between videos. `analyze` takes a request (made by step 1) through the other steps."""

    settings: Settings
    model: EmotionModel
    store: ObjectStore | None = None
    finder: FaceFinder = field(default_factory=FaceFinder)

    def analyze(self, request: VideoRequest) -> Result:
        """Analyse one video.

        Raises
        ------
        VideoEmotionsError
            Any leaf of `video_common.errors`; nothing is left behind in ``work_dir``.
        """
        watch, options, threads = Stopwatch(), request.options, self.settings.worker_threads
        timeline = options.include == "timeline"
        with watch.step("file"), video_file(request, self.settings.work_dir, self.store) as path:
            with watch.step("probe"):
                info = probe(path, threads)
                chosen = plan(info, options)
            look = partial(self._look, options=options)
            with (
                closing(sample(path, info, options, chosen, threads)) as decoded,
                closing(ahead(decoded)) as coming,
                closing(in_order(look, watch.iterate("frames", coming), threads)) as seen,
            ):
                report = summarise(
                    watch.iterate("emotions", _score(watch.iterate("faces", seen), self.model)),
                    frames_wanted=len(chosen.indices),
                    truncated=chosen.truncated,
                    keep_timeline=timeline,
                )
        if not report.frames_analyzed:
            raise UndecodableVideo("None of the sampled frames can be decoded. Export the video again and send that.")
        timings = watch.milliseconds()
        record_analysis(report.frames_analyzed, report.frames_with_face, timings)
        return build_result(report, info, options, self.settings.centre_tolerance, self.model.facts, timings)

    def _look(self, frame: Frame, options: Options) -> "_Seen":
        height, width = frame.image.shape[:2]
        most = None if options.include == "timeline" else 1  # only the largest face votes
        faces = self.finder.find(frame.image, exact=options.scale_factor is not None, most=most)
        boxes, crops = [face.box for face in faces], [face.crop for face in faces]
        contact = bool(boxes) and is_centred(boxes[0], width, height, self.settings.centre_tolerance)
        if not faces and options.faceless_frames is FacelessFrames.ANALYZE:
            boxes, crops = [(0, 0, width, height)], [frame.image]
        boxes = [resized(box, (width, height), frame.own_size) for box in boxes]
        return _Seen(frame.index, frame.time_ms, contact, bool(faces), boxes, [letterbox(crop) for crop in crops])


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame whose faces are found and wait for their scores; the picture itself is let go."""

    index: int
    time_ms: int
    eye_contact: bool
    detected: bool
    boxes: list[Rectangle]
    inputs: list[NDArray[np.float32]]


def _score(frames: Iterable[_Seen], model: EmotionModel) -> Iterator[Observation]:
    """Score faces in batches that span frames."""
    waiting: list[_Seen] = []
    inputs: list[NDArray[np.float32]] = []
    for seen in frames:
        waiting.append(seen)
        inputs += seen.inputs
        if max(len(waiting), len(inputs)) >= limits.FACE_BATCH:
            yield from _observations(waiting, inputs, model)
            waiting, inputs = [], []
    yield from _observations(waiting, inputs, model)


def _observations(frames: list[_Seen], inputs: list[NDArray[np.float32]], model: EmotionModel) -> Iterator[Observation]:
    scores = iter(model.score(inputs))
    for seen in frames:
        faces = tuple(ScoredFace(box, seen.detected, next(scores)) for box in seen.boxes)
        yield Observation(seen.index, seen.time_ms, seen.eye_contact, faces)
