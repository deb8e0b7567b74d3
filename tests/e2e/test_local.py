"""`make run` and `make serve`, as a person runs them."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from local import serve
from local.processes import free_ports, listens, wait_until
from testbed.make_video import write_video
from testbed.pictures import CENTRED, portraits
from tests.conftest import ROOT, SAMPLE
from tests.servers import environment_of, serving
from video_common import limits

TRUTH = json.loads((ROOT / "tests/data/sample.truth.json").read_text())["sampled"]


@pytest.fixture(scope="module")
def environment(models_dir) -> dict[str, str]:
    return environment_of(models_dir)


def run(environment, *arguments):
    command = [sys.executable, "-m", "local.run", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_run_prints_the_result_alone_and_a_summary_beside_it(environment):
    done = run(environment)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["overall_dominant_emotion"] == "happy"
    for name in ("total_frames_analyzed", "frames_with_face"):
        assert result[name] == TRUTH[name]
    assert "happy" in done.stderr
    assert "eye contact" in done.stderr


def test_the_emulator_and_the_command_line_give_the_same_result(environment):
    options = "frame_interval=60&include=timeline"
    by_emulator = run(environment, str(SAMPLE), "--options", options)
    command = [sys.executable, "-m", "video_emotions_cli", "analyze", str(SAMPLE), "--json"]
    command += ["--frame-interval=60", "--include=timeline"]
    here = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    one, other = (json.loads(done.stdout) for done in (by_emulator, here))
    del one["timings_ms"], other["timings_ms"]
    assert one == other


def test_run_takes_a_file_and_options(environment):
    done = run(environment, str(SAMPLE), "--options", "frame_interval=60&include=timeline")
    assert done.returncode == 0, done.stderr
    assert [seen["index"] for seen in json.loads(done.stdout)["timeline"]] == list(range(0, 360, 60))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-file.mp4"], "Cannot read no-such-file.mp4"),
        ([str(ROOT / "Makefile")], "422 The file is not a video"),
        ([str(SAMPLE), "--options", "frames=1"], "'frames' is not an option"),
        (["/dev/null"], "400 No video in the request"),
    ],
)
def test_run_says_what_is_wrong(environment, arguments, said):
    done = run(environment, *arguments)
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_run_refuses_what_the_emulator_would_cut(environment, tmp_path):
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(limits.MAX_POST_VIDEO_BYTES + 1))
    done = run(environment, str(large))
    assert done.returncode == 1
    assert "a POST carries 4,500,000" in done.stderr


def test_a_taken_port_is_told(environment, server):
    command = [sys.executable, "-m", "local.serve", "--port", server.rpartition(":")[2]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Is another server running?" in done.stderr


def test_missing_weights_are_told_at_the_start(environment, tmp_path):
    done = run(environment | {"MODELS_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert "compact" in done.stderr or "facial_expression" in done.stderr
    assert "The function failed at its start" in done.stderr
    assert done.stdout == ""


@pytest.fixture(scope="module")
def server(environment):
    with serving(environment) as url:
        yield url


def test_the_seeds_curl_line_works_word_for_word_but_for_the_port(server, tmp_path):
    (tmp_path / "sample_video.mp4").write_bytes(SAMPLE.read_bytes())
    command = (
        "curl -sS -X POST --data-binary @sample_video.mp4 "
        '-H "Content-Type: application/octet-stream" http://127.0.0.1:5000/process-frame'
    )
    command = command.replace("http://127.0.0.1:5000", server)
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["overall_dominant_emotion"] == "happy"
    assert result["total_frames_analyzed"] == TRUTH["total_frames_analyzed"]


def answer(url: str, body: bytes | None = None) -> dict:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def uploaded(server: str, video: Path, frame_interval: int) -> str:
    """Upload a video, and return the address of its job."""
    asked = answer(f"{server}/uploads", json.dumps({"frame_interval": frame_interval}).encode())
    job = f"{server}/jobs/{asked['job_id']}"
    assert answer(job)["status"] == "PENDING"
    fields = [part for pair in asked["upload"]["fields"].items() for part in ("--form-string", "=".join(pair))]
    upload = ["curl", "-sS", "--fail", *fields, "--form", f"file=@{video}", asked["upload"]["url"]]
    subprocess.run(upload, check=True, capture_output=True, timeout=60)
    return job


def job_after(url: str, *statuses: str) -> dict:
    """Wait until a job has none of the statuses any more."""
    deadline = time.monotonic() + 60
    while (job := answer(url))["status"] in statuses:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return job


def test_an_upload_through_the_server(server):
    job = job_after(uploaded(server, SAMPLE, 60), "PENDING", "RUNNING")
    assert job["result"]["total_frames_analyzed"] == 6


def test_ctrl_c_ends_the_server_in_the_middle_of_an_upload(environment, tmp_path):
    # Given an upload whose analysis takes long
    (folder := tmp_path / "tmp").mkdir()
    video = write_video(tmp_path / "long.mp4", portraits(640, 360, [CENTRED] * 400))
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "local.serve", "--port", str(port)]
    with subprocess.Popen(
        command, env={**environment, "TMPDIR": str(folder)}, cwd=ROOT, stderr=subprocess.PIPE
    ) as server:
        try:
            wait_until(lambda: listens(("127.0.0.1", port)), server, 60)
            job_after(uploaded(f"http://127.0.0.1:{port}", video, 1), "PENDING")
            # When a person stops the server
            server.send_signal(signal.SIGINT)
            said = server.communicate(timeout=60)[1].decode()
        finally:
            server.kill()
    # Then it ends at once, says so, and leaves nothing
    assert server.returncode == 0
    assert "Stopped in the middle of an upload's analysis." in said
    assert list(folder.glob("video-emotions-serve-*")) == []


def test_serve_keeps_the_deployed_clock(monkeypatch):
    # Given a function that reports how long it has, and when its request arrived
    def handler(event, context):
        return {"left": context.get_remaining_time_in_millis(), "arrived": event.get("requestContext", {})}

    monkeypatch.setitem(sys.modules, "video_emotions.handler", SimpleNamespace(handler=handler))
    posted, uploaded = serve._analyze({"requestContext": {"timeEpoch": 0}}), serve._analyze({"Records": []})
    # Then a POST has the API function's time from its arrival, and an upload the worker's
    assert 0 <= 1000 * limits.API_SECONDS - posted["left"] < 500
    assert -1 <= time.time() * 1000 - posted["arrived"]["timeEpoch"] < 5000  # milliseconds are rounded
    assert 0 <= 1000 * limits.WORKER_SECONDS - uploaded["left"] < 500


def status_of(url: str, method: str) -> tuple[int, bytes, str | None]:
    """Return a response's status, its body and its ``Allow``."""
    request = urllib.request.Request(url, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read(), response.headers["Allow"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers["Allow"]


def test_methods_and_slashes_over_http(server):
    assert status_of(f"{server}/", "HEAD") == (200, b"", None)
    for path, function in (("/process-frame", "analyze"), ("/uploads", "jobs")):
        for url in (f"{server}{path}", f"{server}{path}/"):
            status, body, allow = status_of(url, "DELETE")
            assert (status, json.loads(body)["code"], allow) == (405, "method_not_allowed", "OPTIONS, POST"), function
    assert status_of(f"{server}/jobs/{'0' * 32}/", "HEAD") == (404, b"", None)
    assert status_of(f"{server}/uploads/", "POST")[0] == 200


def test_health_and_errors_over_http(server):
    with urllib.request.urlopen(server) as response:
        assert json.load(response)["status"] == "ok"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{server}/process-frame", data=b"", timeout=10)
    with raised.value as error:
        assert error.code == 415  # urllib sends a form's Content-Type
        assert error.headers["Content-Type"] == "application/problem+json"
        assert json.load(error)["code"] == "unsupported_media_type"
