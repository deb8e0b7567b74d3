"""boto3's clients, and our names for its errors. boto3 is imported at the first call: who needs no AWS pays nothing."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from video_common.errors import ObjectMissing, ServiceError

MISSING: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"})


MOST_READ_SECONDS: Final = {"dynamodb": 10.0}
"""DynamoDB's answers are small and quick. A worker renews its lease of 150 s each minute, and three tries must fit."""

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 60.0

_timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}


def use_timeouts(connect: float, read: float) -> None:
    """Set how many seconds a try may take to connect, and to answer, so that three fit into a function's time."""
    _timeouts.update(connect_timeout=connect, read_timeout=read)
    renew()


@cache
def client(service: str) -> Any:
    """Return the process's client of a service; it tries three times."""
    import boto3
    from botocore.config import Config

    read = min(_timeouts["read_timeout"], MOST_READ_SECONDS.get(service, math.inf))
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        # Signatures of version 4 and the region's own host: boto3 would presign with version 2, which S3 calls old
        # buckets only, and for a host that sends callers elsewhere while a bucket is new.
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "virtual"},
        connect_timeout=_timeouts["connect_timeout"],
        read_timeout=read,
    )
    return boto3.client(service, config=config)


def renew() -> None:
    """Forget all clients, with their connections and credentials; the next calls make others."""
    client.cache_clear()


@contextmanager
def failures(unavailable: ServiceError, *, missing: frozenset[str] = frozenset()) -> Iterator[None]:
    """Give boto3's errors the names of ours.

    boto3's texts can hold an object's key: in the address of a connection that failed, or in the ARN of a right that is
    missing. So the log gets a note with the kind of error instead of the error itself.

    Parameters
    ----------
    unavailable : ServiceError
        What to raise for an error of the service or of the way there.
    missing : frozenset of str
        The codes that say that an object is not there.

    Raises
    ------
    ObjectMissing, ServiceError
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in missing:
            raise ObjectMissing("The object is not there (any more). Upload it again.") from None
        request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
        unavailable.add_note(f"{error.operation_name} was answered with {code}; AWS's request id: {request_id}")
        raise unavailable from None
    except (BotoCoreError, Boto3Error) as error:
        unavailable.add_note(f"boto3 raised {type(error).__name__}")
        raise unavailable from None
