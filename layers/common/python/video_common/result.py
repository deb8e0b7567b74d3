"""The contract with callers: what they get."""

from video_common.schema import AnalysisOptions, Engine, Frozen
from video_common.shares import EmotionIntervals, Emotions, Interval, Person


class Box(Frozen):
    """A rectangle in square pixels of the upright video frame at its own size, not at the analyzed one."""

    x: int
    y: int
    width: int
    height: int


class Place(Frozen):
    """A point in pixels of the upright video frame at its own size."""

    x: int
    y: int


class FaceLandmarks(Frozen):
    """Five points of a face. Right and left are the person's own."""

    right_eye: Place
    left_eye: Place
    nose: Place
    right_mouth: Place
    left_mouth: Place


class TimelineFace(Frozen):
    """A face, largest first.

    Attributes
    ----------
    box : Box
    detected : bool
        False where the whole frame stood in for a face (``faceless_frames=analyze``).
    dominant_emotion : str
    probabilities : Emotions
    detection_score : float or None
        The detector's score, 0 to 1. None: the detector gives none.
    landmarks : FaceLandmarks or None
        None: the detector gives none.
    track : int or None
        The `Person` that the face belongs to. None where the whole frame stood in.
    """

    box: Box
    detected: bool
    dominant_emotion: str
    probabilities: Emotions
    detection_score: float | None = None
    landmarks: FaceLandmarks | None = None
    track: int | None = None


class TimelineFrame(Frozen):
    """An analyzed frame: its place in presentation order, its time in milliseconds, what was seen."""

    index: int
    time_ms: int
    eye_contact: bool
    faces: list[TimelineFace]


class VideoFacts(Frozen):
    """What the file is. Width and height are those of the upright frame, in square pixels; ``rotation`` was undone.

    Attributes
    ----------
    sha256 : str or None
        None: the video was analyzed in segments, and nobody read the file as a whole.
    etag : str or None
        Of an uploaded video: the entity tag of the object.
    crc64nvme : str or None
        Of an uploaded video, if the store has it: CRC-64/NVME of the whole file, base64.
    """

    duration_ms: int
    width: int
    height: int
    codec: str
    frame_rate: float
    rotation: int
    bytes: int
    sha256: str | None
    etag: str | None = None
    crc64nvme: str | None = None


class AnalysisSettings(AnalysisOptions):
    """The options as they were understood, and the deployment's settings that shape the numbers.

    ``partial`` is null if it was not given, so that a video has the same Result by POST and by upload.

    Attributes
    ----------
    detector : str
    centre_tolerance : float
    smallest_face_px : int
        Side of the smallest face that was searched, in the video's own pixels.
    """

    detector: str
    centre_tolerance: float
    smallest_face_px: int


class DetectorFacts(Frozen):
    """Which detector found the faces. ``weights_sha256`` is the digest of its cascade or network."""

    name: str
    weights_sha256: str


class ModelFacts(Frozen):
    """Which network gave the scores. ``weights_sha256`` is the digest of the published weights, on every engine."""

    name: str
    engine: Engine
    weights_sha256: str


class Source(Frozen):
    """The object that was analyzed.

    Attributes
    ----------
    bucket, key : str
    file_name : str or None
        The file's own name, if it was given.
    """

    bucket: str
    key: str
    file_name: str | None = None


class Result(Frozen):
    """The analysis of a video. The first five fields have the Flask app's names and meanings.

    Attributes
    ----------
    average_emotion_scores : Emotions
        Percent of the votes by dominant emotion: unrounded, sums to 100 within 1e-9, or all 0.0. A frame votes with its
        largest face, or with ``voting=all`` each face votes.
    overall_dominant_emotion : str or None
        The largest of them; at a tie the first in label order. None if no face voted.
    total_frames_analyzed : int
        Frames sampled and decoded.
    average_confidence_score : float
        Mean probability, 0 to 1, of each voting face's dominant emotion; 0.0 if none voted.
    eye_contact_score : float
        Percent of the analyzed frames whose largest face's center is within ``centre_tolerance`` of the frame's
        width and height from the frame's center.
    frames_with_face : int
        Frames in which a face was found.
    frames_unreadable : int
        Sampled frames that could not be decoded.
    truncated : bool
        Sampled frames are left out, because the time or a limit was reached.
    mean_emotion_probabilities : Emotions
        Mean probability, 0 to 1, over the voting faces; all 0.0 if none voted.
    timings_ms : dict of str to float
        Milliseconds by step. Steps overlap: `frames` and `faces` report how long the next step waited for them. For a
        video that was analyzed in segments, each is the sum over the segments, and ``wall`` is the time from the plan
        to the end.
    timeline : list of TimelineFrame or None
        Only if ``include`` has ``timeline``: each analyzed frame, in presentation order.
    timeline_truncated : bool or None
        Only if ``include`` has ``timeline``: its last frames are left out, since a response cannot carry them.
    detector : DetectorFacts
    faces_left_out : int
        Faces that were found and not scored, because their frames show more than ``limits.MAX_FACES_PER_FRAME``. Only
        with ``include`` or ``voting=all``; otherwise only the largest face of a frame counts.
    advice : list of str or None
        What the caller could try for a better answer; None where there is nothing to advise.
    analyzed_until_ms : int or None
        Only if ``truncated``: presentation time of the first sampled frame that is left out. The answer is that of the
        video before this time (``end_ms``); ``start_ms`` continues there.
    average_emotion_scores_interval : EmotionIntervals or None
        How sure these shares are, in percent, if what happens in the video goes on like this. It allows for neighboring
        frames that say nearly the same, and not for errors of the model. None: there are too few votes.
    eye_contact_score_interval : Interval or None
        The same for ``eye_contact_score``.
    people : list of Person or None
        Only if ``include`` has ``people``: in the order of their first frames.
    people_left_out : int or None
        Only if ``include`` has ``people``: people over ``limits.MAX_PEOPLE``. Those in the most frames are listed.
    source : Source or None
        Only in a stored result: the object that was analyzed.
    """

    average_emotion_scores: Emotions
    overall_dominant_emotion: str | None
    total_frames_analyzed: int
    average_confidence_score: float
    eye_contact_score: float
    frames_with_face: int
    frames_unreadable: int
    truncated: bool
    mean_emotion_probabilities: Emotions
    video: VideoFacts
    settings: AnalysisSettings
    model: ModelFacts
    timings_ms: dict[str, float]
    timeline: list[TimelineFrame] | None = None
    timeline_truncated: bool | None = None
    detector: DetectorFacts
    faces_left_out: int
    advice: list[str] | None = None
    analyzed_until_ms: int | None = None
    average_emotion_scores_interval: EmotionIntervals | None = None
    eye_contact_score_interval: Interval | None = None
    people: list[Person] | None = None
    people_left_out: int | None = None
    source: Source | None = None
