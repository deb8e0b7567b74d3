"""What the README and the description of the API for people say is so."""

import json
import re
import subprocess

import pytest

from tests.conftest import ROOT
from tests.job_world import result_of
from video_common import limits
from video_common.routes import ROUTES
from video_common.schema import JSON_CONTENT_TYPE, VIDEO_CONTENT_TYPES, Options
from video_emotions.rendering import render
from video_emotions.supported import CODECS

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs/api.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_its_commands_exist():
    named = set(re.findall(r"\bmake (?:-s )?([a-z][a-z0-9-]*)", README))
    assert named >= {"run", "serve", "test", "check"}
    assert named <= set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


def test_every_option_is_described():
    table = API.split("## Options")[1].split("## Result")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    described = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert described == set(Options.model_fields)


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
    assert f"{number:,}" in API


def test_its_content_types_and_codecs_are_ours():
    assert all(f"`{name}`" in API for name in (*VIDEO_CONTENT_TYPES, JSON_CONTENT_TYPE))
    spelled = API.lower().replace("h.264", "h264").replace("mpeg-4", "mpeg4")
    assert all(codec in spelled for codec in CODECS)


def test_its_example_has_the_results_fields_in_order():
    example = API.split("```json")[1].split("```")[0]
    printed = json.loads(render(result_of(b""), "json").text)
    assert re.findall(r'^  "(\w+)"', example, re.MULTILINE) == list(printed)


def test_it_is_short():
    assert len(README.splitlines()) <= 200


def test_its_routes_are_the_table_of_routes():
    for page in (README, API):
        named = re.findall(r"^\| `((?:GET|POST|DELETE) /\S*)` \|", page, re.MULTILINE)
        assert named == [str(route) for route in ROUTES]


def test_the_messages_that_it_explains_are_real():
    files = [
        ROOT / "Makefile",
        ROOT / "template.yaml",
        *(path for part in ("functions", "layers", "local") for path in (ROOT / part).rglob("*.py")),
    ]
    source = " ".join(" ".join(path.read_text() for path in files).split())
    source = re.sub(r'" f?"', "", source)  # a text over several lines
    messages = re.findall(r"^\| `(.*?)` \|", README.split("## Troubleshooting")[1].split("##")[0], re.MULTILINE)
    assert len(messages) > 10
    assert [message for message in messages if message not in source] == []


def test_the_index_lists_every_page():
    index = (ROOT / "docs/README.md").read_text()
    assert all(f"({path.name})" in index for path in (ROOT / "docs").glob("*.md") if path.name != "README.md")


def test_links_lead_somewhere():
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


GONE = re.compile(
    r"\b(?:(?:is|are|be|was|been) taken|mend(?:s|ed|ing)?|for the time being|in vain|by (?:itself|themselves)|anew"
    r"|the one who|whoever|of those that|nought|thus|hence|whatever|out of the world|is offered|lies|tells"
    r"|looked at at once|comes to [0-9]|analys(?:e|ed|ing)|behaviour)\b",
    re.IGNORECASE,
)
"""Words that the texts of this project avoid: private, old, or British ones."""

TEXTS = ("*.md", "*.py", "*.js", "*.yaml", "*.yml", "*.toml", "Makefile", "Dockerfile")


def test_the_texts_avoid_words_that_few_people_use():
    found = []
    for path in (ROOT / name for name in tracked()):
        if path.name == "test_docs.py" or path.suffix == ".json" or not any(path.match(kind) for kind in TEXTS):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = {match.group().lower() for match in GONE.finditer(line)}
            found += [f"{path.relative_to(ROOT)}:{number}: {word}" for word in sorted(words)]
    assert found == []


def tracked() -> list[str]:
    """Return the names of the files that Git keeps."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]
