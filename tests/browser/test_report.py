"""The self-contained report, as a browser shows it without a network."""

import re
import shutil
import subprocess
from typing import Any

import pytest

import video_report
from tests.browser.conftest import until
from tests.conftest import ROOT, SAMPLE
from tests.job_world import result_of
from video_common.result import Result
from video_common.schema import EMOTION_LABELS

BARE = result_of(b"video").model_dump(mode="json")


def frames(count: int) -> list[dict[str, Any]]:
    """Make a timeline with a happy face, which is away for a while."""
    scores = {name: float(name == "happy") for name in EMOTION_LABELS}
    box = {"x": 10, "y": 20, "width": 40, "height": 40}
    face = {"box": box, "detected": True, "dominant_emotion": "happy", "probabilities": scores}
    return [
        {"index": n, "time_ms": 40 * n, "eye_contact": n % 2 == 0, "faces": [face] if n % 10 < 8 else []}
        for n in range(count)
    ]


def result(count: int, **more: Any) -> dict[str, Any]:
    """Make a Result with a timeline of so many frames."""
    made = {**BARE, "timeline": frames(count), **more}
    made["total_frames_analyzed"], made["video"] = count, {**BARE["video"], "duration_ms": 40 * count}
    Result.model_validate(made)  # so that these tests fail when the contract changes
    return made


@pytest.fixture
def show(open_page, tmp_path):
    def shown(result: Any, video: Any = None, title: str = "clip.mp4", **options: Any) -> Any:
        path = tmp_path / "report.html"
        path.write_text(video_report.html(result, title=title, video=video), encoding="utf-8")
        page = open_page(path.as_uri(), offline=True, **options)
        page.wait_for_selector("#report h1")
        return page

    return shown


def test_a_result_without_a_timeline_is_a_report_too(show):
    page = show(BARE)
    headings = page.locator("h2").all_inner_texts()
    assert headings == ["Shares", "How this was measured", "What these scores mean"]


def test_a_result_without_a_face_says_so(show):
    none = dict.fromkeys(EMOTION_LABELS, 0.0)
    empty = {"overall_dominant_emotion": None, "average_emotion_scores": none, "frames_with_face": 0}
    advice = ["Use detector=yunet."]
    text = show({**BARE, **empty, "mean_emotion_probabilities": none, "advice": advice}).inner_text("#report")
    assert "no frame has a vote" in text
    assert "found a face in 0 of them" in text
    assert advice[0] in text


def person(track: int, **more: Any) -> dict[str, Any]:
    scores = {name: 75.0 if name == "sad" else 25.0 * (name == "happy") for name in EMOTION_LABELS}
    times = {"first_ms": 1000 * track, "last_ms": 1000 * track + 400, "frames": 4}
    return {"track": track, **times, "average_emotion_scores": scores, "eye_contact_score": 50.0, **more}


def test_people_are_a_table(show):
    page = show(result(20, people=[person(1), person(7)], people_left_out=2))
    assert page.locator("table.people tbody tr").all_inner_texts() == [
        "1\t0:01.0 to 0:01.4\t4\tsad 75 %\t50 %",
        "7\t0:07.0 to 0:07.4\t4\tsad 75 %\t50 %",
    ]
    text = page.inner_text("#report")
    assert "No face is recognized" in text
    assert "2 more people are left out. None of them is in more frames than these." in text
    assert "No face is recognized" not in show(result(20)).inner_text("#report")


def test_shares_say_how_sure_they_are(show):
    sure = {"low": 61.234567, "high": 80.6}
    known = {"average_emotion_scores_interval": dict.fromkeys(EMOTION_LABELS, sure), "eye_contact_score_interval": sure}
    voted = {"overall_dominant_emotion": "happy", "frames_with_face": 20}
    page = show(result(20, **voted, **known))
    assert page.locator(".shares tbody tr").first.locator("td").all_inner_texts()[2] == "61 to 81 %"
    text = page.inner_text("#report")
    assert "95 % interval 61 to 81 %" in text
    assert "does not cover errors of the model" in text
    without = show(result(20, **voted)).inner_text("#report")
    assert "There are no intervals" in without
    assert "61 to" not in without


def test_all_faces_that_vote_are_counted(show):
    made = result(20)
    for frame in made["timeline"]:
        frame["faces"] *= 3
    made = {**made, "settings": {**made["settings"], "voting": "all"}}
    made |= {"overall_dominant_emotion": "happy", "frames_with_face": 16}
    text = show(made).inner_text("#report")
    assert "Percent of 48 votes by each face's strongest emotion" in text
    assert "Each face has one vote" in text
    cut = show({**made, "timeline_truncated": True}).inner_text("#report")
    assert "Percent of all votes by each face's strongest emotion" in cut


