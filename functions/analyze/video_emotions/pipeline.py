"""The way of a video through the system: nine steps, in order. Read this first."""

from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from video_common import limits
from video_common.aws.interfaces import ObjectStore
from video_common.errors import TooLong, UndecodableVideo
from video_common.result import AnalysisSettings, Result
from video_common.schema import AnalysisOptions, Options, Partial, Voting
from video_emotions.advice import advise, in_time
from video_emotions.aggregate import Report, summarise
from video_emotions.deadline import NEVER, Deadline
from video_emotions.emotions import EmotionModel
from video_emotions.faces.finder import FaceFinder
from video_emotions.facts import Frame, PlanFacts, VideoInfo
from video_emotions.follower import Follower, compared
from video_emotions.observe import look, score
from video_emotions.pace import Pace
from video_emotions.parallel import Closable, ordered_map, prefetched
from video_emotions.plan import smallest_face_px
from video_emotions.reader import Reader
from video_emotions.remedies import EXPORT
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
    reader: Reader = field(default_factory=Reader)

    @property
    def identity(self) -> dict[str, Any]:
        """What shapes the numbers, besides the request: the same video and options give the same Result under it."""
        return {
            "model": self.model.facts.model_dump(mode="json"),
            "detectors": self.finder.identity,
            "centre_tolerance": self.settings.centre_tolerance,
        }

    def analyze(self, request: VideoRequest, deadline: Deadline = NEVER) -> Result:
        """Analyze one video.

        Parameters
        ----------
        request : VideoRequest
        deadline : Deadline
            After it no frame is analyzed, and the Result is that of the frames before.

        Raises
        ------
        VideoEmotionsError
            Any leaf of `video_common.errors`; nothing is left behind in ``work_dir``.
        """
        watch, options = Stopwatch(), request.understood
        self.finder.detector(options.detector)  # one that is missing is refused before the file is fetched
        refuses = options.partial is Partial.REFUSE
        with watch.step("file"), video_file(request, self.settings.work_dir, self.store) as path:
            with watch.step("probe"):
                try:
                    info, plan, frames = self.reader.read(path, options, self.settings.worker_threads, deadline.left)
                except TooLong as error:
                    raise _too_long("The time ended before the first frame was decoded.", request) from error
            with closing(frames):
                if plan.truncated and refuses:
                    raise _too_long(f"The options sample more than {limits.MAX_SAMPLED_FRAMES:,} frames.", request)
                report = self.report(frames, plan, options, watch, deadline, Follower())
        is_cut = report.analyzed_until_ms != plan.until_ms  # by the time, not by the limit on frames
        if is_cut and (refuses or not report.frames_analyzed):
            raise _too_long(
                f"{report.frames_analyzed} of {plan.frames_wanted} sampled frames were analyzed in "
                f"{watch.milliseconds()['total'] / 1000:.0f} s, and the time is too short for the rest.",
                request,
            )
        return self.result(report, info, plan, request.options, watch.milliseconds())

    def result(
        self, report: Report, info: VideoInfo, plan: PlanFacts, options: Options, timings_ms: dict[str, float]
    ) -> Result:
        """Turn the Report of a whole video into the Result, with advice, and count it.

        Parameters
        ----------
        report : Report
        info : VideoInfo
        plan : PlanFacts
        options : Options
            As they were given.
        timings_ms : dict of str to float
            See `Stopwatch.milliseconds`.

        Raises
        ------
        UndecodableVideo
            No frame was analyzed.
        """
        if not report.frames_analyzed:
            raise UndecodableVideo(f"No sampled frame can be decoded. {EXPORT}")
        detector = self.finder.detector(options.detector)
        settings = AnalysisSettings(
            **options.model_dump(include=set(AnalysisOptions.model_fields)),
            detector=detector.facts.name,
            centre_tolerance=self.settings.centre_tolerance,
            smallest_face_px=smallest_face_px(info.size, plan.scales, detector.smallest_face),
        )
        advice = advise(report, plan, info.size, settings, self.finder.usable)
        result = build_result(report, info, settings, detector.facts, self.model.facts, timings_ms)
        record_analysis(result)
        return result.model_copy(update={"advice": advice or None})

    def report(
        self,
        frames: Closable[Frame],
        plan: PlanFacts,
        options: Options,
        watch: Stopwatch,
        deadline: Deadline = NEVER,
        follower: Follower | None = None,
    ) -> Report:
        """Find and score the faces of frames, and add them up.

        Parameters
        ----------
        frames : iterator of Frame
            In presentation order. It is closed at the end.
        plan : PlanFacts
            What was to come; frames that do not come count as unreadable.
        options : Options
        watch : Stopwatch
            Gets the time of each step.
        deadline : Deadline
            When it is near, no new frame is looked at. Those in progress count.
        follower : Follower, optional
            Links faces. None: the frames are a segment, whose timeline keeps what a `Follower` needs later.
        """
        detector = self.finder.detector(options.detector)
        find = partial(look, detector=detector, options=options, centre_tolerance=self.settings.centre_tolerance)
        pace = Pace(plan.frames_wanted, options, deadline)
        with (
            closing(prefetched(frames)) as coming,
            closing(
                ordered_map(
                    pace.timed(find), watch.iterate("frames", pace.admitted(coming)), self.settings.worker_threads
                )
            ) as seen,
        ):
            scored = score(watch.iterate("faces", seen), self.model)
            report = summarise(
                watch.iterate("emotions", follower.follow(scored) if follower else compared(scored)),
                frames_wanted=plan.frames_wanted,
                until_ms=plan.until_ms,
                keep_timeline=options.wants_timeline if follower else options.wants_tracks,
                all_vote=options.voting is Voting.ALL,
            )
        return report if pace.until_ms is None else report.cut(pace.frames, pace.until_ms)


def _too_long(what: str, request: VideoRequest) -> TooLong:
    return TooLong(f"{what} {in_time(request.understood, uploaded=request.is_upload)}")
