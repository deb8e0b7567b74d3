"""The command line and the client with real analyses: in process, and by the local server."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from local.processes import started
from testbed.make_video import write_video
from testbed.pictures import ABSENT, CENTRED, TO_THE_LEFT, portraits
from tests.conftest import ROOT, SAMPLE
from tests.job_world import result_of
from tests.servers import environment_of, serving
from video_common import limits
from video_common.metrics import meter
from video_common.schema import Options
from video_emotions.telemetry import record_analysis
from video_emotions_cli.local import Local
from video_emotions_client import Client, Rejected
from video_emotions_client.sending import silent

PROGRAM = [sys.executable, "-m", "video_emotions_cli"]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/cli.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def environment(models_dir):
    return environment_of(models_dir)


@pytest.fixture(scope="module")
def server(environment):
    with serving(environment) as url:
        yield url


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A phone's clip: stored on its side, in another codec, with a moment without a face."""
    pictures = portraits(240, 320, [*[CENTRED] * 20, *[ABSENT] * 10, *[TO_THE_LEFT] * 15])
    return write_video(tmp_path_factory.mktemp("clips") / "phone.mp4", pictures, codec="hevc", rotation=270)


@pytest.fixture
def run(environment, tmp_path):
    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, "analyze", *map(str, arguments)],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def comparable(text: str) -> dict:
    result = json.loads(text)
    del result["timings_ms"]
    result.pop("source", None)  # only an upload has it, and these two
    result["video"] |= {"etag": None, "crc64nvme": None}
    return result


