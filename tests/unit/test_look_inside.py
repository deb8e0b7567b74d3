"""The look into an image: what it says of a file."""

import pytest

from tests.image.look_inside import newest


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["GLIBC_2.17"], {"glibc": 17, "glibcxx": 0}),
        (["GLIBC_2.2.5", "GLIBC_2.38", "GLIBC_2.4"], {"glibc": 38, "glibcxx": 0}),
        (["GLIBCXX_3.4.21", "GLIBCXX_3.4.30", "GLIBC_2.34"], {"glibc": 34, "glibcxx": 30}),
        (["GLIBC_ABI_DT_RELR"], {"glibc": 36, "glibcxx": 0}),
        (["libc.so.6"], {"glibc": 0, "glibcxx": 0}),
    ],
)
def test_neighbours_in_a_string_table_are_all_seen(tmp_path, names, found):
    path = tmp_path / "library.so"
    path.write_bytes(b"\x7fELF" + bytes(64) + "\0".join(names).encode() + b"\0")
    assert newest(path) == found


def test_what_is_no_elf_needs_nothing(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"text" + bytes(64) + b"GLIBC_2.99\0")
    assert newest(path) == {}
