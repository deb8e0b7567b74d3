"""A short `make load`."""

import pytest

from tests.e2e.load import load


@pytest.mark.timeout(600)
def test_mixed_requests_over_two_functions_have_their_right_answers_and_leave_nothing():
    report = load(40, functions=2)
    assert (report.wrong, report.unasked, report.left) == ([], [], [])
    assert report.growth < 0.15  # so few requests have not warmed it up
    assert sum(map(len, report.seconds.values())) == 120
    assert set(report.seconds) == {"good", "bad", "hostile", "killed"}
    before, after = report.files
    if before is None:
        pytest.skip("only root can count a function's open files")
    assert after == before
