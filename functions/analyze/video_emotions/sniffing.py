"""What a file is by its first bytes, and what its sender can do if it is not a video that we know."""

import base64
import binascii
import re
from enum import Enum
from typing import BinaryIO, Final

from video_common.errors import MissingBeginning, NotAVideo, UnsupportedContainer, VideoError
from video_emotions.remedies import CONVERT

SUPPORTED: Final = "MP4, MOV, 3GP, WebM, MKV, AVI, MPEG-TS and FLV"
_HEAD: Final = 4096


class Family(Enum):
    """Containers that are read in the same way."""

    MP4 = "mp4"
    MATROSKA = "matroska"
    AVI = "avi"
    MPEG_TS = "mpegts"
    FLV = "flv"


_MP4_BOXES: Final = {
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"),
    *(b"styp", b"sidx", b"moof", b"emsg", b"prft", b"uuid"),
}
_EBML: Final = b"\x1a\x45\xdf\xa3"
_TS_PACKETS: Final = ((188, 0), (192, 4), (204, 0))
"""Their size, and where in them the first sync byte is: broadcast, camcorders (M2TS), with error correction."""

_CONTAINERS: Final = (
    (b"OggS", "Ogg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF (WMV)"),
    (b"\0\0\1\xba", "MPEG-PS (MPG, VOB)"),
    (b"\0\0\1\xb3", "an MPEG video stream without a container"),
    (b"\0\0\0\1", "a video stream without a container (H.264 or HEVC)"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "MXF"),
    (b"\xb7\xd8\x00\x20\x37\x49\xda\x11", "WTV"),
    (b".RMF", "RealMedia"),
    (b"GIF8", "GIF"),
    (b"DKIF", "IVF"),
    (b"YUV4MPEG2", "YUV4MPEG (Y4M)"),
    (b"nut/multimedia container\0", "NUT"),
    (b"FWS", "Flash (SWF)"),
    (b"CWS", "Flash (SWF)"),
    (b"\x1f\x07\x00", "DV"),
)
_PICTURES: Final = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
_SOUND: Final = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9", b"#!AMR")
_ARCHIVES: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\3\4", "ZIP"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
)
_STILL_RIFF, _SOUND_RIFF = b"WEBP", b"WAVE"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_\-\s]+=*\s*")
_TEXTS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), said)
    for pattern, said in (
        (
            rb"--.*content-disposition:",
            "The body is a multipart form. Send only the bytes of the file: curl --data-binary @clip.mp4, not curl -F.",
        ),
        (rb"data:", "The body is a data URL. Decode the base64 in it, then send the bytes."),
        (
            rb"<(!doctype|html|head|body|\?xml|error|!--)",
            "The file is HTML or XML, such as a saved error page. Download the video again, then send it.",
        ),
        (rb"\{", "The body is JSON. Send it with the Content-Type application/json."),
        (
            rb"#EXTM3U|ffconcat",
            "The file is a playlist. Files and addresses in it are not opened. Send the video itself.",
        ),
        (
            rb"(https?|s3|file)://",
            "The body is an address. Addresses are not fetched. Send the video itself.",
        ),
        (rb"version https://git-lfs", "The file is a Git LFS pointer. Run git lfs pull, then send the video itself."),
    )
)
_STRIPPED_MP4: Final = re.compile(rb".{0,3}ftyp", re.DOTALL)


def family_of(head: bytes) -> Family | None:
    """Return which of the supported containers a file's first bytes are, or None."""
    if head[4:8] in _MP4_BOXES:
        return Family.MP4
    if head.startswith(_EBML):
        return Family.MATROSKA
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return Family.AVI
    if head.startswith(b"FLV\1"):
        return Family.FLV
    for size, first in _TS_PACKETS:
        syncs = head[first : first + 5 * size : size]
        if len(syncs) >= 2 and set(syncs) == {0x47}:
            return Family.MPEG_TS
    return None