def posted(url: str, path: Path, query: str = "") -> str:
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(f"{url}/process-frame?{query}", data=path.read_bytes(), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.read().decode()


@pytest.mark.parametrize(
    ("video", "options"),
    [("sample", {}), ("phone", {"interval_ms": "500", "include": "timeline", "faceless_frames": "analyze"})],
)
def test_a_local_result_is_the_servers_but_for_timings(run, server, clip, video, options):
    path = clip if video == "phone" else SAMPLE
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    local, remote = run(path, "--json", *flags), run(path, "--json", *flags, VIDEO_EMOTIONS_URL=server)
    assert (local.returncode, remote.returncode) == (0, 0), (local.stderr, remote.stderr)
    answer = posted(server, path, "&".join(f"{name}={value}" for name, value in options.items()))
    assert comparable(local.stdout) == comparable(remote.stdout) == comparable(answer)
    assert list(json.loads(local.stdout)) == list(json.loads(answer))
    assert "eye contact" in local.stderr


@pytest.mark.parametrize("name", ["csv", "vtt"])
def test_a_table_is_the_servers(run, server, clip, name):
    done = run(clip, f"--{name}", "--frame-interval=5")
    assert done.returncode == 0, done.stderr
    assert done.stdout == posted(server, clip, f"frame_interval=5&format={name}").replace("\r\n", "\n")
    assert "happy" in done.stdout
    assert done.stdout.startswith({"csv": "frame_index,", "vtt": "WEBVTT\n"}[name])


def test_a_large_file_and_a_folder_go_by_upload_with_the_same_result(run, server, tmp_path, clip):
    # Given a folder with a file that is too large for a POST
    (folder := tmp_path / "clips").mkdir()
    sample = SAMPLE.read_bytes()
    free = limits.MAX_POST_VIDEO_BYTES
    (folder / "large.mp4").write_bytes(sample + (free + 8).to_bytes(4, "big") + b"free" + bytes(free))
    (folder / "phone.mp4").write_bytes(clip.read_bytes())
    # When it is analyzed on both ways
    for way, options in (("local", []), ("remote", ["--url", server])):
        done = run(folder, "--output", way, *options)
        assert done.returncode == 0, done.stderr
    # Then
    for name in ("large.json", "phone.json"):
        local, remote = ((tmp_path / way / name).read_text() for way in ("local", "remote"))
        assert comparable(local) == comparable(remote)
    assert comparable((tmp_path / "local/large.json").read_text())["overall_dominant_emotion"] == "happy"


def test_a_file_that_is_too_large_for_the_form_goes_in_parts(run, server, tmp_path):
    # Given a file of more than 100 MB, whose upload was begun and lost
    path, sample = tmp_path / "long.mp4", SAMPLE.read_bytes()
    size = limits.MULTIPART_BYTES + 1
    with path.open("wb") as file:
        file.write(sample + (size - len(sample)).to_bytes(4, "big") + b"free")
        file.truncate(size)
    body = json.dumps({"size": size, "content_type": "video/mp4", "frame_interval": 7}).encode()
    request = urllib.request.Request(f"{server}/uploads", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        lost = json.load(response)["job_id"]
    # When it is sent as a new one, and as the lost one
    new = run(path, "--json", "--frame-interval", 7, "--url", server)
    resumed = run(path, "--json", "--resume", lost, "--url", server)
    # Then
    assert (new.returncode, resumed.returncode) == (0, 0), (new.stderr, resumed.stderr)
    whole = posted(server, SAMPLE, "frame_interval=7")
    for done in (new, resumed):
        told = comparable(done.stdout)
        assert told["video"].pop("size_bytes", size) == size
        assert told["average_emotion_scores"] == comparable(whole)["average_emotion_scores"]
    assert "--resume " in new.stderr


def test_pandas_reads_what_the_command_writes(run, clip, tmp_path, monkeypatch):
    assert run(SAMPLE, clip, "--csv", "--output", "results", "--interval-ms", "1000").returncode == 0
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(EXAMPLES[0], "docs/cli.md", "exec"), names)  # noqa: S102 - the page's own example
    table = names["faces"]
    assert set(table.index.get_level_values("video")) == {"sample", "phone"}
    assert table.happy.dropna().between(0, 1).all()
    assert table[table.face.isna()].dominant_emotion.isna().all()


@pytest.mark.parametrize("example", EXAMPLES[1:], ids=["analyze", "upload", "errors"])
def test_the_pages_examples_run(example, server, tmp_path, monkeypatch, capsys):
    assert len(EXAMPLES) == 4
    (tmp_path / "clip.mp4").write_bytes(SAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict = {"url": server, "key": None}
    exec("from video_emotions_client import *", names)  # noqa: S102
    exec(compile(example, "docs/cli.md", "exec"), names)  # noqa: S102
    said = capsys.readouterr().out
    assert re.search(r"happy 12000 36|PENDING|RUNNING|not_a_video The file is", said), said
    assert "result" not in names or names["result"].overall_dominant_emotion == "happy"


def test_errors_of_the_service_reach_the_caller(run, server):
    done = run(ROOT / "Makefile", SAMPLE, "--url", server)
    assert done.returncode == 1
    assert "(not_a_video, request " in done.stderr
    assert "sample.mp4" in done.stdout
    with Client(server) as client, pytest.raises(Rejected) as raised:
        client.analyze(SAMPLE, frames=1)
    assert (raised.value.code, bool(raised.value.request_id)) == ("unknown_option", True)


def test_a_running_job_asks_to_come_back(server):
    with Client(server) as client:
        body = json.dumps({}).encode()
        request = urllib.request.Request(f"{server}/uploads", data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            job_id = json.load(response)["job_id"]
        with urllib.request.urlopen(f"{server}/jobs/{job_id}", timeout=30) as response:
            assert response.headers["Retry-After"] == str(limits.MIN_POLL_SECONDS)
        assert client.job(job_id).status == "PENDING"


def test_an_unreachable_server_and_missing_models_are_told(run, models_dir, tmp_path):
    done = run(SAMPLE, "--url", "http://127.0.0.1:9", "--quiet")
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot be reached" in done.stderr
    done = run(SAMPLE, MODELS_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert "Cannot start: " in done.stderr
    assert "Run: python -m video_models ready" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_copy_is_upright_at_its_own_times_with_boxes(run, clip, tmp_path, reader):
    # When a copy is written, and the Result beside it
    done = run(clip, "--video", "boxes.mp4", "--frame-interval", "5", "--json")
    assert done.returncode == 0, done.stderr
    timeline = json.loads(done.stdout)["timeline"]
    container: Any
    with av.open(str(tmp_path / "boxes.mp4")) as container:
        (stream,) = container.streams
        copy = list(container.decode(stream))
    # Then it has the pictures of the video, upright and at their times
    assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 240, 320)
    _, _, frames = reader.read(clip, Options(frame_interval=1, scale_factor=1.0), 1)
    own = list(frames)
    assert [round(1000 * picture.time) for picture in copy] == [frame.time_ms for frame in own]
    changes = [
        abs(picture.to_ndarray(format="bgr24").astype(int) - frame.image)
        for picture, frame in zip(copy, own, strict=True)
    ]
    assert max(change.mean() for change in changes) < 5
    # And a box where there is a face, and nothing where there is none
    box = timeline[0]["faces"][0]["box"]
    edge = copy[0].to_ndarray(format="bgr24")[box["y"] + box["height"] // 2, box["x"]]
    assert edge.astype(int) == pytest.approx([60, 200, 250], abs=60), "the color of happy"
    assert changes[0].max() > 100
    assert not timeline[4]["faces"]
    assert changes[22].max() < 60


def test_a_copy_of_a_part_has_the_part(run, clip, tmp_path):
    assert run(clip, "--video", "part.mp4", "--start-ms", "300", "--end-ms", "900", "-q").returncode == 0
    with av.open(str(tmp_path / "part.mp4")) as container:
        times = [float(picture.time) for picture in container.decode(video=0)]
    assert (times[0], len(times)) == (0, 18)


def test_a_failed_copy_leaves_no_file(run, tmp_path):
    (tmp_path / "taken.mp4").mkdir()
    (tmp_path / "taken.mp4" / "sample.mp4").mkdir()
    done = run(SAMPLE, "--video", "taken.mp4")
    assert done.returncode == 1, done.stderr
    assert [path.name for path in (tmp_path / "taken.mp4").iterdir()] == ["sample.mp4"]
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_all_without_a_word_too_many(environment, tmp_path):
    # Given an analysis that takes long
    (other := tmp_path / "other.mp4").write_bytes(SAMPLE.read_bytes())
    command = ["env", "--default-signal=INT"]  # a background job of a shell ignores it
    command += [*PROGRAM, "analyze", str(SAMPLE), str(other), "--frame-interval=1", "--output", "out"]
    with started(
        command, environment, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        limit = wait_for_child(process)
        assert int(limit.split("Max cpu time")[1].split()[0]) >= 86_400, "a film takes longer than a function may"
        # When the user presses Ctrl-C
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        # Then
        assert process.returncode == 130, err
        assert (out, err.strip()) == ("", "Stopped.")
        assert wait_until_gone(process.pid)
    assert not list(tmp_path.glob("out/.*"))


@dataclass(frozen=True)
class CountsOnly:
    """A pipeline that only counts what it would have done."""

    reader: Any = None
    settings = SimpleNamespace(worker_threads=1)

    def analyze(self, request):
        record_analysis(result_of(b""))
        return request


def test_many_videos_print_nothing_of_ours(capsys):
    # Powertools prints what it has after the hundredth value. Other tests in this process may have left some.
    meter.clear()
    pipeline: Any = CountsOnly()
    local = Local(pipeline, 1)
    for _ in range(120):
        local.analyze(SAMPLE, Options(), silent)
    assert capsys.readouterr().out == ""


def children(pid: int) -> list[str]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [child for task in tasks for child in task.read_text().split()]


def wait_for_child(process: subprocess.Popen) -> str:
    """Return the limits of the process that decodes: with its request it has confined itself."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for child in children(process.pid):
            with contextlib.suppress(FileNotFoundError):
                limit = Path(f"/proc/{child}/limits").read_text()
                if re.search(r"Max file size\s+0\s", limit):
                    return limit
        time.sleep(0.05)
    pytest.fail("it does not analyze")


def wait_until_gone(session: int) -> bool:
    """Report whether the children end. They are in the session of the program that is gone."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        done = subprocess.run(["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True)
        if not done.stdout.strip():
            return True
        time.sleep(0.1)
    return False
