"""The errors of each route: those of its function are from the error tree, those of the gateway from the template."""

from collections import defaultdict
from typing import Final

from video_common import errors
from video_common.errors import VideoEmotionsError
from video_common.routes import (
    COMPLETE,
    DELETE_JOB,
    HEALTH,
    JOB,
    OPENAPI,
    PAGE,
    PARTS,
    PROCESS_FRAME,
    UPLOADS,
    Route,
)

Kinds = tuple[type[VideoEmotionsError], ...]
Titles = dict[str, str]
"""The title of each code."""

_OPTIONS: Final[Kinds] = (errors.InvalidJson, errors.UnknownOption, errors.RepeatedOption, errors.InvalidOption)
_STORES: Final[Kinds] = (errors.JobsUnavailable, errors.StorageUnavailable)
_VIDEO: Final[Kinds] = tuple(each for each in errors.VideoError.__subclasses__() if each is not errors.ObjectMissing)

ERRORS: Final[dict[Route, Kinds]] = {
    HEALTH: (),
    PAGE: (errors.RouteNotFound, errors.StorageUnavailable),
    PROCESS_FRAME: (
        errors.EmptyBody,
        errors.InvalidBase64,
        *_OPTIONS,
        errors.VideoTooLarge,
        errors.UnsupportedMediaType,
        *_VIDEO,
        errors.ConfigurationError,
        errors.ModelUnavailable,
        errors.DecoderUnavailable,
        errors.StorageUnavailable,
    ),
    UPLOADS: (*_OPTIONS, errors.VideoTooLarge, errors.UnsupportedMediaType, *_STORES),
    PARTS: (
        errors.InvalidJson,
        errors.UnknownOption,
        errors.InvalidOption,
        errors.RouteNotFound,
        errors.JobNotFound,
        *_STORES,
    ),
    COMPLETE: (errors.RouteNotFound, errors.JobNotFound, errors.IncompleteUpload, *_STORES),
    JOB: (errors.RouteNotFound, errors.JobNotFound, errors.JobExpired, errors.JobDeleted, *_STORES),
    DELETE_JOB: (errors.RouteNotFound, errors.JobNotFound, *_STORES),
    OPENAPI: (),
}
"""What the handler of each route raises. It can also raise the root of the tree, which is `internal_error`."""

IN_A_JOB: Final[Kinds] = (*_OPTIONS, errors.VideoTooLarge, *errors.VideoError.__subclasses__(), errors.GaveUp)
"""The errors of a job that FAILED: they are in its answer, which is a 200."""

GATEWAY: Final[dict[int, Titles]] = {
    400: {"bad_request": "The request is not valid"},
    429: {"too_many_requests": "Too many requests"},
    500: {"internal_error": "Internal error"},
    502: {"bad_gateway": "The request was not handled"},
    504: {"gateway_timeout": "The analysis took too long"},
}
"""What the gateway answers itself on every route, by status."""

GATEWAY_PROTECTED: Final[dict[int, Titles]] = {
    401: {"unauthorized": "Not signed in"},
    403: {"forbidden": "Not allowed"},
    429: {"quota_exceeded": "The quota is used up"},
}
"""... and on routes that ask for credentials."""

GATEWAY_BODY: Final[dict[int, Titles]] = {
    413: {"video_too_large": "The video is too large"},
    415: {"unsupported_media_type": "Unsupported Content-Type"},
}
"""... and on routes that accept a body."""


def problems(route: Route) -> dict[int, Titles]:
    """Return the codes that a route can answer, with their titles, by status."""
    found: dict[int, Titles] = defaultdict(dict)
    kinds: Kinds = (VideoEmotionsError, *ERRORS[route])
    for kind in kinds:
        found[int(kind.status)][kind.code] = kind.title
    tables = [GATEWAY]
    if not route.is_open:
        tables.append(GATEWAY_PROTECTED)
    if route.method == "POST":
        tables.append(GATEWAY_BODY)
    for table in tables:
        for status, titles in table.items():
            found[status] |= titles
    return dict(sorted(found.items()))
