"""The stand-in base's settings and packages."""

import pytest

from local.standin import pip_settings, requirements


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ("global.index-url='https://x.invalid/simple'", "index-url = https://x.invalid/simple"),
        # this machine's disk is not in a container
        ("global.cert='/a/b.crt'\nglobal.find-links='/wheels https://y.invalid'", "find-links = https://y.invalid"),
        # the environment goes before a file, and comes first in pip's list
        (":env:.timeout='9'\nglobal.timeout='5'", "timeout = 9"),
        ("global.trusted-host='a'\ninstall.trusted-host='b'", "trusted-host = a b"),
    ],
)
def test_pip_settings_keep_what_a_container_can_reach(listed, kept):
    assert pip_settings(f"{listed}\n") == f"[global]\n{kept}\n"


def test_requirements_of_the_standin_are_the_locked_ones():
    assert requirements(("snapshot-restore-py",)).startswith("snapshot-restore-py==")
    assert "--hash=sha256:" in requirements(("snapshot-restore-py",))
