"""The routes as methods."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, cast

import httpx

from video_common import limits
from video_common.answers import CompleteAnswer, JobAnswer, PartsAnswer, UploadAnswer
from video_common.job import JobStatus
from video_common.result import Result
from video_common.routes import COMPLETE, JOB, PARTS, PROCESS_FRAME, UPLOADS, Route
from video_common.schema import VIDEO_CONTENT_TYPES
from video_emotions_client.answers import error_of, parsed, storage_error
from video_emotions_client.errors import Rejected, Unavailable
from video_emotions_client.parts import PartsUpload
from video_emotions_client.retries import Retries, retry_after
from video_emotions_client.sending import Counted, Progress, opened, silent, size_of

Video = str | PathLike[str] | bytes
"""A path, or the content of a file."""

_TIMEOUT: Final = httpx.Timeout(60, connect=10, read=2 * limits.GATEWAY_SECONDS)
_NOT_FOUND: Final = "job_not_found"
_UPLOADED: Final = {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}


class Client:
    """A deployment of the service. Use it as a context manager, or `close` it. Threads may share it.

    Parameters
    ----------
    url : str
        The address that ``sam deploy`` prints, with its stage: ``https://….amazonaws.com/v1``.
    api_key : str, optional
        Goes to ``url`` only, never to the storage.
    retries : Retries
    transport : httpx.BaseTransport, optional
        For tests and unusual networks.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._retries = retries or Retries()
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def analyze(
        self, video: Video, *, progress: Progress = silent, begun: Callable[[str], None] | None = None, **options: Any
    ) -> Result:
        """Analyze a video and wait for the Result.

        A small video goes by POST. A video that is too large for that, or that needs more time or a longer timeline
        than the answer to a POST can have, goes by upload. Unless ``partial`` says otherwise the Result is therefore of
        the whole video.

        Parameters
        ----------
        video : str, PathLike or bytes
        progress : callable
            See `sending.Progress`.
        begun : callable, optional
            See `upload`.
        **options
            As in docs/api.md: ``frame_interval=10``, ``include="timeline"`` and so on. Not ``format``.

        Raises
        ------
        ClientError
            See `errors`.
        OSError
            The file cannot be read.
        """
        content = _content(video)
        if size_of(content) <= limits.MAX_POST_VIDEO_BYTES:
            result = self._post(content, progress, options)
            is_whole = not (result.truncated or result.timeline_truncated)
            if is_whole or options.get("partial") is not None:
                return result
        return self.wait(self.upload(video, progress=progress, begun=begun, **options), progress=progress)

    def upload(
        self, video: Video, *, progress: Progress = silent, begun: Callable[[str], None] | None = None, **options: Any
    ) -> str:
        """Upload a video and return the id of its job, for `job` and `wait`.

        Other parameters and errors are those of `analyze`.

        Parameters
        ----------
        begun : callable, optional
            Gets the job's id before the first byte of a file of more than 100,000,000 bytes is sent. Such a file goes
            in parts, and `resume` goes on with it within a day.
        """
        content = _content(video)
        total = size_of(content)
        members = {"content_type": VIDEO_CONTENT_TYPES[0], **_given(options)}
        if total > limits.MULTIPART_BYTES:
            members["size"] = total
        asked = parsed(self._call(UPLOADS, json=members), UploadAnswer)
        if asked.multipart is not None:
            if begun is not None:
                begun(asked.job_id)
            return self.resume(asked.job_id, video, progress=progress)
        if total > asked.max_bytes:
            raise Rejected("video_too_large", f"The video has {total} bytes; the limit is {asked.max_bytes}. Cut it.")
        form = asked.upload
        with opened(content) as file:
            counted = cast("IO[bytes]", Counted(file, total, progress))
            files = {"file": ("video", counted, VIDEO_CONTENT_TYPES[0])}
            send = partial(self._http.post, form.url, data=form.fields, files=files)
            response = self._retries.run(send, form.url)
        if response.status_code not in _UPLOADED:
            raise storage_error(response)
        return asked.job_id

    def resume(self, job_id: str, video: Video, *, progress: Progress = silent) -> str:
        """Go on with an upload in parts: send what has not arrived, and return the job's id.

        Parameters
        ----------
        job_id : str
        video : str, PathLike or bytes
            The same file.
        progress : callable

        Raises
        ------
        ClientError
            Among them ``job_not_found``: the upload was deleted or is more than a day old; ``another_file``.
        OSError
            The file cannot be read.
        """
        path = {"job_id": job_id}

        def addresses(first: int) -> PartsAnswer:
            return parsed(self._call(PARTS, path, may_repeat=True, json={"first": first}), PartsAnswer)

        def put(url: str, read: Callable[[], Iterator[bytes]], headers: dict[str, str]) -> httpx.Response:
            def once() -> httpx.Response:
                return self._http.put(url, content=read(), headers=headers)

            return self._retries.run(once, url, may_repeat=True)

        try:
            PartsUpload(_content(video), addresses, put, progress).send()
        except Rejected as error:
            if error.code != _NOT_FOUND:
                raise
            # Perhaps it is complete, and only the answer was lost. The next call says which.
        return parsed(self._call(COMPLETE, path, may_repeat=True), CompleteAnswer).job_id

    def job(self, job_id: str) -> JobAnswer:
        """Return where a job is.

        Raises
        ------
        ClientError
            ``job_not_found``, ``job_expired`` and others.
        """
        return parsed(self._call(JOB, {"job_id": job_id}), JobAnswer)

    def wait(
        self, job_id: str, seconds: float = limits.DELIVERY_DAYS * 86_400, *, progress: Progress = silent
    ) -> Result:
        """Wait for a job to end, and return its Result.

        Parameters
        ----------
        job_id : str
        seconds : float
            How long to wait.
        progress : callable

        Raises
        ------
        ClientError
            The job FAILED, and the error says why; or it is ``still_running``.
        """
        end = time.monotonic() + seconds
        while True:
            response = self._call(JOB, {"job_id": job_id})
            job = parsed(response, JobAnswer)
            if job.status == JobStatus.SUCCEEDED:
                return job.result or self._download(str(job.result_url))
            if job.status == JobStatus.FAILED:
                raise error_of(job.error.model_dump() if job.error else {}, response)
            pause = retry_after(response) or limits.MIN_POLL_SECONDS
            if time.monotonic() + pause > end:
                raise Unavailable("still_running", f"The job {job_id} is still {job.status}. Wait for it once more.")
            progress("waiting", 0, 0)
            self._retries.sleep(pause)

    def _post(self, content: Path | bytes, progress: Progress, options: Mapping[str, Any]) -> Result:
        data = content if isinstance(content, bytes) else content.read_bytes()
        progress("sending", 0, len(data))
        headers = {"Content-Type": VIDEO_CONTENT_TYPES[0]}
        query = {name: str(value) for name, value in _given(options).items()}
        return parsed(self._call(PROCESS_FRAME, params=query, content=data, headers=headers), Result)

    def _download(self, url: str) -> Result:
        return parsed(self._retries.run(partial(self._http.get, url), url), Result)

    def _call(
        self, route: Route, path: Mapping[str, str] | None = None, *, may_repeat: bool = False, **request: Any
    ) -> httpx.Response:
        url = self._url + route.path.format_map(path or {})
        headers = {**self._headers, **request.pop("headers", {})}
        send = partial(self._http.request, route.method, url, headers=headers, **request)
        return self._retries.run(send, url, may_repeat=may_repeat)


def _content(video: Video) -> Path | bytes:
    return video if isinstance(video, bytes) else Path(video)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    if "format" in options:
        raise TypeError("The client returns Results. Leave out 'format'; the command line writes CSV and WebVTT.")
    return {name: value for name, value in options.items() if value is not None}
