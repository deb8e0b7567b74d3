"""Long videos in the cloud: when an execution starts, its segments, and its merge. `work` says what is kept where."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common import limits
from video_common.aws.interfaces import ObjectStore
from video_common.aws.large_files import StateMachine
from video_common.errors import ObjectMissing, SegmentsDisagree, TooLong, VideoError
from video_common.job import partials_prefix, work_prefix
from video_common.result import Result, TimelineFrame
from video_common.upload import Upload
from video_emotions.deadline import Deadline
from video_emotions.lengths import Limits
from video_emotions.merging import StoredTimeline
from video_emotions.outline import Found, Outline, Partial, observations
from video_emotions.read_ahead import ReadAhead
from video_emotions.segmented import Segmented
from video_emotions.video_request import VideoRequest
from video_emotions.work import SegmentTask, Task
from video_emotions.workspace import new_directory, room

_JSON: Final = "application/json"
_LINES: Final = "application/jsonl"


@dataclass(frozen=True)
class Failure:
    """Which segment of how many failed, and the problem document if it is the video's fault."""

    number: int
    count: int
    problem: dict[str, Any] | None


@dataclass(frozen=True)
class LongVideos:
    """Plans and analyzes in segments what would take one function too long. ``bucket`` is that of the results."""

    tasks: Segmented
    store: ObjectStore
    machine: StateMachine
    bucket: str
    limits: Limits
    now: Callable[[], float] = time.time

    def start(
        self, job_id: str, upload: Upload, request: VideoRequest, function: str, deadline: Deadline
    ) -> "Started | None":
        """Plan an upload, and start an execution if it is long. To do it again makes no difference.

        Returns
        -------
        Started or None
            None: one function has the time for the video, or for the part of it that ``partial=allow`` asks for.

        Raises
        ------
        VideoError, InvalidOption, ServiceError
        """
        began, source = self.now(), upload.source
        with ReadAhead(self.store.ranges(source.bucket, source.key, source.version_id, upload.etag or None)) as file:
            outline, slices = self.tasks.plan(file, request.understood, self.limits.segmenting, deadline)
        outline = outline.model_copy(update={"options": request.options})  # the Result repeats them as they were given
        if upload.size <= limits.MAX_UPLOAD_VIDEO_BYTES and not self.limits.is_long(outline, request.understood):
            return None
        self.limits.refuse_endless(outline)
        work = f"{work_prefix(job_id, upload.sequencer)}{outline.digest[:16]}/"
        task = Task(upload=upload, work=work, bucket=self.bucket, function=function, began=began)
        lines = "".join(f"{json.dumps({'segment': number})}\n" for number in range(len(outline.segments)))
        is_kept = bool(self.store.keys(self.bucket, task.plan_key))
        if not is_kept:
            self.store.put(self.bucket, f"{work}slices", slices, "application/octet-stream")
            self.store.put(self.bucket, task.segments_key, lines, _LINES)
            # Last, so that a plan that is there is whole. It is the first that expires, so the partials are there too.
            self.store.put(self.bucket, task.plan_key, outline.model_dump_json(), _JSON)
        own = {"segments_key": task.segments_key, "max_segments": self.limits.max_segments}
        given = {**task.model_dump(mode="json"), **own}
        self.machine.start(_name(job_id, task), given, goes_on=is_kept)
        return Started(work, len(outline.segments))

    def analyze(self, task: SegmentTask, request_id: str, deadline: Deadline) -> dict[str, Any]:
        """Analyze one segment, and keep what it found: its partial, or a fault of the video.

        Returns
        -------
        dict
            ``segment``, how many ``frames`` were analyzed, and the ``code`` of a fault.

        Raises
        ------
        ServiceError
        """
        outline, number, source = self._outline(task), task.segment, task.upload.source
        segment = outline.segments[number]
        try:
            part = self.store.ranges(self.bucket, f"{task.work}slices").read(segment.begin, segment.end)
        except ObjectMissing as error:
            raise SegmentsDisagree("The segments' packets are missing. They may have expired.") from error
        try:
            video = self.store.ranges(source.bucket, source.key, source.version_id, task.upload.etag or None)
            with ReadAhead(video) as file:
                partial = self.tasks.analyze(file, outline, number, part, deadline)
        except VideoError as error:
            text = json.dumps(error.problem(request_id))
            self.store.put(self.bucket, f"{_faults(task)}{number:05}.json", text, _JSON)
            return {"segment": number, "frames": 0, "code": error.code}
        sums, timeline = partial.to_texts()
        if outline.options.wants_tracks:
            self.store.put(self.bucket, task.timeline_key(number), timeline, _LINES)
        # Last, so that a partial without its timeline is never found.
        self.store.put(self.bucket, task.partial_key(number), sums, _JSON)
        return {"segment": number, "frames": partial.report.frames_analyzed}

    @contextmanager
    def merged(self, task: Task, deadline: Deadline) -> Iterator[tuple[Result, str, Iterable[TimelineFrame]]]:
        """Add up what the segments found.

        Yields
        ------
        Result
        str
            The format that was asked for.
        iterable of TimelineFrame
            They are in a file that is removed afterwards.

        Raises
        ------
        OtherVersion, SegmentsDisagree, UndecodableVideo, StorageUnavailable
        TooLong
            The frames have so many faces that the Result cannot be written in time.
        """
        outline = self._outline(task)
        with (
            new_directory(self.tasks.pipeline.settings.work_dir) as directory,
            closing(StoredTimeline(directory / "timeline")) as timeline,
        ):
            parts = self._parts(task, outline, directory / "part", deadline)
            result = self.tasks.merge(outline, parts, lambda: 1000 * (self.now() - task.began), timeline.keep)
            yield result, outline.options.format, timeline

    def fault(self, task: Task) -> Failure | None:
        """Return the first segment that has found a fault of the video, if one has.

        Two tries of a segment can run at the same time. The one that found no fault counts.
        """
        for key in self.store.keys(self.bucket, _faults(task)):
            number = int(key[-10:-5])
            if self.store.keys(self.bucket, task.partial_key(number)):
                continue
            with suppress(ObjectMissing):  # the job was deleted a moment ago
                problem = json.loads(self.store.read(self.bucket, key))
                return Failure(number, len(self._outline(task).segments), problem)
        return None

    def failure(self, task: Task) -> Failure:
        """Return which segment failed, or was not analyzed, first. It is past the last one if none did.

        Without a plan there is no segment.
        """
        try:
            count = len(self._outline(task).segments)
        except SegmentsDisagree:
            return Failure(0, 0, None)
        if (fault := self.fault(task)) is not None:
            return fault
        done = {key for key in self.store.keys(self.bucket, partials_prefix(task.work)) if key.endswith(".json")}
        missing = (number for number in range(count) if task.partial_key(number) not in done)
        return Failure(next(missing, count), count, None)

    def tidy(self, task: Task) -> None:
        """Delete the plan and the partials."""
        self.store.delete_all(self.bucket, task.work)

    def _outline(self, task: Task) -> Outline:
        try:
            return Outline.model_validate_json(self.store.read(self.bucket, task.plan_key))
        except ObjectMissing as error:
            raise SegmentsDisagree("The plan of the analysis is missing. It may have expired.") from error

    def _parts(self, task: Task, outline: Outline, path: Path, deadline: Deadline) -> Iterator[Found]:
        """Yield what each segment found. One timeline at a time is in the file."""
        began = deadline.clock()
        for number in range(len(outline.segments)):
            try:
                partial = Partial.model_validate_json(self.store.read(self.bucket, task.partial_key(number)))
                if not outline.options.wants_tracks:
                    yield partial.found
                    continue
                with room():
                    self.store.download(self.bucket, task.timeline_key(number), None, path)
            except ObjectMissing as error:
                raise SegmentsDisagree(f"Segment {number} of the analysis is missing.") from error
            with path.open(encoding="utf-8") as lines:
                yield partial, observations(_in_time(lines, deadline, began))


@dataclass(frozen=True)
class Started:
    """An execution that was started: the prefix of its work, and the number of its segments."""

    work: str
    segments: int


def _faults(task: Task) -> str:
    """Return the prefix of the faults that this version of the function has found. Another one may find none."""
    return f"{task.work}faults/{sha256(task.function.encode()).hexdigest()[:16]}/"


def _name(job_id: str, task: Task) -> str:
    """Return the name of an execution. One that has another plan, or calls another version, does not go on with it."""
    return f"{job_id}-{sha256(f'{task.work} {task.function}'.encode()).hexdigest()[:16]}"


def _in_time(lines: Iterable[str], deadline: Deadline, began: float) -> Iterator[str]:
    """Yield lines while there is time to write the Result. That takes half as long as to read them."""
    for line in lines:
        if deadline.left < (deadline.clock() - began) / 2:
            raise TooLong(
                "The frames have too many faces for the time in which the segments are joined. "
                "Use a larger frame_interval, or leave out include."
            )
        yield line


def version_of(context: LambdaContext) -> str:
    """Return the ARN of the version of the function that is running, by any name of it."""
    account = context.invoked_function_arn.split(":function:")[0]
    return f"{account}:function:{context.function_name}:{context.function_version}"
