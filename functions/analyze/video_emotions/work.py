"""An execution of the state machine: what it is given, and where its plan and the partials are kept.

::

    results bucket, below work/<job id>/<sequencer>/<digest of the plan>/
        plan.json             the outline
        failure               the name of the last failure that was handled: see `Executions.fail`
        slices                what each segment needs of the list of packets
        segments.jsonl        a line for each segment, for the state machine's Map
        partials/00007.json   what a segment found, and 00007.timeline.jsonl with include
        faults/.../00007.json a fault of the video, which ends the job; by the version of the function that found it
"""

from typing import NamedTuple

from pydantic import NonNegativeInt

from video_common.job import partials_prefix
from video_common.schema import Frozen
from video_common.upload import Upload


class Task(Frozen):
    """What an execution is given.

    Attributes
    ----------
    upload : Upload
    work : str
        The prefix of the plan and the partials, which ends with a slash.
    bucket : str
        Where they are.
    function : str
        The ARN of the version that made the plan: it alone may analyze the segments.
    began : float
        When the plan began, in seconds since 1970.
    """

    upload: Upload
    work: str
    bucket: str
    function: str
    began: float

    @property
    def segments_key(self) -> str:
        """The key of the list of segments."""
        return f"{self.work}segments.jsonl"

    @property
    def plan_key(self) -> str:
        """The key of the outline."""
        return f"{self.work}plan.json"

    @property
    def failure_key(self) -> str:
        """The key of the name of the last failure that was handled to its end."""
        return f"{self.work}failure"

    def partial_key(self, number: int) -> str:
        """Return the key of what a segment found."""
        return f"{partials_prefix(self.work)}{number:05}.json"

    def timeline_key(self, number: int) -> str:
        """Return the key of a segment's timeline."""
        return f"{partials_prefix(self.work)}{number:05}.timeline.jsonl"


class Failed(NamedTuple):
    """The event of a failed execution: its id, and when the execution failed, in seconds since 1970."""

    id: str
    at: float


class SegmentTask(Task):
    """What the state machine gives for one segment."""

    segment: NonNegativeInt
