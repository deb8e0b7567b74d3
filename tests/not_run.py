"""Reports each test that was not run, as the last thing before pytest's own last line.

``--require-all`` turns a run in which a test was skipped into a failure: CI promises that every test is run.
"""

from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--require-all", action="store_true", help="fail if a test was not run")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a test was not run and the option asks for all of them."""
    is_worker = hasattr(session.config, "workerinput")  # of pytest-xdist; its reports come together elsewhere
    if session.exitstatus != pytest.ExitCode.OK or is_worker:
        return
    if session.config.option.require_all and _not_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost, so that this section follows all others
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    """Name each test that was not run, with the reason."""
    yield
    if reports := _not_run(config):
        failed = config.option.require_all
        title = f"Not run: {len(reports)} tests{', and --require-all was given' if failed else ''}"
        terminalreporter.section(title, red=failed, yellow=not failed)
        for report in reports:
            terminalreporter.write_line(f"{report.nodeid}: {_reason(report)}")


def _not_run(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    return reporter.stats.get("skipped", [])


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    assert isinstance(report.longrepr, tuple)
    _file, _line, reason = report.longrepr
    return reason.removeprefix("Skipped: ")
