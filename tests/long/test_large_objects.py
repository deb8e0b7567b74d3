"""An object of more than a form can carry goes from its event to its Result, a few ranges of S3 at a time."""

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from local.cloud import CREDENTIALS
from testbed.long_video import write_long_video
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.execution_world import KEY, Cloud, Context
from tests.fakes import s3_event
from tests.fakes_aws import MemoryStore
from video_common import limits
from video_common.aws import clients
from video_common.aws.s3 import S3ObjectStore

SIZE = 7_000_000_000
SECONDS, SEGMENTS = 40, 5


class OneFile(http.server.BaseHTTPRequestHandler):
    """S3 with one object, of which ranges can be had. It counts what it sends."""

    protocol_version = "HTTP/1.1"
    path_of_file: ClassVar[Path]
    sent: ClassVar[list[int]] = []

    def do_HEAD(self) -> None:
        self._head(200, SIZE)

    def do_GET(self) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
        assert found
        assert self.headers["If-Match"] == '"0"'
        first, last = int(found[1]), int(found[2])
        self._head(206, last - first + 1)
        with self.path_of_file.open("rb") as file:
            file.seek(first)
            self.sent.append(self.wfile.write(file.read(last - first + 1)))

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"0"')
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


class SparseStore(MemoryStore):
    """A store one of whose objects is in S3. That one can be read in ranges only."""

    def ranges(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> Any:
        store: Any = S3ObjectStore() if (bucket, key) == ("uploads", KEY) else super()
        return store.ranges(bucket, key, version_id, etag)

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        assert (bucket, key) != ("uploads", KEY), "7 GB would be written to the disk"
        super().download(bucket, key, version_id, path)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[OneFile]]:
    """S3 on loopback."""
    OneFile.sent.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneFile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}"}.items():
            monkeypatch.setenv(name, value)
        clients.renew()
        yield OneFile
        server.shutdown()
        thread.join()
    clients.renew()


def peak_mb(*, reset: bool = False) -> float:
    """Return the most memory that this process had, since the last call with ``reset``."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def test_7_gb_go_through_all_tasks_in_ranges(pipeline, monkeypatch, tmp_path, s3):
    clip = write_video(tmp_path / "clip.mp4", portraits(320, 180, [CENTRED] * 30), keyint=30)
    path = write_long_video(tmp_path / "large.mp4", clip, SECONDS, SIZE, filled=True)
    assert path.stat().st_size == SIZE
    assert path.stat().st_blocks * 512 < 50_000_000
    monkeypatch.setattr("tests.execution_world.MemoryStore", SparseStore)
    cloud = Cloud(pipeline, monkeypatch, over_seconds=1e9, segments=SEGMENTS)  # it is its size that asks for segments
    store = cloud.store
    s3.path_of_file = path
    store.objects["uploads", KEY] = b""
    store.metadata_of["uploads", KEY] = {"options": '{"frame_interval": 30, "include": "people"}'}
    event = s3_event(KEY.replace(" ", "+"), size=SIZE, sequencer="1")
    before = peak_mb(reset=True)
    assert cloud.uploads.handle_s3(event, Context())["jobs"][0]["status"] == "STARTED"
    execution = cloud.run()
    assert [name for name, _ in execution.calls] == ["segment"] * SEGMENTS + ["merge"]
    result = cloud.result()
    assert (result["video"]["bytes"], result["video"]["sha256"]) == (SIZE, None)
    assert (result["total_frames_analyzed"], result["frames_with_face"]) == (SECONDS, SECONDS)
    assert sum(person["frames"] for person in result["people"]) == SECONDS
    # Each segment reads its pictures, and some of the holes between them
    assert sum(s3.sent) < SIZE / 10
    assert max(s3.sent) <= limits.RANGE_BYTES
    # In bounded memory: some ranges, and the pictures in analysis
    assert peak_mb() - before < 400
