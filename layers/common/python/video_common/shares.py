"""Numbers for each emotion, how sure they are, and whose they are. `result` says where callers get them."""

from video_common.schema import Frozen


class Emotions(Frozen):
    """One number for each of the seven labels, in label order."""

    angry: float
    disgust: float
    fear: float
    happy: float
    sad: float
    surprise: float
    neutral: float


class Interval(Frozen):
    """A 95 % confidence interval, in the unit of the number that it belongs to."""

    low: float
    high: float


class EmotionIntervals(Frozen):
    """An interval for each of the seven labels, in label order."""

    angry: Interval
    disgust: Interval
    fear: Interval
    happy: Interval
    sad: Interval
    surprise: Interval
    neutral: Interval


class Person(Frozen):
    """A track: faces of neighboring sampled frames, linked by place and motion. No face is compared with another one.

    So somebody who leaves and returns, or is seen after a cut, is a new person.

    Attributes
    ----------
    track : int
        From 1, within this Result only.
    first_ms, last_ms : int
        Times of the first and the last frame that shows the face.
    frames : int
        Analyzed frames that show the face.
    average_emotion_scores : Emotions
        Percent of these frames by dominant emotion.
    eye_contact_score : float
        Percent of these frames in which the face's center is near the frame's center.
    """

    track: int
    first_ms: int
    last_ms: int
    frames: int
    average_emotion_scores: Emotions
    eye_contact_score: float
