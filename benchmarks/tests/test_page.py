"""Each benchmark writes its own section of the page."""

import pytest

from benchmarks import page


def test_a_section_is_replaced_and_the_others_stay(tmp_path, monkeypatch):
    path = tmp_path / "page.md"
    path.write_text("# Page\n", encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", path)
    for name, text in (("cost", "old"), ("steps", "other"), ("cost", "new")):
        page.write_section(name, text)
    written = path.read_text(encoding="utf-8")
    assert [line for line in written.splitlines() if line and not line.startswith(("<!--", "#"))] == ["new", "other"]
    # Given that the end of a section went missing
    broken = written.replace("<!-- cost: end -->", "")
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(ValueError, match="substring not found"):
        page.write_section("cost", "newer")
    assert path.read_text(encoding="utf-8") == broken
