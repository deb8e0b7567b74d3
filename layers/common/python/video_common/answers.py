"""The contract with callers: the answers that are not a `Result`.

The functions write them as JSON. The API's description is made of these models (``local/openapi``).
"""

from typing import Literal

from video_common.job import JobStatus
from video_common.result import ModelFacts, Result, Source
from video_common.schema import Frozen


class Problem(Frozen):
    """An error (RFC 9457). Match on ``code`` and ``status``; the texts can change.

    Attributes
    ----------
    type : str
        ``urn:video-emotions:problem:`` and the code.
    title : str
        What the code means.
    status : int
        The HTTP status.
    detail : str
        What was wrong, and what to do.
    code : str
        A stable name. Later versions can add codes.
    request_id : str
        Quote it when you report the error.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str


class Health(Frozen):
    """The service runs.

    Attributes
    ----------
    status : str
    version : str
        Of the service.
    model : ModelFacts
        The emotion model of this deployment.
    """

    status: Literal["ok"]
    version: str
    model: ModelFacts


class UploadForm(Frozen):
    """A form that uploads one file: POST it as ``multipart/form-data``.

    Attributes
    ----------
    url : str
        Where to send the form.
    fields : dict of str to str
        Its fields. Send all of them, then the file in a last field ``file``.
    """

    url: str
    fields: dict[str, str]


class Multipart(Frozen):
    """An upload in parts.

    Attributes
    ----------
    parts : int
        Their number.
    part_bytes : int
        The length of each part but the last one.
    expires_in : int
        Seconds in which all parts must arrive.
    """

    parts: int
    part_bytes: int
    expires_in: int


class UploadAnswer(Frozen):
    """A job that waits for its video.

    Attributes
    ----------
    job_id : str
        32 hexadecimal digits.
    upload : UploadForm
    expires_in : int
        Seconds in which the upload by the form must begin.
    max_bytes : int
        The size of the largest file that the form accepts.
    multipart : Multipart
        Only if the request has a ``size`` of more than 100,000,000: upload the parts instead of the form.
    """

    job_id: str
    upload: UploadForm
    expires_in: int
    max_bytes: int
    multipart: Multipart | None = None


class PartAddress(Frozen):
    """Where one part of a file goes: PUT it there.

    Attributes
    ----------
    number : int
        From 1.
    url : str
    bytes : int
        The length that the part must have.
    """

    number: int
    url: str
    bytes: int


class PartsAnswer(Frozen):
    """Addresses for parts of a file.

    Attributes
    ----------
    parts : list of PartAddress
    size : int
        Bytes of the file that the upload began with.
    uploaded : list of int
        The numbers of the parts that have arrived.
    expires_in : int
        Seconds for which the addresses work. Then ask for them again.
    """

    parts: list[PartAddress]
    size: int
    uploaded: list[int]
    expires_in: int


class CompleteAnswer(Frozen):
    """The parts are one file now, and its analysis begins.

    Attributes
    ----------
    job_id : str
    """

    job_id: str


class JobProgress(Frozen):
    """How much of a long video is analyzed.

    Attributes
    ----------
    segments_done, segments : int
        The segments that are analyzed, and all segments.
    """

    segments_done: int
    segments: int


class JobAnswer(Frozen):
    """The state of a job.

    Attributes
    ----------
    job_id : str
        32 hexadecimal digits.
    status : str
        PENDING: the job waits for its upload, or for its next try. RUNNING: a worker analyzes the video. SUCCEEDED and
        FAILED are final, unless the operator of the service sends a job with the error ``gave_up`` back to the queue.
    created_at, updated_at, expires_at : int
        Seconds since 1970. From ``expires_at`` on the job answers 410.
    source : Source
        The job's object.
    progress : JobProgress
        Only while a worker analyzes a video in segments.
    error : Problem
        Only if the job FAILED.
    result : Result
        Only if the job SUCCEEDED, and the result is small enough for this answer.
    result_url : str
        Only if the job SUCCEEDED and ``result`` is missing: the address of the result.
    result_url_expires_in : int
        Only with ``result_url``: seconds for which the address works. Then ask for the job again.
    """

    job_id: str
    status: Literal[JobStatus.PENDING, JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED]
    created_at: int
    updated_at: int
    expires_at: int
    source: Source
    progress: JobProgress | None = None
    error: Problem | None = None
    result: Result | None = None
    result_url: str | None = None
    result_url_expires_in: int | None = None
