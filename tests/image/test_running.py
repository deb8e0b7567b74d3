"""The images at work."""

import json

import pytest

from local.emulator import emulator
from local.image import DEFAULT_MODEL
from tests.contract.test_events import EVENTS, EXPECTED
from tests.image.conftest import CONFINED, HERE, MEMORY, running

RUNS = [("slim", "onnx"), ("full", "onnx"), ("full", "tensorflow")]
CLIP = EVENTS["clip-raw-v1"]
MARKS = (".keras", "__autograph_generated_file", "__pycache__")
"""What TensorFlow leaves in /tmp, once a process."""


def result(answer: dict) -> dict:
    assert answer["statusCode"] == 200, answer
    body = json.loads(answer["body"])
    body.pop("timings_ms")
    return body


@pytest.mark.parametrize(("kind", "emotion_engine"), RUNS, indirect=["kind"])
def test_confined_the_result_is_the_hosts(image, engine, emotion_engine, models_dir):
    # Given the host's result
    variables = {"EMOTION_MODEL": DEFAULT_MODEL, "EMOTION_ENGINE": emotion_engine, "MODELS_DIR": str(models_dir)}
    with emulator({**variables, "POWERTOOLS_LOG_LEVEL": "ERROR"}, seconds=120) as host:
        expected = result(host.invoke(CLIP))
    # When the image runs without a network, a disk to write, or rights
    settings = ("--env", f"EMOTION_ENGINE={emotion_engine}", "--env", "AWS_LAMBDA_FUNCTION_TIMEOUT=120")
    with running(engine, image, *CONFINED, *settings) as container:
        answers = [container.invoke(CLIP) for _ in range(2)]
        left = container.python("import os; print(*os.listdir('/tmp'), sep='\\n')")
        logs = container.logs()
    # Then its result is the same, twice; the work directory is empty, and nothing wanted to report home
    assert [result(answer) for answer in answers] == [expected, expected]
    assert expected["model"]["engine"] == emotion_engine
    assert [name for name in left.split() if not name.startswith(MARKS)] == []
    assert "telemetry" not in logs.lower()


@pytest.mark.parametrize("event", [name for name, wanted in EXPECTED.items() if isinstance(wanted, tuple)])
@pytest.mark.parametrize("kind", ["slim"], indirect=True)
def test_api_events_are_answered(event, confined):
    answer = confined.invoke(EVENTS[event])
    assert (answer["statusCode"], json.loads(answer["body"]).get("code")) == EXPECTED[event]


@pytest.fixture(scope="module")
def confined(image, engine):
    with running(engine, image, *CONFINED) as container:
        yield container


@pytest.mark.parametrize(("kind", "emotion_engine"), RUNS, indirect=["kind"])
def test_nothing_is_written_outside_tmp_and_nothing_is_fetched(image, engine, emotion_engine):
    # Given a container that could write everywhere, as root, and writes down what Python does
    watched = ("--volume", f"{HERE / 'sitecustomize.py'}:/watch/sitecustomize.py:ro")
    path = ("--env", "PYTHONPATH=/watch:/var/task:/opt/python", "--env", f"EMOTION_ENGINE={emotion_engine}")
    flags = ("--network", "none", "--user", "0:0", "--memory", f"{MEMORY}m", "--env", "AWS_LAMBDA_FUNCTION_TIMEOUT=120")
    with running(engine, image, *flags, *watched, *path) as container:
        # When a clip is analyzed
        result(container.invoke(CLIP))
        changes = engine.output("diff", container.id).splitlines()
        audited = container.python("print(open('/tmp/audit.log').read())").split("\n")
    # And the function's process was watched
    watched_processes = [line for line in audited if line.startswith("watching ")]
    assert any("awslambdaric" in line for line in watched_processes), audited
    # Then the disk differs in /tmp (and in where we mounted the watch) alone
    places = ("/tmp", "/watch", "/etc", "/run", "/dev", "/proc", "/sys")
    assert [line for line in changes if not line.split()[1].startswith(places)] == []
    assert [line for line in changes if line.split()[1].startswith("/etc/") and line[0] != "C"] == []
    # And no address was looked up or connected to, and no program started but the children that read files
    # (and TensorFlow asks `uname` what the processor is)
    told = [line for line in audited if line and line not in watched_processes]
    expected = ("127.0.0.1", "['uname', '-p']", "'-m', 'video_emotions.child']", "/proc/self/oom_score_adj")
    assert [line for line in told if not any(part in line for part in expected)] == []


@pytest.mark.parametrize("kind", ["slim"], indirect=True)
def test_the_slim_image_says_that_it_has_no_tensorflow(image, engine):
    with running(engine, image, *CONFINED, "--env", "EMOTION_ENGINE=tensorflow") as container:
        container.invoke(EVENTS["health-v1"])
        assert "the image was built with ENGINES=onnx" in container.logs()


@pytest.mark.parametrize("kind", ["slim"], indirect=True)
def test_a_changed_byte_of_the_weights_fails_the_start(image, engine, tmp_path):
    # Given the image's weights with one bit turned
    source = engine.output("create", image)
    engine.run("cp", f"{source}:/opt/models", str(tmp_path), capture_output=True)
    engine.run("rm", source, capture_output=True)
    weights = tmp_path / "models" / ".deepface" / "weights" / "compact.onnx"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(content)
    # When a function starts with them
    with running(engine, image, *CONFINED, "--volume", f"{tmp_path / 'models'}:/opt/models:ro") as container:
        answer = container.invoke(EVENTS["health-v1"])
        logs = container.logs()
    # Then it does not
    assert answer.get("statusCode") != 200, answer
    assert "ModelUnavailable" in logs
    assert "has the sha256" in logs
