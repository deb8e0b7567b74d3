"""Whether an MP4's pictures are encrypted, by its boxes. Pure.

FFmpeg reports it for most files, but not for a file that begins with clear pictures and continues with encrypted ones,
by another sample description or another ``moov`` box. FFmpeg passes those to the decoder as if they were clear.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from video_common.errors import EncryptedVideo

KINDS: Final = {b"tkhd", b"stsd", b"stsc", b"trex", b"tfhd"}
"""Boxes that describe samples, or select a description."""
_ENCRYPTED: Final = {b"encv", b"drmi"}
"""Names of sample descriptions: Common Encryption (ISO/IEC 14496-12, 8.12) and FairPlay."""
_HAS_OFFSET, _HAS_DESCRIPTION = 1, 2
"""Flags of a fragment's header."""
_DEFAULT: Final = 0
"""Stands for the track's default description. Real numbers begin with 1."""


@dataclass
class _Track:
    descriptions: list[bytes] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    default: int = 1

    @property
    def is_encrypted(self) -> bool:
        used = {number or self.default for number in self.used}
        return any(number in used and name in _ENCRYPTED for number, name in enumerate(self.descriptions, 1))


class Descriptions:
    """Collect how the tracks of a file describe their samples, and which descriptions are in use.

    A file can describe encrypted samples and have none: the beginning of a film is often clear.
    """

    def __init__(self) -> None:
        self._tracks = [_Track()]
        self._track_of: dict[int, _Track] = {}
        self._defaults: dict[int, int] = {}

    def look_at(self, kind: bytes, content: bytes) -> None:
        """Look at a box of `KINDS`. They come in the order of the file."""
        track = self._tracks[-1]
        if kind == b"tkhd":
            self._tracks.append(_Track())
            self._track_of[_number(content, 20 if content[:1] == b"\1" else 12)] = self._tracks[-1]
        elif kind == b"stsd":
            track.descriptions = list(_names(content))
        elif kind == b"stsc":
            track.used |= set(_descriptions_of_chunks(content))
        elif kind == b"trex":
            self._defaults[_number(content, 4)] = _number(content, 8)
        else:
            self._look_at_fragment(content)

    def refuse_encrypted(self) -> None:
        """Reject the file if samples of a video track are encrypted.

        Raises
        ------
        EncryptedVideo
        """
        for number, default in self._defaults.items():
            if number in self._track_of:
                self._track_of[number].default = default
        if any(track.is_encrypted for track in self._tracks):
            raise encrypted()

    def _look_at_fragment(self, content: bytes) -> None:
        flags, track = _number(content, 0), self._track_of.get(_number(content, 4))
        if track is not None:
            place = 16 if flags & _HAS_OFFSET else 8
            track.used.add(_number(content, place) if flags & _HAS_DESCRIPTION else _DEFAULT)


def encrypted() -> EncryptedVideo:
    """Return the error for a video whose pictures are encrypted."""
    return EncryptedVideo("The video is encrypted (DRM). Send a copy without encryption.")


def _number(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 4], "big")


def _names(content: bytes) -> Iterator[bytes]:
    """Yield the names of the sample descriptions in an ``stsd`` box."""
    place = 8
    while place + 8 <= len(content):
        yield content[place + 4 : place + 8]
        place += max(8, _number(content, place))


def _descriptions_of_chunks(content: bytes) -> list[int]:
    """Return the numbers of the sample descriptions in an ``stsc`` box, each once."""
    entries = min(_number(content, 4), max(0, len(content) - 8) // 12)
    numbers: list[int] = np.unique(np.frombuffer(content, ">u4", 3 * entries, 8)[2::3]).tolist() if entries else []
    return numbers
