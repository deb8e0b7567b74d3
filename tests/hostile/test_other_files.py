"""Files that name other files or hosts: nothing but the file itself is opened, and nothing is connected.

``strace`` reports the system calls of the real child, those of C code included.
"""

import io
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hostile.mutants import good_clip
from video_common import limits
from video_common.schema import Options
from video_emotions import wire
from video_emotions.child_process import COMMAND, ENVIRONMENT

HOST = "127.0.0.1:9"
NAME = "video.m3u8"
"""FFmpeg follows a playlist only if it has such a name. Our files have none."""
_OWN = (sys.prefix, sys.base_prefix, str(ROOT), "/dev/null", "/proc/self/", "/sys/")
"""What Python and its libraries open for themselves, after the request too: modules that are imported late."""
_CALL = re.compile(r"^\d+ +(\w+)\((.*)$")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPENS = {"open", "openat", "openat2", "creat", "execve"}
_NETWORK = {"socket", "connect", "bind", "sendto", "sendmsg", "socketpair"}


@pytest.fixture(scope="module")
def trace(tmp_path_factory) -> Callable[..., tuple[set[str], list[str]]]:
    """Return what a command opens and which calls of the network it makes, from a text in its trace on."""
    if not shutil.which("strace"):
        pytest.skip("strace is not here: install Debian's package of that name")
    log = tmp_path_factory.mktemp("trace") / "log"
    calls = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=%file,%network,write", "-e", "signal=none", "-o"]
    if subprocess.run([*calls, str(log), "true"], capture_output=True).returncode:
        pytest.skip("strace cannot trace processes here: the kernel or a container forbids it")

    def run(command: list[str], since: str, request: bytes = b"") -> tuple[set[str], list[str]]:
        subprocess.run([*calls, str(log), *command], input=request, capture_output=True, env=ENVIRONMENT, check=True)
        opened, network, has_begun = set[str](), list[str](), False
        for line in log.read_text(errors="replace").splitlines():
            has_begun |= since in line
            found = _CALL.match(line) if has_begun else None
            if found and found[1] in _OPENS and (path := _PATH.search(found[2])):
                opened.add(path[1])
            elif found and found[1] in _NETWORK:
                network.append(line)
        assert has_begun
        return {path for path in opened if not path.startswith(_OWN)}, network

    return run


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def with_box(data: bytes, parents: tuple[bytes, ...], new: bytes) -> bytes:
    """Replace the last box of a path of boxes, and correct the sizes of the others. Nothing may follow that moves."""
    places, start = [], 0
    for name in parents:
        start = data.index(name, start) - 4
        places.append(start)
    end = start + int.from_bytes(data[start : start + 4], "big")
    for place in places[:-1]:
        size = int.from_bytes(data[place : place + 4], "big") + len(new) - (end - start)
        data = data[:place] + size.to_bytes(4, "big") + data[place + 4 :]
    return data[:start] + new + data[end:]


def alias(path: str) -> bytes:
    """Write a ``dref`` whose pictures are in another file: an alias of the Mac OS, with its absolute path."""
    text = path.encode() + b"\0" * (len(path) % 2)
    record = bytes(10) + b"\0" + bytes(27) + bytes(12) + b"\0" + bytes(63) + bytes(16) + struct.pack(">HH", 1, 1)
    record += bytes(16) + struct.pack(">HH", 2, len(text)) + text + struct.pack(">HH", 0xFFFF, 0)
    return box(b"dref", bytes(7) + b"\1" + box(b"alis", bytes(4) + record))


def linked_segments(data: bytes, path: str) -> bytes:
    """Name the segments before and after in a Matroska file, in place of its empty bytes."""
    void = data.index(b"\xec\x01")
    room = 9 + int.from_bytes(data[void + 2 : void + 9], "big")
    name = path.encode()[-30:]
    names = b"".join(bytes.fromhex(kind) + bytes([0x80 | len(name)]) + name for kind in ("3C83AB", "3E83BB"))
    info = bytes.fromhex("1549A966") + bytes([0x80 | len(names)]) + names
    rest = room - len(info)
    return data[:void] + info + b"\xec" + bytes([0x80 | rest - 2]) + bytes(rest - 2) + data[void + room :]


TRACK = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
SDP = f"v=0\r\no=- 0 0 IN IP4 {HOST[:-2]}\r\ns=-\r\nc=IN IP4 {HOST[:-2]}\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n"
LIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
MPD = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static">'
    "<Period><AdaptationSet><Representation><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>"
)


