"""The request's file, and that nothing stays behind."""

import errno

import pytest

from tests.fakes_aws import Faults, MemoryStore
from video_common.errors import ConfigurationError, ObjectMissing, StorageUnavailable
from video_common.schema import Options
from video_common.upload import S3Object
from video_emotions import workspace
from video_emotions.video_request import VideoRequest
from video_emotions.workspace import PREFIX, remove_leftovers, video_file

KEY = "../../etc/passwd.m3u8"
OBJECT = VideoRequest(S3Object("uploads", KEY, None), Options())


def test_posted_bytes_become_a_file_of_a_name_of_ours(tmp_path):
    with video_file(VideoRequest(b"abc", Options()), tmp_path, None) as path:
        assert path.read_bytes() == b"abc"
        assert path.name == "video"
        assert path.parent.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_an_objects_key_never_reaches_the_file_system(tmp_path):
    store = MemoryStore({("uploads", KEY): b"abc"})
    with video_file(OBJECT, tmp_path, store) as path:
        assert (path.name, path.parent.parent, path.read_bytes()) == ("video", tmp_path, b"abc")
    assert not list(tmp_path.iterdir())


def test_two_requests_do_not_share_a_file(tmp_path):
    request = VideoRequest(b"abc", Options())
    with video_file(request, tmp_path, None) as one, video_file(request, tmp_path, None) as two:
        assert one != two


def test_nothing_stays_when_the_analysis_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), video_file(VideoRequest(b"abc", Options()), tmp_path, None):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [StorageUnavailable("down"), ObjectMissing("gone")])
def test_nothing_stays_when_the_download_breaks_off(tmp_path, error):
    store = MemoryStore({("uploads", KEY): b"abcdef"}, faults=Faults({("download", KEY): [error]}))
    with pytest.raises(type(error)), video_file(OBJECT, tmp_path, store):
        pass
    assert not list(tmp_path.iterdir())


def test_an_object_without_a_store_is_a_wrong_configuration(tmp_path):
    with pytest.raises(ConfigurationError), video_file(OBJECT, tmp_path, None):
        pass
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_failure_for_the_time_being(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    store = MemoryStore({("uploads", KEY): b"a"}, faults=Faults({("download", KEY): [full]}))
    with pytest.raises(StorageUnavailable), video_file(OBJECT, tmp_path, store):
        pass
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_failure_for_the_time_being_on_post_too(tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "FILE_NAME", "/dev/full")
    with pytest.raises(StorageUnavailable), video_file(VideoRequest(b"abc", Options()), tmp_path, None):
        pass
    assert not list(tmp_path.iterdir())


def test_another_error_of_the_disk_is_not_hidden(tmp_path):
    with pytest.raises(FileNotFoundError), video_file(VideoRequest(b"abc", Options()), tmp_path / "none", None):
        pass


def test_leftovers_of_lost_workers_are_removed_and_nothing_else(tmp_path):
    (tmp_path / f"{PREFIX}1").mkdir()
    (tmp_path / f"{PREFIX}1" / "video").write_bytes(b"left")
    (tmp_path / "other").mkdir()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_file_of_this_computer_is_read_where_it_is_and_stays(tmp_path):
    (own := tmp_path / "clip.mp4").write_bytes(b"abc")
    (work := tmp_path / "work").mkdir()
    with video_file(VideoRequest(own, Options()), work, None) as path:
        assert path == own
        assert not list(work.iterdir())
    assert own.read_bytes() == b"abc"
