"""What the README says is so."""

import json
import re

import pytest

from tests.conftest import ROOT
from tests.job_world import result_of
from video_common import errors, limits
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES, Options
from video_emotions.decoder import CODECS
from video_emotions.rendering import render

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_its_commands_exist():
    named = set(re.findall(r"\bmake (?:-s )?([a-z][a-z0-9-]*)", README))
    assert named >= {"run", "serve", "test", "check"}
    assert named <= set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


def test_every_option_is_described():
    assert all(f"| `{name}` |" in README for name in Options.model_fields)


@pytest.mark.parametrize("kind", [errors.RequestError, errors.VideoError])
def test_every_error_of_a_caller_is_described(kind):
    undescribed = {leaf.code for leaf in kind.__subclasses__() if f"`{leaf.code}`" not in README}
    assert undescribed <= {"object_missing"}  # of the bucket's owner, not of a caller


@pytest.mark.parametrize(
    "number",
    [
        limits.MAX_POST_VIDEO_BYTES,
        limits.MAX_UPLOAD_VIDEO_BYTES,
        limits.MAX_PIXELS,
        limits.MAX_ANALYZED_PIXELS,
        limits.MAX_FRAMES,
        limits.MAX_INLINE_RESULT_BYTES,
        limits.UPLOAD_SECONDS,
        limits.RESULT_URL_SECONDS,
    ],
)
def test_its_numbers_are_the_limits(number):
    assert f"{number:,}" in README


def test_its_content_types_and_codecs_are_ours():
    assert all(f"`{name}`" in README for name in (*VIDEO_CONTENT_TYPES, JSON_CONTENT_TYPE))
    spelled = README.lower().replace("h.264", "h264").replace("mpeg-4", "mpeg4")
    assert all(codec in spelled for codec in CODECS)


def test_its_example_has_the_results_fields_in_order():
    example = README.split("```json")[1].split("```")[0]
    printed = json.loads(render(result_of(b""), "json").text)
    assert re.findall(r'^  "(\w+)"', example, re.MULTILINE) == list(printed)


def test_its_links_lead_somewhere():
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
