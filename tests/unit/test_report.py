"""The self-contained report as a text. What a browser makes of it is in tests/browser."""

import base64
import json
import re
from html.parser import HTMLParser

import pytest

import video_report
from tests.job_world import result_of

RESULT = result_of(b"video").model_dump(mode="json")


class Elements(HTMLParser):
    """The text of each element that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._name = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._name = dict(attrs).get("id") or tag
        self.attributes += attrs
        self.texts.setdefault(self._name, "")

    def handle_data(self, data):
        self.texts[self._name] = self.texts.get(self._name, "") + data


def test_it_carries_the_result_and_the_title():
    seen = Elements(video_report.html(RESULT, title="clip.mp4")).texts
    assert json.loads(seen["result"]) == RESULT
    assert seen["title"].strip() == "clip.mp4"
    assert seen["video"].strip() == ""


@pytest.mark.parametrize(
    "text",
    ["</script><script>alert(1)</script>", "</title><b>", "<!--<script>", "{{result}}", "{{video}}", r"\g<1> $&"],
)
def test_text_from_elsewhere_stays_text(text):
    seen = Elements(video_report.html({**RESULT, "advice": [text]}, title=text)).texts
    assert json.loads(seen["result"])["advice"] == [text]
    assert seen["title"].strip() == text
    assert "alert" not in seen["script"]


def test_it_may_carry_the_video(tmp_path):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"\x00\xff video")
    seen = Elements(video_report.html(RESULT, title="clip", video=video)).texts
    assert base64.b64decode(seen["video"]) == video.read_bytes()


def test_a_video_that_browsers_would_choke_on_is_refused(tmp_path):
    video = tmp_path / "clip.mp4"
    with video.open("wb") as file:
        file.truncate(video_report.MAX_VIDEO_BYTES + 1)
    with pytest.raises(ValueError, match="Leave the video out"):
        video_report.html(RESULT, title="clip", video=video)


def test_it_needs_no_network():
    document = video_report.html(RESULT, title="clip")
    policy = dict(Elements(document).attributes)["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    # The policy lets it load nothing, and it asks for nothing
    assert re.findall(r"<(?:link|img|script|iframe)[^>]+(?:src|href)=\"(?!data:)", document) == []