def as_ts(text: str) -> str:
    """Let a text begin as MPEG-TS does, with a G at every 188 characters."""
    lines = "G=0\r\n" + text
    return lines + "\r\n" * ((188 - len(lines)) // 2) + " " * (len(lines) % 2) + "G" + " " * 187 + "G\r\n"


def naming(other: str) -> Mapping[str, bytes]:
    """Return files that name another file, or a host."""
    texts = {
        "concat list": f"ffconcat version 1.0\nfile '{other}'\n",
        "HLS playlist of a file": LIST.format(other),
        "HLS playlist of a host": LIST.format(f"http://{HOST}/part.ts"),
        "HLS playlist with a key": LIST.format(other).replace(
            "#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="http://{HOST}/key"\n#EXTINF'
        ),
        "DASH manifest": MPD.format(f"http://{HOST}/video.mp4"),
        "SDP": SDP,
        "SDP that begins as MP4": SDP.replace("v=0\r\n", "v=0\nfree\n"),
        "SDP that begins as MPEG-TS": as_ts(SDP),
        "SVG": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://{HOST}/a.png"/></svg>',
        "ASX": f'<asx version="3.0"><entry><ref href="http://{HOST}/video"/></entry></asx>',
        "NFO": f"<movie><fanart url='http://{HOST}/a.jpg'/></movie>",
        "VobSub index": "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n",
        "cue sheet": f'FILE "{other}" BINARY\n  TRACK 01 MODE1/2352\n',
    }
    mov = good_clip("hevc.mov")
    url = box(b"dref", bytes(7) + b"\1" + box(b"url ", bytes(4) + f"http://{HOST}/a.mov\0".encode()))
    reference = box(
        b"rmra", box(b"rmda", box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(other)) + other.encode()))
    )
    return {name: text.encode() for name, text in texts.items()} | {
        "MOV with pictures in another file": with_box(mov, TRACK, alias(other)),
        "MOV with pictures on a host": with_box(mov, TRACK, url),
        "MOV that refers to a movie": box(b"ftyp", b"qt  \0\0\0\0") + box(b"moov", reference),
        "MKV of linked segments": linked_segments(good_clip("vp8.mkv"), other),
    }


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """Another file, which could be read."""
    path = tmp_path_factory.mktemp("other") / "o.mov"
    path.write_bytes(good_clip("hevc.mov"))
    return path


def asked(path: Path) -> bytes:
    """Return the request of a child, as its reader sends it."""
    record = io.BytesIO()
    options = Options(frame_interval=1).model_dump(mode="json")
    memory, seconds = limits.DECODER_MEMORY_BYTES, limits.DECODER_CPU_SECONDS
    request = {"path": str(path), "options": options, "threads": 2, "memory_bytes": memory, "cpu_seconds": seconds}
    wire.send(record, request)  # type: ignore[arg-type]  # written like a file
    return record.getvalue()


def test_a_good_file_is_all_that_a_child_opens(trace, other):
    opened, network = trace(list(COMMAND), READY, asked(other))
    assert opened == {str(other)}
    assert network == []


@pytest.mark.parametrize("name", naming("/o"))
def test_a_child_opens_nothing_that_a_file_names(trace, other, tmp_path, name):
    path = tmp_path / NAME
    path.write_bytes(naming(str(other))[name])
    opened, network = trace(list(COMMAND), READY, asked(path))
    assert opened == {str(path)}
    assert network == []


READY, BEGINS = r"{\"ready\": true", 'write(1, "begins'
"""What a process writes when all that it needs itself is open, as strace shows it."""

OPENS = """
import sys
from contextlib import suppress
from pathlib import Path
import av
from video_common.errors import VideoError
from video_emotions.decoder import open_video
av.logging.set_level(None)
def guarded(path):
    with suppress(VideoError), open_video(Path(path), 2) as video:
        list(video.packets())
def free(path, **options):
    with suppress(OSError, av.error.FFmpegError), av.open(path, options=options) as container:
        next(container.decode(video=0), None)
print("begins", flush=True)
"""


def test_the_decoder_alone_opens_nothing_that_a_file_names(trace, other, tmp_path):
    # Nothing is rejected here before FFmpeg sees it, so the first bytes do not matter.
    paths = []
    for number, data in enumerate(naming(str(other)).values()):
        paths.append(tmp_path / str(number) / NAME)
        paths[-1].parent.mkdir()
        paths[-1].write_bytes(data)
    code = f"{OPENS}\nfor path in sys.argv[1:]: guarded(path)"
    opened, network = trace([sys.executable, "-c", code, *map(str, paths)], BEGINS)
    assert opened == {str(path) for path in paths}
    assert network == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("concat list", "safe='0'"),
        ("HLS playlist of a file", "allowed_extensions='ALL', extension_picky='0'"),
        ("MOV with pictures in another file", "enable_drefs='1', use_absolute_path='1'"),
    ],
)
def test_without_our_options_the_other_file_is_opened(trace, other, tmp_path, name, options):
    path = tmp_path / NAME
    path.write_bytes(naming(str(other))[name])
    code = f"{OPENS}\nfree(sys.argv[1], {options})"
    opened, _ = trace([sys.executable, "-c", code, str(path)], BEGINS)
    assert {Path(each).name for each in opened} == {NAME, other.name}


@pytest.mark.parametrize("name", ["HLS playlist of a host", "SDP", "SDP that begins as MPEG-TS"])
def test_without_our_options_the_host_is_connected(trace, other, tmp_path, name):
    path = tmp_path / NAME
    path.write_bytes(naming(str(other))[name])
    options = "protocol_whitelist='file,http,tcp,udp,rtp'"
    ends = "import os, threading; threading.Timer(5, os._exit, [0]).start()"
    code = f"{OPENS}\n{ends}\nfree(sys.argv[1], {options})\nos._exit(0)"
    _, network = trace([sys.executable, "-c", code, str(path)], BEGINS)
    assert network
