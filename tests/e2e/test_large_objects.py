"""A large object goes to the disk as it comes, in a process whose memory does not grow with it."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from local.cloud import CREDENTIALS
from tests.conftest import ROOT
from video_common import limits

GIGABYTE = 1_000_000_000
CODE = """
import json, resource, sys
from pathlib import Path
from video_common.aws.s3 import S3ObjectStore
from video_common.errors import VideoTooLarge
path, store = Path(sys.argv[1]), S3ObjectStore()
store.download("bucket", "1000000", None, path)  # what boto3 itself needs
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    store.download("bucket", sys.argv[2], None, path)
    refused = False
except VideoTooLarge:
    refused = True
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"grown_mb": (after - before) / 1024, "bytes": path.stat().st_size, "refused": refused}))
"""
BLOCK = bytes(range(256)) * 4096


class Streams(http.server.BaseHTTPRequestHandler):
    """Has an object for every number: as many bytes, made as they are sent. Answers HEAD and GET with a range."""

    protocol_version = "HTTP/1.1"
    sent = 0

    def do_HEAD(self) -> None:
        self._head(200, self._size())

    def do_GET(self) -> None:
        size = self._size()
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
        assert found
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
        self._head(206, last - first + 1, f"bytes {first}-{last}/{size}")
        left = last - first + 1
        while left:
            part = BLOCK[: min(left, len(BLOCK))]
            self.wfile.write(part)
            left -= len(part)
            type(self).sent += len(part)

    def _size(self) -> int:
        return int(self.path.partition("?")[0].rpartition("/")[2])

    def _head(self, status: int, length: int, content_range: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"0"')
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Streams.sent = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Streams) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def download(url: str, size: int, tmp_path) -> dict:
    variables = os.environ | CREDENTIALS | {"AWS_ENDPOINT_URL": url}
    command = [sys.executable, "-c", CODE, str(tmp_path / "video"), str(size)]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=200)
    (tmp_path / "video").unlink(missing_ok=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_gigabytes_in_bounded_memory(url, tmp_path):
    told = download(url, 2 * GIGABYTE, tmp_path)
    assert told["bytes"] == 2 * GIGABYTE
    assert told["grown_mb"] < 200


def test_an_object_over_the_limit_is_refused_before_it_is_fetched(url, tmp_path):
    told = download(url, limits.MAX_UPLOAD_VIDEO_BYTES + 1, tmp_path)
    assert told["refused"]
    assert Streams.sent == 1_000_000  # the first one's
