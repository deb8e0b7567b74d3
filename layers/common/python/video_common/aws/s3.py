"""Amazon S3 behind `ObjectStore` and `Signer`."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from video_common import limits
from video_common.aws.clients import MISSING, client, failures
from video_common.errors import ObjectMissing, StorageUnavailable, VideoTooLarge

_QUOTE: Final = '"'
_TRIES: Final = 3
"""Of a range whose answer breaks off."""
_CHANGED: Final = MISSING | {"PreconditionFailed", "412"}
"""Also what S3 says of an object with another entity tag."""


class S3ObjectStore:
    """Videos and results."""

    def metadata(self, bucket: str, key: str, version_id: str | None) -> Mapping[str, str]:
        """See `ObjectStore.metadata`."""
        with _reading():
            head = client("s3").head_object(Bucket=bucket, Key=key, **_version(version_id))
        return {name.lower(): value for name, value in head["Metadata"].items()}

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        """See `ObjectStore.download`. Parts are fetched in parallel and written as they come."""
        from s3transfer.exceptions import S3DownloadFailedError

        version = _version(version_id)
        with _reading():
            size = client("s3").head_object(Bucket=bucket, Key=key, **version)["ContentLength"]
            if size > limits.MAX_UPLOAD_VIDEO_BYTES:
                raise VideoTooLarge(
                    f"The object has {size} bytes; the limit is {limits.MAX_UPLOAD_VIDEO_BYTES}. "
                    "Cut or compress the video, then upload the new file."
                )
            try:
                client("s3").download_file(bucket, key, str(path), ExtraArgs=version or None)
            except S3DownloadFailedError:  # no error of boto3's, and its text has the key
                raise StorageUnavailable("The object was replaced while it was read. Try again.") from None

    def ranges(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> "S3Ranges":
        """See `ObjectStore.ranges`."""
        place = {"Bucket": bucket, "Key": key, **_version(version_id)}
        with _reading(_CHANGED):
            head = client("s3").head_object(**place, **_pinned(etag))
        return S3Ranges({**place, "IfMatch": head["ETag"]}, head["ContentLength"])

    def checksum(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> str | None:
        """See `ObjectStore.checksum`. S3 computes it for each object that is uploaded without another checksum."""
        place = {"Bucket": bucket, "Key": key, **_version(version_id)}
        try:
            with _reading(_CHANGED):
                head = client("s3").head_object(**place, **_pinned(etag), ChecksumMode="ENABLED")
        except ObjectMissing:
            return None
        checksum: str | None = head.get("ChecksumCRC64NVME")
        return checksum

    def put(self, bucket: str, key: str, body: str | bytes | Path, content_type: str) -> None:
        """See `ObjectStore.put`."""
        content: Any = body.encode() if isinstance(body, str) else body
        with failures(StorageUnavailable("The result could not be written to the store.")), ExitStack() as files:
            content = files.enter_context(body.open("rb")) if isinstance(body, Path) else content
            client("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """See `ObjectStore.keys`."""
        with _reading():
            pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, bucket: str, key: str) -> str:
        """See `ObjectStore.read`."""
        with _reading():
            content: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return content.decode()

    def delete(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> None:
        """See `ObjectStore.delete`."""
        # S3 compares with the current version only, whichever one is to be deleted.
        condition = {"IfMatch": etag} if etag and not version_id else {}
        try:
            with failures(_undeleted(), missing=_CHANGED):
                client("s3").delete_object(Bucket=bucket, Key=key, **_version(version_id), **condition)
        except ObjectMissing:
            return  # this is what was wanted

    def delete_all(self, bucket: str, prefix: str) -> None:
        """See `ObjectStore.delete_all`."""
        with failures(_undeleted()):
            for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                named = [{"Key": item["Key"]} for item in page.get("Contents", [])]
                if not named:
                    continue
                answer = client("s3").delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
                if answer.get("Errors"):
                    raise _undeleted()


@dataclass(frozen=True)
class S3Ranges:
    """An object, pinned by its entity tag, behind `Ranges`."""

    place: Mapping[str, str]
    size: int

    def read(self, start: int, end: int) -> bytes:
        """See `Ranges.read`. boto3 repeats a request, but no answer that breaks off, and a segment has hundreds."""
        for _ in range(_TRIES):
            with _reading(_CHANGED):
                answer = client("s3").get_object(**self.place, Range=f"bytes={start}-{end - 1}")
            with suppress(StorageUnavailable), _reading():
                content: bytes = answer["Body"].read()
                if len(content) == end - start:
                    return content
        raise StorageUnavailable(f"The store broke off {_TRIES} answers. Try again.")


class S3Signer:
    """Presigned requests; they are signed here, and S3 is not asked."""

    def upload(self, bucket: str, key: str, content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        """See `Signer.upload`. S3 rejects every field that is not in the form's policy word for word."""
        fields = {
            "Content-Type": content_type,
            "x-amz-server-side-encryption": "AES256",
            **{f"x-amz-meta-{name}": value for name, value in metadata.items()},
        }
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", 1, limits.MAX_UPLOAD_VIDEO_BYTES])
        with failures(StorageUnavailable("The upload could not be signed.")):
            post: dict[str, Any] = client("s3").generate_presigned_post(
                bucket, key, Fields=fields, Conditions=conditions, ExpiresIn=limits.UPLOAD_SECONDS
            )
        return post

    def download(self, bucket: str, key: str) -> str:
        """See `Signer.download`."""
        with failures(StorageUnavailable("The result's address could not be signed.")):
            return str(
                client("s3").generate_presigned_url(
                    "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=limits.RESULT_URL_SECONDS
                )
            )


def _pinned(etag: str | None) -> dict[str, str]:
    # HTTP has quotes around entity tags, and S3's events have not.
    return {"IfMatch": f'"{etag.strip(_QUOTE)}"'} if etag else {}


def _version(version_id: str | None) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _reading(missing: frozenset[str] = MISSING) -> Any:
    return failures(StorageUnavailable("The object could not be read from the store."), missing=missing)


def _undeleted() -> StorageUnavailable:
    return StorageUnavailable("The store did not delete the object. Try again.")
