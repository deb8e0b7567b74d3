"""Amazon S3's multipart uploads behind `MultipartUploads`."""

from collections.abc import Mapping
from typing import Any

from video_common import limits
from video_common.aws.clients import client, failures
from video_common.aws.large_files import Part
from video_common.errors import ObjectMissing, StorageUnavailable

_MISSING = frozenset({"404", "NoSuchUpload"})


class S3Multipart:
    """Uploads in parts."""

    def create(self, bucket: str, key: str, content_type: str, metadata: Mapping[str, str]) -> str:
        """See `MultipartUploads.create`."""
        with _failures():
            made = client("s3").create_multipart_upload(
                Bucket=bucket,
                Key=key,
                ContentType=content_type,
                Metadata=dict(metadata),
                ServerSideEncryption="AES256",
            )
        return str(made["UploadId"])

    def address(self, bucket: str, key: str, upload_id: str, number: int, length: int) -> str:
        """See `MultipartUploads.address`."""
        named = {"Bucket": bucket, "Key": key, "UploadId": upload_id, "PartNumber": number, "ContentLength": length}
        with _failures():
            return str(
                client("s3").generate_presigned_url("upload_part", Params=named, ExpiresIn=limits.PART_URL_SECONDS)
            )

    def parts(self, bucket: str, key: str, upload_id: str) -> dict[int, Part]:
        """See `MultipartUploads.parts`."""
        with _failures():
            pages = client("s3").get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
            return {part["PartNumber"]: Part(part["ETag"], part["Size"]) for page in pages for part in _parts(page)}

    def complete(self, bucket: str, key: str, upload_id: str, parts: Mapping[int, Part]) -> None:
        """See `MultipartUploads.complete`."""
        listed = [{"PartNumber": number, "ETag": part.etag} for number, part in sorted(parts.items())]
        with _failures():
            client("s3").complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed}
            )

    def object_bytes(self, bucket: str, key: str) -> int | None:
        """See `MultipartUploads.object_bytes`. A list, because to ask for the object takes the right to read it."""
        with _failures():
            found = client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return next((item["Size"] for item in found if item["Key"] == key), None)

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """See `MultipartUploads.abort`."""
        try:
            with _failures():
                client("s3").abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        except ObjectMissing:
            return  # this is what was wanted


def _parts(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = page.get("Parts", [])
    return parts


def _failures() -> Any:
    return failures(StorageUnavailable("The store did not answer. Try again."), missing=_MISSING)
