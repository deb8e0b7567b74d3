"""What is installed, and what the lock files say."""

import re
from importlib.metadata import packages_distributions

import pytest

from tests.conftest import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_one_cv2_and_one_tensorflow():
    installed = packages_distributions()
    assert set(installed["cv2"]) == {"opencv-python-headless"}
    assert set(installed["tensorflow"]) == {"tensorflow_cpu"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_host(lock):
    assert "://" not in lock.read_text()
    assert "index-url" not in lock.read_text()


def test_the_project_environment_has_what_the_image_has():
    def pins(name: str) -> set[str]:
        text = (ROOT / f"requirements/{name}.txt").read_text()
        return set(re.findall(r"^([a-z0-9-]+==\S+(?: ; .*?)?) \\", text, re.MULTILINE))

    for part in ("runtime", "tensorflow", "convert"):
        assert len(pins(part)) > 20
        assert pins(part) <= pins("dev"), part
