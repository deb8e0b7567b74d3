"""Amazon S3 behind `ObjectStore`."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from video_common import limits
from video_common.errors import ObjectMissing, StorageUnavailable, VideoTooLarge

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"}


class S3ObjectStore:
    """boto3 is imported and the client made at the first call: a function that only answers HTTP pays for neither."""

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=60)
        return boto3.client("s3", config=config)

    def renew(self) -> None:
        """Forget the client, with its connections and credentials; the next call makes another one."""
        self.__dict__.pop("_client", None)

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        """See `ObjectStore.download`. Parts are fetched in parallel and written as they come."""
        version = {"VersionId": version_id} if version_id else {}
        with _failures("The video could not be read from the store.", missing=_MISSING):
            size = self._client.head_object(Bucket=bucket, Key=key, **version)["ContentLength"]
            if size > limits.MAX_UPLOAD_VIDEO_BYTES:
                raise VideoTooLarge(f"The object has {size} bytes; the limit is {limits.MAX_UPLOAD_VIDEO_BYTES}.")
            self._client.download_file(bucket, key, str(path), ExtraArgs=version or None)

    def put(self, bucket: str, key: str, body: str, content_type: str) -> None:
        """See `ObjectStore.put`."""
        with _failures("The result could not be written to the store."):
            self._client.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType=content_type)


@contextmanager
def _failures(unavailable: str, *, missing: Container[str] = ()) -> Iterator[None]:
    """Give boto3's errors the names of ours; the codes in ``missing`` say that an object is not there."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in missing:
            raise ObjectMissing("The object is not there (any more). Upload it again.") from error
        raise StorageUnavailable(unavailable) from error
    except BotoCoreError as error:
        raise StorageUnavailable(unavailable) from error
