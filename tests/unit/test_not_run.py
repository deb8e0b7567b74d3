"""A test that was not run is named at the end, and fails the run where every test is required."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CONFTEST = "from tests.not_run import pytest_addoption, pytest_sessionfinish, pytest_terminal_summary\n"
TESTS = """
import pytest

def test_run():
    pass

@pytest.mark.skip(reason="the weather")
def test_marked():
    pass

@pytest.fixture
def absent():
    pytest.skip("a file is not here")

class TestGroup:
    @pytest.mark.parametrize("case", ["a"])
    def test_without_its_file(self, absent, case):
        pass
"""
MODULE = "import pytest\npytest.skip('no module', allow_module_level=True)\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_whole_module.py").write_text(MODULE)
    return tmp_path


def run(suite: Path, *arguments: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "pytest", "--rootdir", str(suite), "-ra", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run([*command, str(suite)], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_each_is_named_with_its_reason_in_the_last_lines(suite):
    status, lines = run(suite)
    assert status == 0
    title, *named, last = lines[-5:]
    assert title.strip("= ") == "Not run: 3 tests"
    assert sorted(named) == [
        "test_some.py::TestGroup::test_without_its_file[a]: a file is not here",
        "test_some.py::test_marked: the weather",
        "test_whole_module.py: no module",
    ]
    assert "1 passed, 3 skipped" in last


def test_the_run_fails_where_every_test_is_required(suite):
    status, lines = run(suite, "--require-all")
    assert status == 1
    assert lines[-5].strip("= ") == "Not run: 3 tests, and --require-all was given"


def test_a_run_of_every_test_passes_and_says_nothing(suite):
    status, lines = run(suite, "--require-all", "-k", "test_run", "--ignore", str(suite / "test_whole_module.py"))
    assert status == 0
    assert not any("Not run" in line for line in lines)


def test_an_error_keeps_its_own_status(suite):
    (suite / "test_broken.py").write_text("import nowhere_at_all\n")
    assert run(suite, "--require-all")[0] == pytest.ExitCode.INTERRUPTED
