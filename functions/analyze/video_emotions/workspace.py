"""Step 2: VideoRequest -> a file. A copy is in a directory of its own, which is removed on every path out."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from video_common.aws.interfaces import ObjectStore
from video_common.errors import ConfigurationError, StorageUnavailable
from video_common.upload import S3Object
from video_emotions.video_request import VideoRequest

PREFIX = "video-emotions-request-"
"""Of each request's directory. A request writes nowhere else, and nothing else has this prefix."""

FILE_NAME = "video"
"""Ours, and without an ending: neither a caller's file name nor an object's key ever reaches the file system."""


@contextmanager
def video_file(request: VideoRequest, work_dir: Path, store: ObjectStore | None) -> Iterator[Path]:
    """Put the request's video into a new directory under ``work_dir`` and remove that directory afterwards.

    A file of this computer is read where it is.

    Parameters
    ----------
    request : VideoRequest
    work_dir : Path
    store : ObjectStore or None
        Where objects come from; not needed for posted bytes.

    Raises
    ------
    StorageUnavailable
        The disk is full, or the store did not answer.
    ObjectMissing, VideoTooLarge
        From the store.
    ConfigurationError
        An object was asked for and there is no store.
    """
    if isinstance(request.source, Path):
        yield request.source
        return
    with new_directory(work_dir) as directory:
        path = directory / FILE_NAME
        if isinstance(request.source, S3Object):
            if store is None:
                raise ConfigurationError("This function was made without an object store.")
            with room():
                store.download(request.source.bucket, request.source.key, request.source.version_id, path)
        else:
            with room():
                path.write_bytes(request.source)
        yield path


@contextmanager
def new_directory(work_dir: Path) -> Iterator[Path]:
    """Make a directory for one request under ``work_dir``, and remove it afterwards with all that it has.

    Raises
    ------
    StorageUnavailable
        The disk is full.
    """
    directory = work_dir / f"{PREFIX}{uuid4()}"
    with room():
        directory.mkdir(mode=0o700)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def remove_leftovers(work_dir: Path) -> None:
    """Remove the files of lost requests: after a crash or a timeout, Lambda restarts a function on the same disk.

    Only one request at a time may use ``work_dir``, as in Lambda. Files of others stay, such as those of Keras and of
    Lambda's extensions.
    """
    for directory in work_dir.glob(f"{PREFIX}*"):
        shutil.rmtree(directory, ignore_errors=True)  # a request may still find room beside what stays


@contextmanager
def room() -> Iterator[None]:
    """Say of a full disk that the request can come again.

    Raises
    ------
    StorageUnavailable
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageUnavailable("The disk has no room for the video at the moment. Send it again.") from error
        raise
