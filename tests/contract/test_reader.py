"""The child process: the same pictures, one file each, and only what it needs."""

import io
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conftest import SAMPLE
from tests.hostile.children import child_that_only
from video_common.errors import DecoderUnavailable, InvalidOption, NotAVideo
from video_common.schema import Options, Sampling
from video_emotions import frames, wire
from video_emotions.child_process import COMMAND, ENVIRONMENT
from video_emotions.reader import Reader

HEAVY = (
    "pydantic boto3 botocore aws_lambda_powertools deepface onnxruntime tensorflow multiprocessing concurrent.futures"
)


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(frame_interval=7, scale_factor=0.5),
        Options(sampling=Sampling.KEYFRAMES),
        Options(interval_ms=900, start_ms=2000, end_ms=6000),
    ],
)
def test_a_child_gives_what_the_same_process_would(reader, options):
    info, plan, children = reader.read(SAMPLE, options, 2)
    own_info, own_plan, own = frames.read(SAMPLE, options, 2)
    assert asdict(info) == asdict(own_info)
    assert plan == own_plan.facts
    pairs = list(zip(children, own, strict=True))
    assert len(pairs) == plan.frames_wanted > 1
    for child, mine in pairs:
        assert (child.index, child.time_ms, child.own_size) == (mine.index, mine.time_ms, mine.own_size)
        assert [image.dtype for image in child.images] == [image.dtype for image in mine.images]
        assert [image.tobytes() for image in child.images] == [image.tobytes() for image in mine.images]


def test_why_a_file_or_an_option_is_refused_comes_from_the_child(reader, tmp_path):
    (tmp_path / "text").write_text("no video")
    with pytest.raises(NotAVideo, match="Convert it") as by_child:
        reader.read(tmp_path / "text", Options(), 2)
    with pytest.raises(NotAVideo) as own:
        frames.read(tmp_path / "text", Options(), 2)
    assert by_child.value.detail == own.value.detail
    with pytest.raises(InvalidOption, match="start_ms"):
        reader.read(SAMPLE, Options(start_ms=60_000), 2)


def test_each_file_has_a_child_that_started_before_it_was_asked_for():
    reader = Reader()
    reader.prepare()
    pids = []
    for _ in range(3):
        (spare,) = reader._spares
        pids.append(spare._process.pid)
        assert len(list(reader.read(SAMPLE, Options(), 2)[2])) == 12
        assert not Path(f"/proc/{pids[-1]}").exists()
    assert len(set(pids)) == 3


def test_a_spare_ends_with_its_reader():
    reader = Reader()
    reader.prepare()
    pid = reader._spares[0]._process.pid
    assert Path(f"/proc/{pid}").exists()
    del reader
    assert not Path(f"/proc/{pid}").exists()


def test_a_child_gets_nothing_of_the_environment(monkeypatch):
    # Given a child that reports what it was started with
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    reports = "detail = open('/proc/self/environ').read(); receive(); send(ready=True)"
    command = child_that_only(f"{reports}; send(error='not_a_video', detail=detail)")
    with pytest.raises(NotAVideo) as told:
        Reader(command=command).read(SAMPLE, Options(), 2)
    names = {variable.split("=")[0] for variable in told.value.detail.split("\0") if variable}
    assert names == set(ENVIRONMENT)
    assert not any(name.startswith("AWS") for name in names)


def forbidding(*names: str) -> list[str]:
    """Return the command of a real child that ends when it imports one of these."""
    hook = (
        "import os, sys\n"
        "def ends(event, arguments):\n"
        f"    if event == 'import' and arguments[0] in {names!r}: os._exit(9)\n"
        "sys.addaudithook(ends)\n"
        "from video_emotions.child import main\n"
        "main()\n"
    )
    return [sys.executable, "-c", hook]


def test_a_child_imports_nothing_heavy():
    reader = Reader(command=forbidding(*HEAVY.split(), "video_common.schema", "ssl", "socket", "urllib.request"))
    assert len(list(reader.read(SAMPLE, Options(), 2)[2])) == 12
    with pytest.raises(DecoderUnavailable):
        Reader(command=forbidding("av")).read(SAMPLE, Options(), 2)


def test_a_child_whose_reader_is_gone_ends_without_a_word():
    request = io.BytesIO()
    wire.send(cast("io.FileIO", request), {"path": str(SAMPLE)})
    # Given a child that has started, and a reader that goes
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(COMMAND, env=ENVIRONMENT, **pipes)
    assert child.stdout is not None
    child.stdout.close()
    # When its request comes all the same
    _, said = child.communicate(request.getvalue(), timeout=60)
    # Then
    assert (child.returncode, said.decode()) == (0, "")


def test_the_parent_does_not_import_the_decoder():
    code = "import sys, video_emotions.pipeline; print({'av', 'video_emotions.frames'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


LAMBDA = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"_multiprocessing", "_posixshmem"}:
            raise ImportError(f"{name}: Function not implemented")

def no_shared_memory(event, arguments):
    if event == "open" and str(arguments[0]).startswith("/dev/shm"):
        raise FileNotFoundError(arguments[0])

sys.meta_path.insert(0, Missing())
sys.addaudithook(no_shared_memory)
"""


def test_neither_side_needs_semaphores_or_shared_memory(tmp_path):
    # Given a Python that is without them, as in Lambda, and gives the same to its children
    (tmp_path / "sitecustomize.py").write_text(LAMBDA)
    code = (
        "import sys; from pathlib import Path\n"
        "from video_emotions.reader import Reader; from video_common.schema import Options\n"
        f"print(len(list(Reader().read(Path({str(SAMPLE)!r}), Options(), 2)[2])))\n"
        "try: import _multiprocessing\n"
        "except ImportError as error: print(error)\n"
    )
    path = ":".join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "12\n_multiprocessing: Function not implemented\n"
