"""boto3's clients, and our names for its errors. boto3 is imported at the first call: who needs no AWS pays nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from video_common.errors import ObjectMissing, TransientError

MISSING: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"})


@cache
def client(service: str) -> Any:
    """Return the process's client of a service: three tries, five seconds to connect, a minute to answer."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=60)
    return boto3.client(service, config=config)


def renew() -> None:
    """Forget all clients, with their connections and credentials; the next calls make others."""
    client.cache_clear()


@contextmanager
def failures(unavailable: TransientError, *, missing: frozenset[str] = frozenset()) -> Iterator[None]:
    """Give boto3's errors the names of ours.

    Parameters
    ----------
    unavailable : TransientError
        What to raise for an error of the service or of the way there.
    missing : frozenset of str
        The codes that say that an object is not there.

    Raises
    ------
    ObjectMissing, TransientError
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in missing:
            raise ObjectMissing("The object is not there (any more). Upload it again.") from error
        raise unavailable from error
    except (BotoCoreError, Boto3Error) as error:
        raise unavailable from error
