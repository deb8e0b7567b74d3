"""A Chromium and a real `make serve`. A machine that can have no Chromium reports these tests as not run."""

import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.processes import free_ports, started, wait_until
from tests.conftest import ROOT, SAMPLE

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),  # as root, in a container
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),  # it asks no host of its own
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
]
SECONDS = 120
"""For one answer: a busy machine takes long to analyze a video."""

OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake camera shows: the beginning of the sample, as uncompressed video."""
    import av

    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    with av.open(str(SAMPLE)) as source, path.open("wb") as file:
        for number, frame in enumerate(source.decode(video=0)):
            if number == 0:
                file.write(f"YUV4MPEG2 W{frame.width} H{frame.height} F30:1 Ip A1:1 C420jpeg\n".encode())
            if number == 60:
                break
            file.write(b"FRAME\n" + frame.reformat(format="yuv420p").to_ndarray().tobytes())
    return path


@pytest.fixture(scope="session")
def chromium(camera: Path) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not here: `make browser` installs it")
    if CHROMIUM is None:
        pytest.skip("Chromium is not here: install it, or name its program in CHROMIUM")
    with playwright.sync_playwright() as driver:
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={camera}"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(models_dir: Path) -> Iterator[str]:
    """The address of a running `make serve`."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    variables = {**os.environ, "EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir)}

    def answers() -> bool:
        try:
            return urllib.request.urlopen(f"{url}app", timeout=5).status == 200
        except (urllib.error.URLError, TimeoutError):
            return False

    command = [sys.executable, "-m", "local.serve", "--port", str(port)]
    with started(command, variables, cwd=ROOT) as process:
        wait_until(answers, process, SECONDS)
        yield url


@pytest.fixture
def open_page(chromium: Any) -> Iterator[OpenPage]:
    """Open a document in a browser profile of its own. An unexpected message in the console fails the test."""
    said: list[str] = []
    contexts = []

    def note(text: str, expect: tuple[str, ...] = ()) -> None:
        if not any(part in text for part in expect):
            said.append(text)

    def opened(url: str, *, expect: tuple[str, ...] = (), **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.on("console", lambda message: note(message.text, expect))
        page.on("pageerror", lambda error: note(str(error)))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def until(page: Any, expression: str, arg: Any = None) -> None:
    """Wait until an expression is true. Playwright's own wait is an eval(), which the pages' policy forbids."""
    deadline = time.monotonic() + SECONDS
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(50)


@pytest.fixture(scope="session")
def serious() -> Callable[[Any], list[str]]:
    """Let axe look at a page; return its serious and critical findings, as text."""
    if not AXE.exists():
        pytest.skip("axe-core is not here: `make browser` installs it where npm is")
    script = AXE.read_text(encoding="utf-8")

    def look(page: Any) -> list[str]:
        page.evaluate(script)
        found = page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in found
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        ]

    return look
