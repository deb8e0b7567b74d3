"""The images of `make image`, run as Lambda would at the least: offline, read-only, without rights, as nobody."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.engine import Engine, find_engine
from local.image import ENGINES, REPOSITORY
from tests.template_info import TEMPLATE

HERE = Path(__file__).resolve().parent
MEMORY = TEMPLATE["Parameters"]["MemorySize"]["Default"]
CONFINED = (
    *("--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL"),
    *("--user", "1000:1000", "--memory", f"{MEMORY}m"),
)
ASK = """
import json, sys, urllib.error, urllib.request
url = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"
try:
    request = urllib.request.Request(url, data=sys.stdin.buffer.read())
    print(urllib.request.urlopen(request, timeout=240).read().decode())
except urllib.error.HTTPError as error:  # the function did not start
    print(json.dumps({"statusCode": error.code, "body": error.read().decode()}))
"""


@dataclass(frozen=True)
class Container:
    """A running image."""

    engine: Engine
    id: str

    def python(self, script: str, given: str = "") -> str:
        """Run a script inside and return what it prints."""
        done = self.engine.run(
            *("exec", "--interactive", self.id, "python3", "-c", script),
            input=given,
            seconds=280,
            capture_output=True,
        )
        return done.stdout

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Send an event to the function, as soon as the emulator listens."""
        deadline = time.monotonic() + 60
        while self.python("import socket; print(socket.socket().connect_ex(('127.0.0.1', 8080)))").strip() != "0":
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.2)
        return json.loads(self.python(ASK, json.dumps(event)))

    def logs(self) -> str:
        done = self.engine.run("logs", self.id, capture_output=True)
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


@contextmanager
def running(engine: Engine, image: str, *flags: str) -> Iterator[Container]:
    """Run an image; it is gone when the block ends."""
    container = Container(engine, engine.output("run", "--detach", *flags, image))
    try:
        yield container
    finally:
        engine.remove(container.id)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return find_engine()


@pytest.fixture(scope="session", params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def image(kind: str, engine: Engine) -> str:
    name = f"{REPOSITORY}:{kind}"
    if not engine.has(name):
        pytest.fail(f"{name} is not there. Run: make image")
    return name


@pytest.fixture(scope="session")
def contents(image: str, engine: Engine) -> dict[str, Any]:
    """What look_inside.py finds in an image."""
    script = (HERE / "look_inside.py").read_text()
    return json.loads(engine.once(image, "python3", "-", flags=CONFINED, given=script))