def refuse_other_files(file: BinaryIO) -> None:
    """Reject a file that is none of the supported containers.

    Raises
    ------
    NotAVideo, UnsupportedContainer, MissingBeginning
        With what the file is and what to do.
    """
    file.seek(0)
    head = file.read(_HEAD)
    wrapped = _lost_bytes(head)
    if wrapped:
        raise wrapped
    if family_of(head) is None:
        raise _what_it_is(head)


def _what_it_is(head: bytes) -> VideoError:
    for magic, name in _CONTAINERS:
        if head.startswith(magic):
            return UnsupportedContainer(f"The file is {name}. Supported: {SUPPORTED}. {CONVERT}")
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return NotAVideo(f"The file is compressed ({name}). Unpack it, then send the video itself.")
    if head.startswith(_PICTURES) or (head.startswith(b"RIFF") and head[8:12] == _STILL_RIFF):
        return NotAVideo("The file is a still picture. Send a video.")
    if head.startswith(_SOUND) or (head.startswith(b"RIFF") and head[8:12] == _SOUND_RIFF):
        return NotAVideo("The file is a sound file. Send a file with a video track.")
    return (
        _later_chunk(head) or _text(head) or NotAVideo(f"The file is not {SUPPORTED.replace('and', 'or')}. {CONVERT}")
    )


def _later_chunk(head: bytes) -> VideoError | None:
    """Recognize what a browser's MediaRecorder gives after its first chunk: WebM from a Cluster or a SimpleBlock on."""
    block = head[:1] == b"\xa3" and len(head) > 12 and head[1] != 0
    track = head[1 + 9 - head[1].bit_length()] if block else 0
    if head.startswith(b"\x1f\x43\xb6\x75") or track in {0x81, 0x82}:
        return MissingBeginning(
            "The file is a later part of a WebM recording: its beginning is missing. "
            "Join all chunks of the recorder, from the first one on, then send them as one file."
        )
    return None


def _text(head: bytes) -> VideoError | None:
    """Recognize text that stands for a video, or around it."""
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    said = next((said for magic, said in _TEXTS if magic.match(begin)), None)
    return NotAVideo(said) if said else _base64_text(head)


def _base64_text(head: bytes) -> VideoError | None:
    text = b"".join(head.split())
    if not _BASE64.fullmatch(head) or len(text) < 32:
        return None
    try:
        decoded = base64.b64decode(text[: len(text) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/")))
    except binascii.Error:
        return None
    if family_of(decoded) is None:
        return None
    return NotAVideo(
        'The body is base64. Decode it and send the bytes, or send the JSON {"video": "<base64>"} '
        "with the Content-Type application/json."
    )


def _lost_bytes(head: bytes) -> VideoError | None:
    """Recognize what is left of a video that a program read as text.

    ``curl -d @file`` drops line ends and zeros, of which every video has some. Some versions also drop what follows a
    zero in its line, so the beginning is missing. Other programs put U+FFFD in the place of bytes.
    """
    if head.count("\ufffd".encode()) >= _REPLACED:
        return NotAVideo("Bytes of the file became text characters. Read the file as bytes, then send them unchanged.")
    begins = _STRIPPED_MP4.match(head) or head.startswith((_EBML, b"RIFF", b"FLV\1"))
    is_long = len(head) >= _LONG_ENOUGH if begins else len(head) >= _VERY_LONG and not _is_utf8(head)
    if not is_long or set(head) & {0, 10, 13}:
        return None
    return NotAVideo(
        "Line ends and zeros of the file are missing: curl -d drops them. Send it with curl --data-binary @clip.mp4."
    )


def _is_utf8(head: bytes) -> bool:
    try:
        head[:-3].decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 8  # only the last character is cut
    return True


_LONG_ENOUGH: Final = 64
"""Bytes; a video's first ones hold a zero."""
_VERY_LONG: Final = 1024
"""Of so many arbitrary bytes one is a zero or a line end, but for one file in 180,000."""
_REPLACED: Final = 16
"""Bytes that became U+FFFD. No video has the three bytes of that character so often in its beginning."""
