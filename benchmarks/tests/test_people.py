"""The table of people adds up what the judge found."""

from benchmarks.people import section
from testbed.following import Followed


def test_a_row_adds_up_its_clips():
    clips = [Followed(), Followed(switches=2, missed=5), Followed(fragments=1), Followed(across=3)]
    text = section({("a cut", 10, "yunet"): clips, ("cross", 1, "haar"): [Followed()]})
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[1:] == [
        "| cross | 100 ms | haar | 1 of 1 | 0 | 0 | 0 | 0 |",
        "| a cut | 1000 ms | yunet | 1 of 4 | 2 | 1 | 5 | 3 |",
    ]
