"""`make screenshots`: what Chromium shows of the sample, for docs/."""

import io
from pathlib import Path

from PIL import Image

from tests.browser.conftest import until
from tests.conftest import ROOT, SAMPLE

MAX_BYTES = 150_000
COLORS = 128


def test_the_report(open_page, address):
    page = open_page(f"{address}app", viewport={"width": 880, "height": 600})
    page.set_input_files("#file", SAMPLE)
    page.wait_for_selector("#report h1")
    page.get_by_role("button", name="0:02.0").click()
    until(page, "[...document.querySelectorAll('#report canvas')].every((canvas) => canvas.width !== 300)")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")  # boxes are measured from the top of the window
    top = page.locator("#report").bounding_box()["y"] - 10
    end = page.locator("#report section", has=page.get_by_role("heading", name="Pictures")).bounding_box()["y"]
    clip = {"x": 0, "y": top, "width": 880, "height": end - top - 10}
    save(page.screenshot(full_page=True, clip=clip), ROOT / "docs/report.png")


def save(picture: bytes, path: Path) -> None:
    """Write a PNG of few colors."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLORS).save(path, optimize=True)
    assert path.stat().st_size <= MAX_BYTES
