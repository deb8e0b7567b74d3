"""Small files that cost gigabytes or minutes, under the emulator, with a watcher that kills at the limit of memory."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator, EmulatorError, emulator
from tests.conftest import SAMPLE
from tests.e2e.load_requests import BOMBS, DATA, EVERY, FILES, HEALTH, post
from tests.e2e.watching import watched
from tests.template_info import properties, resolve
from video_common import limits

API = properties("AnalyzeApi")
MEMORY_BYTES = resolve(API["MemorySize"]) * 2**20
CHEAP = {Path(name).name: outcome for name, outcome in FILES.items() if name.startswith("bombs/")}
REFUSED_SECONDS = 2.0


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def variables(models_dir: Path, work: Path) -> dict[str, str]:
    made = {"EMOTION_MODEL": "compact", "MODELS_DIR": str(models_dir), "WORK_DIR": str(work)}
    memory = str(MEMORY_BYTES // 2**20)
    return {**made, "POWERTOOLS_LOG_LEVEL": "ERROR", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}


@pytest.fixture(scope="module")
def function(variables: dict[str, str]) -> Iterator[Emulator]:
    with emulator(variables, seconds=API["Timeout"]) as running:
        assert running.invoke(HEALTH)["statusCode"] == 200
        yield running


@pytest.mark.parametrize("name", [*CHEAP, *BOMBS])
def test_each_bomb_is_answered_within_the_time_and_the_memory_of_the_function(function, work, name, record_property):
    event = post((DATA / "bombs" / name).read_bytes(), EVERY)
    event["requestContext"]["requestTimeEpoch"] = round(time.time() * 1000)
    with watched(function, MEMORY_BYTES) as seen:
        began = time.monotonic()
        answer = function.invoke(event)
        seconds = time.monotonic() - began
    body = json.loads(answer["body"])
    expected = {**CHEAP, **BOMBS}[name]
    assert {"status": answer["statusCode"], **body}.items() >= expected.items()
    assert seconds < (REFUSED_SECONDS if name in CHEAP else limits.API_SECONDS)
    assert 0 < seen.peak_bytes < MEMORY_BYTES
    record_property("seconds", round(seconds, 1))
    record_property("peak_mb", seen.peak_bytes // 2**20)
    assert list(work.iterdir()) == []
    # And the next request works
    assert function.invoke(post(SAMPLE.read_bytes()))["statusCode"] == 200


def test_the_watcher_ends_a_function_that_needs_more(variables):
    with emulator(variables, seconds=API["Timeout"]) as running:
        running.invoke(HEALTH)
        with watched(running, 100 * 2**20) as seen, pytest.raises(EmulatorError):
            running.invoke(post(SAMPLE.read_bytes(), EVERY))
    assert seen.killed