def test_what_is_missing_is_said(show):
    page = show(
        result(
            20, truncated=True, analyzed_until_ms=400, timeline_truncated=True, frames_unreadable=2, faces_left_out=3
        )
    )
    text = page.inner_text("aside.warning")
    for part in ("before 0:00.4", "2 sampled frames", "3 faces", "timeline lacks its last frames"):
        assert part in text
    assert page.locator(".timeline .unseen").count() == 8


def test_the_limits_of_such_scores_are_said(show):
    text = show(BARE).inner_text(".meaning").replace("\u2060", "")
    for part in ("does not say what a person feels", "Article 5(1)(f)", "Annex III, point 1(c)", "Article 50(3)"):
        assert part in text


def test_a_long_timeline_is_drawn_in_few_steps(show):
    page = show(result(30_000))
    path = page.get_attribute(".timeline svg.happy path", "d")
    assert 100 < path.count("L") < 5_000
    page.get_by_text("Timeline as a table").click()
    until(page, "document.querySelectorAll('.data tbody tr').length === 2000")  # they are made when the table opens
    assert "The JSON has 28,000 more frames." in page.inner_text(".data")


def test_moving_averages_are_drawn_on_demand_only(show):
    made = result(20)
    for number, frame in enumerate(made["timeline"]):
        happy = 1.0 if number % 2 else 0.5
        probabilities = {name: happy if name == "happy" else 0.0 for name in EMOTION_LABELS}
        frame["faces"] = [{**face, "probabilities": probabilities} for face in frame["faces"]]
    page = show(made)

    def path() -> str:
        return page.get_attribute(".timeline svg.happy path", "d")

    raw = path()
    heights = {float(point.split(",")[1]) for point in re.findall(r"[-\d.]+,[-\d.]+", raw)}
    assert heights == {0, 50, 100}
    page.get_by_label("moving average of 5 frames").check()
    # The first of five frames: 0.5, 1.0, 0.5 of three. The gap of two frames stays.
    assert path().startswith("M0,33.33")
    assert path().count("Z") == raw.count("Z") == 2
    page.get_by_label("moving average of 5 frames").uncheck()
    assert path() == raw


@pytest.mark.parametrize("count", [1, 2])
def test_a_short_timeline_is_drawn(show, count):
    page = show(result(count))
    assert re.fullmatch(r"M[^a-zA-Z]+(L[^a-zA-Z]+)+Z", page.get_attribute(".timeline svg.happy path", "d"))
    assert "NaN" not in page.inner_html("#report")


def test_a_report_with_its_video_shows_pictures(show):
    made = result(12)
    for number, frame in enumerate(made["timeline"]):
        frame["time_ms"] = 1000 * number
    page = show(made, video=SAMPLE)
    until(page, "document.querySelector('.picture').width !== 300")  # the width of a canvas on which nothing is drawn
    until(page, "document.querySelectorAll('.strip button').length === 12")


def test_a_video_that_the_browser_cannot_play_is_explained(show, tmp_path):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"no video")
    page = show(result(3), video=video)
    page.wait_for_selector("text=This browser cannot play this video")


def test_text_from_elsewhere_is_shown_as_text(show):
    text = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    page = show({**BARE, "advice": [text]}, title=text)
    assert page.inner_text("h1") == text
    assert page.inner_text("aside.advice li") == text


def test_it_fits_a_phone_and_paper(show):
    page = show(result(60), viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#frame").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("count", [0, 30])
def test_axe_finds_nothing_serious(show, serious, scheme, count):
    assert serious(show(result(count) if count else BARE, color_scheme=scheme)) == []


def test_the_committed_files_are_what_the_build_gives(tmp_path):
    if shutil.which("node") is None or not (ROOT / "web/node_modules/esbuild").exists():
        pytest.skip("esbuild is not here: `make browser` installs it where npm is")
    subprocess.run(["node", "build.mjs", tmp_path], cwd=ROOT / "web", check=True, capture_output=True)
    for name in ("web/video_report/report.html", "functions/jobs/video_jobs/page.html"):
        built = (tmp_path / name).read_text(encoding="utf-8")
        assert (ROOT / name).read_text(encoding="utf-8") == built, f"{name}: run `make web`"
