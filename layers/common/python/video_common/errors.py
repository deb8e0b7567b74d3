"""The one error tree. Each leaf has a stable ``code`` and an HTTP ``status``; match on those, never on text.

::

    VideoEmotionsError
    +-- RequestError          the request is wrong; its sender can fix it
    +-- VideoError            the file cannot be analyzed; sending it again does not help
    +-- ServiceError          our side; the caller did nothing wrong
        +-- TransientError    another try may succeed

``detail`` is written by us for the caller and says what to do. The text of a caught exception goes to the log
(``raise ... from``), never into ``detail``.
"""

from http import HTTPStatus
from typing import Any, ClassVar


class VideoEmotionsError(Exception):
    """Base of the tree.

    Parameters
    ----------
    detail : str
        One or two sentences for the caller: what was wrong and what to do.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def problem(self, request_id: str) -> dict[str, Any]:
        """Return the error as an RFC 9457 problem document with our two members, ``code`` and ``request_id``."""
        return {
            "type": f"urn:video-emotions:problem:{self.code}",
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }


class RequestError(VideoEmotionsError):
    """The request is wrong; its sender can fix it."""

    status = HTTPStatus.BAD_REQUEST


class EmptyBody(RequestError):
    code, title = "empty_body", "No video in the request"


class InvalidBase64(RequestError):
    code, title = "invalid_base64", "The video is not base64"


class InvalidJson(RequestError):
    code, title = "invalid_json", "The body is not the JSON that was expected"


class UnknownOption(RequestError):
    code, title = "unknown_option", "Unknown option"


class RepeatedOption(RequestError):
    code, title = "repeated_option", "An option is given more than once"


class InvalidOption(RequestError):
    code, title = "invalid_option", "An option has a wrong value"


class RouteNotFound(RequestError):
    code, title = "not_found", "No such route"
    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(RequestError):
    code, title = "method_not_allowed", "The path does not support this method"
    status = HTTPStatus.METHOD_NOT_ALLOWED


class JobNotFound(RequestError):
    code, title = "job_not_found", "No such job"
    status = HTTPStatus.NOT_FOUND


class IncompleteUpload(RequestError):
    code, title = "incomplete_upload", "Parts of the upload are missing"
    status = HTTPStatus.CONFLICT


class JobExpired(RequestError):
    code, title = "job_expired", "The job's time is over"
    status = HTTPStatus.GONE


class JobDeleted(RequestError):
    code, title = "job_deleted", "The job is deleted"
    status = HTTPStatus.GONE


class VideoTooLarge(RequestError):
    code, title = "video_too_large", "The video is too large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(RequestError):
    code, title = "unsupported_media_type", "Unsupported Content-Type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class VideoError(VideoEmotionsError):
    """The file cannot be analyzed. Sending it again does not help."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class ObjectMissing(VideoError):
    code, title = "object_missing", "The object is not in the store"
    status = HTTPStatus.NOT_FOUND


class NotAVideo(VideoError):
    code, title = "not_a_video", "The file is not a video"


class UnsupportedContainer(VideoError):
    code, title = "unsupported_container", "Unsupported video container"


class MissingBeginning(VideoError):
    code, title = "missing_beginning", "The beginning of the video is missing"


class TruncatedVideo(VideoError):
    code, title = "truncated_video", "The video file is cut off"


class EncryptedVideo(VideoError):
    code, title = "encrypted_video", "The video is encrypted"


class UnusableTimes(VideoError):
    code, title = "unusable_times", "The times of the video's pictures are unusable"


class UnsupportedCodec(VideoError):
    code, title = "unsupported_codec", "Unsupported video codec"


class FrameTooLarge(VideoError):
    code, title = "frame_too_large", "The video's frames are too large"


class TooManyFrames(VideoError):
    code, title = "too_many_frames", "The video has too many frames"


class TooManyTracks(VideoError):
    code, title = "too_many_tracks", "The file has too many video tracks"


class TooLong(VideoError):
    code, title = "too_long", "The analysis does not end in time"


class UndecodableVideo(VideoError):
    code, title = "undecodable_video", "No sampled frame could be decoded"


class DecoderCrashed(VideoError):
    code, title = "decoder_crashed", "The decoder crashed on the video"


class DecoderExited(VideoError):
    code, title = "decoder_exited", "The decoder ended before the video did"


class DecoderHung(VideoError):
    code, title = "decoder_hung", "The decoder stopped making progress"


class DecoderOutOfMemory(VideoError):
    code, title = "decoder_out_of_memory", "The video needs too much memory"


class ServiceError(VideoEmotionsError):
    """A failure on our side. The caller did nothing wrong."""


class ConfigurationError(ServiceError):
    code, title = "configuration_error", "The service is not configured correctly"


class ModelUnavailable(ServiceError):
    code, title = "model_unavailable", "A model cannot be used"


class UnsupportedEvent(ServiceError):
    code, title = "unsupported_event", "This function does not handle such an event"


class GaveUp(ServiceError):
    code, title = "gave_up", "Every try to analyze the video failed"


class FunctionFailed(ServiceError):
    code, title = "function_failed", "Another function does not answer"


class OtherVersion(ServiceError):
    code, title = "other_version", "The plan is of another version"


class SegmentsDisagree(ServiceError):
    code, title = "segments_disagree", "The segments do not make up the video"


class TransientError(ServiceError):
    """Another try may succeed."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class DecoderUnavailable(TransientError):
    code, title = "decoder_unavailable", "The decoder does not start"


class StorageUnavailable(TransientError):
    code, title = "storage_unavailable", "The storage is not available"


class JobsUnavailable(TransientError):
    code, title = "jobs_unavailable", "The job store did not answer"


class EventsUnavailable(TransientError):
    code, title = "events_unavailable", "The event bus did not answer"


class JobInProgress(TransientError):
    code, title = "job_in_progress", "Another worker has the job"
