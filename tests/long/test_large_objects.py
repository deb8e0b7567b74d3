"""An object of more than a form can carry goes from its event to its Result, a few ranges at a time."""

from pathlib import Path
from typing import Any

from testbed.long_video import write_long_video
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.execution_world import KEY, Cloud, Context
from tests.fakes import s3_event
from tests.fakes_aws import MemoryStore
from video_common import limits

SIZE = 7_000_000_000
SECONDS, SEGMENTS = 40, 5


class Large:
    """Ranges of a file, which are counted."""

    def __init__(self, path: Path) -> None:
        self._path, self.size, self.read_bytes = path, path.stat().st_size, 0

    def read(self, start: int, end: int) -> bytes:
        assert end - start <= limits.RANGE_BYTES
        self.read_bytes += end - start
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


class SparseStore(MemoryStore):
    """A store one of whose objects is a file. That one can be read in ranges only."""

    large: Large

    def ranges(self, bucket: str, key: str, version_id: str | None = None, etag: str | None = None) -> Any:
        return self.large if (bucket, key) == ("uploads", KEY) else super().ranges(bucket, key, version_id, etag)

    def download(self, bucket: str, key: str, version_id: str | None, path: Path) -> None:
        assert (bucket, key) != ("uploads", KEY), "7 GB would be written to the disk"
        super().download(bucket, key, version_id, path)


def test_7_gb_go_through_all_tasks_in_ranges(pipeline, monkeypatch, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", portraits(320, 180, [CENTRED] * 30), keyint=30)
    path = write_long_video(tmp_path / "large.mp4", clip, SECONDS, SIZE, filled=True)
    assert path.stat().st_size == SIZE
    assert path.stat().st_blocks * 512 < 50_000_000
    monkeypatch.setattr("tests.execution_world.MemoryStore", SparseStore)
    cloud = Cloud(pipeline, monkeypatch, over_seconds=1e9, segments=SEGMENTS)  # it is its size that asks for segments
    store: Any = cloud.store
    store.large = Large(path)
    store.objects["uploads", KEY] = b""
    store.metadata_of["uploads", KEY] = {"options": '{"frame_interval": 30, "include": "people"}'}
    event = s3_event(KEY.replace(" ", "+"), size=SIZE, sequencer="1")
    assert cloud.uploads.handle_s3(event, Context())["jobs"][0]["status"] == "STARTED"
    execution = cloud.run()
    assert [name for name, _ in execution.calls] == ["segment"] * SEGMENTS + ["merge"]
    result = cloud.result()
    assert (result["video"]["bytes"], result["video"]["sha256"]) == (SIZE, None)
    assert (result["total_frames_analyzed"], result["frames_with_face"]) == (SECONDS, SECONDS)
    assert sum(person["frames"] for person in result["people"]) == SECONDS
    # Each segment reads its pictures, and some of the holes between them
    assert store.large.read_bytes < SIZE / 10
