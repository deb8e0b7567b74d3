"""The project as SAM builds and runs it: `make sam-local`. Nothing is left running afterwards."""

import base64
import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from events.make_events import write
from local.cloud import Cloud, emulated_cloud
from local.engine import Engine, find_engine, install
from local.image import DEFAULT_MODEL, available_detectors, fill_mirror
from local.processes import ProcessError, listens, run, started, wait_until
from local.standin import base_image
from tests.conftest import ROOT, SAMPLE
from tests.contract.test_events import EVENTS, EXPECTED, check, uploaded  # noqa: F401 - a fixture
from video_emotions.settings import Settings

SAM = ROOT / ".tools" / "bin" / "sam"
BUILT = ROOT / ".aws-sam" / "build"
PORT = 5000
URL = f"http://127.0.0.1:{PORT}"

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="session", autouse=True)
def no_network() -> None:
    """Here the engine's bridge is a destination too."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find_engine()


@pytest.fixture(scope="module")
def sam(engine: Engine) -> Iterator[dict[str, str]]:
    """The environment in which SAM finds the engine."""
    with engine.docker_host() as found:
        # Of a variable that the template names, `sam local` would take the value of this machine (make sets some).
        mine = {name: value for name, value in engine.variables.items() if name.lower() not in Settings.model_fields}
        yield {**mine, **found, "SAM_CLI_TELEMETRY": "0"}


@pytest.fixture(scope="module")
def cloud(engine: Engine) -> Iterator[Cloud]:
    """Moto where containers reach it, and nobody else: on the engine's own bridge, which is up while a container is."""
    holder = engine.output("run", "--detach", "--entrypoint", "sleep", base_image(engine), "3600")
    try:
        name, path = ("podman", ".Subnets") if engine.name == "podman" else ("bridge", ".IPAM.Config")
        template = f"{{{{range {path}}}}}{{{{.Gateway}}}} {{{{end}}}}"
        gateway = engine.output("network", "inspect", name, "--format", template).split()[0]
        try:
            with socket.socket() as probe:
                probe.bind((gateway, 0))
        except OSError as error:
            pytest.fail(
                f"The bridge {gateway} of {engine.name} is no address of this machine ({error}): an engine in a "
                "virtual machine, or without root, cannot reach the emulated storage."
            )
        with emulated_cloud(gateway) as made:
            yield made
    finally:
        engine.remove(holder)


@pytest.fixture(scope="module")
def built(engine: Engine, sam: dict[str, str], cloud: Cloud) -> Path:
    """The template that `sam build` wrote, with what no deployment has: where the emulated storage is."""
    fill_mirror()
    overrides = {"EmotionModel": DEFAULT_MODEL, "BaseImage": base_image(engine), "Detectors": available_detectors()}
    pairs = [f"ParameterKey={name},ParameterValue={value}" for name, value in overrides.items()]
    command(["build", "--no-cached", "--parameter-overrides", *pairs], sam, 1500)
    template = yaml.safe_load((BUILT / "template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            variables = resource["Properties"].setdefault("Environment", {}).setdefault("Variables", {})
            variables |= {"AWS_ENDPOINT_URL": cloud.url}
            variables |= {name: value for name, value in cloud.variables.items() if name in variables}
    template["Parameters"]["EmotionModel"]["Default"] = DEFAULT_MODEL
    path = BUILT / "template-local.yaml"
    path.write_text(yaml.safe_dump(template))
    return path


def files(built: Path) -> list[str]:
    return ["--config-file", str(ROOT / "samconfig.toml"), "--template", str(built)]


def command(arguments: list[str], variables: dict[str, str], seconds: int) -> str:
    done = run([str(SAM), *arguments], variables, seconds, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def test_sam_builds_one_image_with_the_parameters(built, engine):
    template = yaml.safe_load(built.read_text())
    images = {item["Properties"].get("ImageUri") for item in template["Resources"].values()} - {None}
    assert len({engine.output("image", "inspect", "--format", "{{.Id}}", image) for image in images}) == 1
    environment = engine.output("image", "inspect", "--format", "{{json .Config.Env}}", next(iter(images)))
    assert f"EMOTION_MODEL={DEFAULT_MODEL}" in json.loads(environment)


def test_the_zip_has_the_description_of_the_api(built):
    # In the project it is a link out of the folder that SAM builds.
    zipped = BUILT / "Jobs" / "video_jobs" / "openapi.json"
    assert zipped.read_bytes() == (ROOT / "docs" / "openapi.json").read_bytes()
    assert not zipped.is_symlink()


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample events, as `make events` writes them."""
    write(EVENTS, folder := tmp_path_factory.mktemp("events"))
    return folder


@pytest.mark.parametrize("uploaded", EXPECTED, indirect=True)
def test_sam_local_invoke(uploaded, events, built, sam, cloud):  # noqa: F811
    function = "AnalyzeApi" if "requestContext" in EVENTS[uploaded] else "AnalyzeUploads"
    answer = command(
        ["local", "invoke", function, *files(built), "--event", str(events / f"{uploaded}.json")],
        sam,
        240,
    )
    check(uploaded, json.loads(answer.strip().splitlines()[-1]), cloud)


@pytest.fixture(scope="module")
def api(built: Path, sam: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    assert not listens(("127.0.0.1", PORT)), f"something else listens at port {PORT}"
    log = tmp_path_factory.mktemp("start-api") / "log"
    start = [str(SAM), "local", "start-api", *files(built)]
    # Time enough for SAM to remove its containers.
    with log.open("w") as file, started(start, sam, cwd=ROOT, stdout=file, stderr=file, grace=60) as process:
        try:
            wait_until(lambda: f"Running on {URL}" in log.read_text(), process, 120)
        except ProcessError as error:
            pytest.fail(f"{error}\n{log.read_text()[-3000:]}")
        yield


def curl(*arguments: str) -> tuple[int, str, Any]:
    if shutil.which("curl") is None:
        install(("curl",))
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "120", "--write-out", "\n%{http_code} %{content_type}", *arguments],
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    body, _, last = done.stdout.rpartition("\n")
    status, _, content_type = last.partition(" ")
    return int(status), content_type, json.loads(body)


def test_start_api_health(api):
    status, _, body = curl(f"{URL}/")
    assert (status, body["model"]["name"]) == (200, DEFAULT_MODEL)


@pytest.mark.parametrize("content_type", ["video/mp4", "application/octet-stream"])
def test_start_api_takes_a_clip_byte_for_byte(api, content_type):
    status, _, body = curl(
        "--data-binary", f"@{SAMPLE}", "--header", f"Content-Type: {content_type}", f"{URL}/process-frame"
    )
    assert status == 200
    assert body["video"]["sha256"] == hashlib.sha256(SAMPLE.read_bytes()).hexdigest()
    assert body["overall_dominant_emotion"] == "happy"


def test_start_api_takes_json(api, tmp_path):
    file = tmp_path / "body.json"
    file.write_text(json.dumps({"video": base64.b64encode(SAMPLE.read_bytes()).decode(), "frame_interval": 180}))
    status, _, body = curl(
        "--data-binary", f"@{file}", "--header", "Content-Type: application/json", f"{URL}/process-frame"
    )
    assert (status, body["total_frames_analyzed"]) == (200, 2)


def test_start_api_tells_an_error(api):
    status, content_type, body = curl(
        *("--data-binary", "no video", "--header", "Content-Type: video/mp4", f"{URL}/process-frame")
    )
    assert (status, body["code"]) == (422, "not_a_video")
    assert content_type == "application/problem+json"
