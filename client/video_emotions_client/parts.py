"""A large file on its way in parts. What has arrived is not sent again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from video_common.answers import PartAddress, PartsAnswer
from video_emotions_client.answers import storage_error
from video_emotions_client.errors import Rejected
from video_emotions_client.sending import Progress, opened, size_of

_CHUNK_BYTES: Final = 1 << 18


@dataclass(frozen=True)
class PartsUpload:
    """An upload in parts.

    Attributes
    ----------
    content : Path or bytes
    addresses : callable
        The number of a part -> addresses of it and of some after it, and what the store has.
    put : callable
        Sends a part: its address, a function that reads its bytes from the beginning, and its headers.
    progress : callable
        See `sending.Progress`.
    """

    content: Path | bytes
    addresses: Callable[[int], PartsAnswer]
    put: Callable[[str, Callable[[], Iterator[bytes]], dict[str, str]], httpx.Response]
    progress: Progress

    def send(self) -> None:
        """Send what the store does not have.

        Raises
        ------
        ClientError
            Among them Rejected (``another_file``): the upload began with a file of another size.
        """
        total, sent, number = size_of(self.content), 0, 1
        while sent < total:
            told = self.addresses(number)
            if told.size != total:
                raise Rejected("another_file", "The upload began with a file of another size. Start a new one.")
            for part in told.parts:
                if part.number not in told.uploaded:
                    self._send(part, sent)
                sent, number = sent + part.bytes, part.number + 1
                self.progress("sending", sent, total)

    def _send(self, part: PartAddress, start: int) -> None:
        headers = {"Content-Length": str(part.bytes)}  # or httpx would send it in chunks, which S3 does not accept
        response = self.put(part.url, lambda: self._read(start, part.bytes), headers)
        if response.status_code == HTTPStatus.FORBIDDEN:
            # The address may have expired on the way.
            (again, *_) = self.addresses(part.number).parts
            response = self.put(again.url, lambda: self._read(start, part.bytes), headers)
        if response.status_code != HTTPStatus.OK:
            raise storage_error(response)

    def _read(self, start: int, length: int) -> Iterator[bytes]:
        with opened(self.content) as file:
            file.seek(start)
            while length > 0 and (chunk := file.read(min(length, _CHUNK_BYTES))):
                yield chunk
                length -= len(chunk)
                self.progress("sending", file.tell(), size_of(self.content))
