"""Which videos are too long for one function, and for one segment. Pure."""

from dataclasses import dataclass, field
from typing import Self

from video_common import limits
from video_common.errors import TooLong
from video_common.schema import Options, Partial
from video_emotions.outline import Outline
from video_emotions.reader import Segmenting


@dataclass(frozen=True)
class Limits:
    """What is long, and how it is cut. All times are of a processor.

    Attributes
    ----------
    over_seconds : float
        Videos whose analysis should take more are long.
    max_segments : int
        Segments of a video that are analyzed at the same time, at most.
    most_seconds : float
        What one function has.
    segmenting : Segmenting
    """

    over_seconds: float
    max_segments: int
    most_seconds: float = limits.SEGMENT_MOST_SECONDS
    segmenting: Segmenting = field(default_factory=Segmenting)

    @classmethod
    def of(cls, power: float, over_seconds: float, max_segments: int) -> Self:
        """Return those of a function with ``power`` times the processors of one with ``limits.MEMORY_MB``."""
        each = Segmenting(limits.SEGMENT_SECONDS * power)
        return cls(over_seconds, max_segments, limits.SEGMENT_MOST_SECONDS * power, each)

    def is_long(self, outline: Outline, options: Options) -> bool:
        """Report whether a video needs segments. One that cannot be cut does not, if a part of it is enough."""
        facts = [segment.facts for segment in outline.segments]
        if outline.video.frame_count > limits.MAX_FRAMES:
            return True
        most = facts[0].most_seconds if len(facts) == 1 else max(each.seconds for each in facts)
        if options.partial is Partial.ALLOW and most > self.most_seconds:
            return False
        ends_surely = sum(each.most_seconds for each in facts) <= self.most_seconds
        return not ends_surely or sum(each.seconds for each in facts) > self.over_seconds

    def refuse_endless(self, outline: Outline) -> None:
        """Refuse a video one of whose segments cannot end in the time of a function. Most have one segment only.

        Raises
        ------
        TooLong
        """
        longest = max(segment.facts.seconds for segment in outline.segments)
        if longest > self.most_seconds:
            raise TooLong(
                f"A part of the video that cannot be cut takes about {longest:.0f} s of processor time, and "
                f"{self.most_seconds:.0f} s are possible. Videos are cut at keyframes, and an AVI not at all. "
                "Use a larger frame_interval or sampling=keyframes, or convert the video to MP4 with a keyframe every "
                f"10 s. Up to {limits.MAX_UPLOAD_VIDEO_BYTES:,} bytes, partial=allow gives the result so far."
            )
