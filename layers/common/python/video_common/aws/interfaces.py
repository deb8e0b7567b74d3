"""What the application asks of AWS. Nothing here imports boto3, so fakes and callers need not either."""

from pathlib import Path
from typing import Protocol


class ObjectStore(Protocol):
    """Reads videos, writes results."""

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        """Stream an object to a new file.

        Parameters
        ----------
        bucket, key : str
        version_id : str or None
            None takes the current version.
        path : Path
            The file to write.

        Raises
        ------
        ObjectMissing
            There is no such object (any more).
        VideoTooLarge
            It is over ``limits.MAX_UPLOAD_VIDEO_BYTES``; nothing was downloaded.
        StorageUnavailable
            The store did not answer or refused; worth a retry.
        """

    def put(self, bucket: str, key: str, body: str, content_type: str) -> None:
        """Write a small text object.

        Raises
        ------
        StorageUnavailable
        """
