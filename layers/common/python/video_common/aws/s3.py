"""Amazon S3 behind `ObjectStore`."""

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from video_common import limits
from video_common.errors import ObjectMissing, StorageUnavailable, VideoTooLarge

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"}
_CONFIG: Final = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=60)


class S3ObjectStore:
    """The client is made at the first call: a function that only answers HTTP never pays for it."""

    @cached_property
    def _client(self) -> Any:
        return boto3.client("s3", config=_CONFIG)

    def renew(self) -> None:
        """Forget the client, with its connections and credentials; the next call makes another one."""
        self.__dict__.pop("_client", None)

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        """See `ObjectStore.download`. Parts are fetched in parallel and written as they come."""
        version = {"VersionId": version_id} if version_id else {}
        try:
            size = self._client.head_object(Bucket=bucket, Key=key, **version)["ContentLength"]
            if size > limits.MAX_UPLOAD_VIDEO_BYTES:
                raise VideoTooLarge(f"The object has {size} bytes; the limit is {limits.MAX_UPLOAD_VIDEO_BYTES}.")
            self._client.download_file(bucket, key, str(path), ExtraArgs=version or None)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                raise ObjectMissing("The object is not there (any more). Upload it again.") from error
            raise StorageUnavailable("The video could not be read from the store.") from error
        except BotoCoreError as error:
            raise StorageUnavailable("The video could not be read from the store.") from error

    def put(self, bucket: str, key: str, body: str, content_type: str) -> None:
        """See `ObjectStore.put`."""
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise StorageUnavailable("The result could not be written to the store.") from error
