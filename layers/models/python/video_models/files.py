"""Digests, and files that appear whole or not at all."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from video_common.errors import ModelUnavailable


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give the path of a new file that takes ``target``'s place when the block ends well, and is removed otherwise.

    Parameters
    ----------
    target : Path
        Its directory is made where it is missing.

    Yields
    ------
    Path
        In the same directory, so that the replacement is atomic. The block creates the file: with its own permissions
        by the process's umask, because a user other than the builder of the image must be able to read a baked model.

    Raises
    ------
    ModelUnavailable
        The file cannot be written.
    """
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ModelUnavailable(f"{target} cannot be written: {error.strerror}.") from error
