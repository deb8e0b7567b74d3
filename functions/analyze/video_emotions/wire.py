"""How the reader and its child talk: records of JSON and raw bytes, each with its lengths before it.

================================  =================================================================================
the reader sends                  the child answers, in this order
================================  =================================================================================
``path``, ``options``, ...        ``ready``     it has the request, and opens the file next
                                  ``refused``   with ``ready``: what the platform refuses, see `sandbox`
                                  ``video``     facts of the file, and of the plan as ``plan``
                                  ``frame``     once for each picture, with the pixels as raw bytes
                                  ``end``       every picture was sent
                                  ``beat``      at any time: the work goes on
                                  ``error``, ``no_memory``, ``bug``   instead of what did not come
``size`` instead of ``path``      ``range``     at any time: asks for bytes of the file
``bytes``, with them              goes on
``segments``: do not decode       ``segment``   instead of ``frame``: its facts, with its slice as raw bytes
``slice``, with it: decode that   ``slice``     instead of ``video``, then ``frame`` and so on
================================  =================================================================================
"""

import json
import struct
from collections.abc import Callable, Mapping
from io import FileIO
from typing import Any

from video_common import limits

_HEAD = struct.Struct(">II")
_MAX_MESSAGE_BYTES = 65_536
_MAX_RAW_BYTES = max(3 * limits.MAX_ANALYZED_PIXELS, limits.MAX_SLICE_BYTES)


def send(file: FileIO, message: Mapping[str, Any], *raw: memoryview | bytes) -> None:
    """Write one record.

    Parameters
    ----------
    file : FileIO
    message : mapping
    raw : memoryview of bytes, or bytes
        Sent one after the other.
    """
    for part in parts(message, *raw):
        left = memoryview(part)
        while left:
            left = left[file.write(left) :]


def parts(message: Mapping[str, Any], *raw: memoryview | bytes) -> tuple[memoryview | bytes, ...]:
    """Return one record as what is written one after the other."""
    text = json.dumps(message).encode()
    return _HEAD.pack(len(text), sum(map(len, raw))) + text, *raw


def receive(read: Callable[[int], bytearray]) -> tuple[dict[str, Any], bytearray]:
    """Read one record.

    Parameters
    ----------
    read : callable
        Returns exactly so many bytes.

    Raises
    ------
    ValueError
        It is no record, or larger than any that either side sends.
    """
    length, raw_bytes = _HEAD.unpack(read(_HEAD.size))
    if length > _MAX_MESSAGE_BYTES or raw_bytes > _MAX_RAW_BYTES:
        raise ValueError("a record is too large")
    message = json.loads(read(length))
    if not isinstance(message, dict):
        raise ValueError("a record is no object")  # noqa: TRY004 - the other side's fault, and not a type of ours
    return message, read(raw_bytes)
