"""The page at GET /app, in a browser, against a real `make serve`."""

import copy
import json
import re
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SECONDS, OpenPage, until
from tests.browser.lossy_proxy import lossy_proxy
from tests.conftest import SAMPLE
from video_common import limits
from video_common.result import FaceLandmarks, Result
from video_emotions.rendering import render

TIMES = {"timings_ms"}
HTTP_ERROR = "Failed to load resource"
"""What Chromium's console says of each answer that is an error."""


@pytest.fixture(scope="module")
def result(address: str) -> dict[str, Any]:
    """What the service answers about the sample."""
    url = f"{address}process-frame?include=timeline,people"
    request = urllib.request.Request(url, SAMPLE.read_bytes(), {"Content-Type": "application/octet-stream"})
    return json.load(urllib.request.urlopen(request, timeout=SECONDS))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample in a file that is too large for a POST: MP4 has boxes that a player skips."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    size = 4 * limits.MAX_POST_VIDEO_BYTES  # sockets on loopback buffer some megabytes
    path.write_bytes(SAMPLE.read_bytes() + size.to_bytes(4, "big") + b"free" + bytes(size - 8))
    return path


@pytest.fixture
def open_app(open_page: OpenPage, address: str) -> OpenPage:
    """Open the page at GET /app."""
    return partial(open_page, f"{address}app")


def choose(page: Any, path: Any) -> None:
    page.set_input_files("#file", path)


def report_of(page: Any) -> str:
    page.wait_for_selector("#report h1")
    return page.inner_text("#report")


def rows_of(page: Any, table: str) -> list[str]:
    """Return the rows of a table, with tabs between the cells."""
    script = "table => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent).join('\\t'))"
    page.wait_for_selector(f"{table} tbody", state="attached")  # some are made when they open
    return page.eval_on_selector(f"{table} tbody", script)


def downloaded(page: Any, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path().read_bytes().decode()


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in TIMES}


def test_a_dropped_video_becomes_a_report(open_app, result):
    page = open_app()
    # When a person drops a video on the page
    data = page.evaluate_handle(
        """async (bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], "sample.mp4", { type: "video/mp4" }));
            return data;
        }""",
        list(SAMPLE.read_bytes()),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    text = report_of(page)
    # Then the report has the numbers of the answer, and says what they count
    assert "sample.mp4" in text
    assert f"analyzed {result['total_frames_analyzed']} frames" in text
    assert f"a face in {result['frames_with_face']} of them" in text
    assert page.inner_text(".figures b >> nth=0") == result["overall_dominant_emotion"]
    assert page.inner_text(".figures b >> nth=2") == f"{result['eye_contact_score']:.0f} %"
    shares = {row.split("\t")[0]: row.split("\t")[1] for row in rows_of(page, ".shares")}
    assert shares == {name: f"{share:.1f} %" for name, share in result["average_emotion_scores"].items()}
    assert result["model"]["name"] in text
    # And the JSON to download is the answer
    assert without_times(json.loads(downloaded(page, "Download JSON"))) == without_times(result)


def test_the_table_to_download_is_the_one_that_the_service_writes(open_app, result):
    # Given an answer with all that a table can hold
    made = copy.deepcopy(result)
    face = made["timeline"][0]["faces"][0]
    points = {name: {"x": number, "y": 10 * number} for number, name in enumerate(FaceLandmarks.model_fields)}
    small = {**face["probabilities"], "sad": 1e-06, "fear": 1.0}
    other = {"track": 17, "detection_score": 0.87654, "landmarks": points, "probabilities": small}
    made["timeline"][0]["faces"] += [{**face, **other}]
    page = open_app()
    page.route("**/process-frame?*", lambda route: route.fulfill(json=made))
    choose(page, SAMPLE)
    report_of(page)
    # Then its table has the same cells as the service's
    texts = downloaded(page, "Download CSV"), render(Result.model_validate(made), "csv").text
    ours, theirs = ([line.split(",") for line in text.split("\r\n")] for text in texts)
    assert [[number(cell) for cell in row] for row in ours] == [[number(cell) for cell in row] for row in theirs]


def number(cell: str) -> float | str:
    """Return the number that a cell spells: JavaScript and Python spell some in different ways."""
    try:
        return float(cell)
    except ValueError:
        return cell


def test_the_timeline_has_a_gap_where_there_is_no_face(open_app, result):
    page = open_app()
    choose(page, SAMPLE)
    report_of(page)
    faceless = [frame for frame in result["timeline"] if not frame["faces"]]
    assert len(faceless) == 3
    for emotion in result["average_emotion_scores"]:
        assert page.locator(f".timeline svg.{emotion} .gap").count() == len(faceless)
    # The area of the largest emotion ends where the last face is
    path = page.get_attribute(".timeline svg.happy path", "d")
    end = result["timeline"][9]["time_ms"] / result["video"]["duration_ms"] * 1000
    assert max(float(x) for x in re.findall(r"[ML]([\d.]+),", path)) == pytest.approx(end, abs=1)
    # And the same is there as a table
    page.get_by_text("Timeline as a table").click()
    assert [row.split("\t")[1] for row in rows_of(page, ".data")] == [
        str(len(frame["faces"])) for frame in result["timeline"]
    ]


def test_pictures_show_the_faces(open_app, result):
    page = open_app()
    choose(page, SAMPLE)
    report_of(page)
    until(page, "document.querySelectorAll('.strip canvas').length === 12")
    # When a frame with a face is selected, its box is drawn in white on the picture
    page.get_by_role("button", name="0:02.0").click()
    assert "happy" in page.get_attribute(".picture", "aria-label")
    box = result["timeline"][2]["faces"][0]["box"]
    until(
        page,
        """([x, y]) => {
            const canvas = document.querySelector(".picture");
            const scale = canvas.width / 640;
            // A copy, because Chromium warns of canvases that are read often.
            const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, x * scale, y * scale, 1, 1, 0, 0, 1, 1);
            const [r, g, b] = copy.getImageData(0, 0, 1, 1).data;
            return Math.min(r, g, b) > 240;
        }""",
        [box["x"], box["y"] + box["height"] // 2],
    )


def test_the_downloaded_report_stands_alone(open_app, open_page, result, tmp_path):
    page = open_app()
    choose(page, SAMPLE)
    text = report_of(page)
    path = tmp_path / "report.html"
    path.write_text(downloaded(page, "Download report"), encoding="utf-8")
    alone = open_page(path.as_uri(), offline=True)
    alone.wait_for_selector("#report h1")
    # It shows the same, but for the pictures
    words = alone.inner_text("#report").split()
    assert (
        words
        == text.split("Pictures\n")[0].split()
        + text.split("How this was measured")[1].join(["How this was measured", ""]).split()
    )


def test_a_refused_file_is_explained(open_app, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video", encoding="utf-8")
    page = open_app(expect=(HTTP_ERROR,))
    choose(page, path)
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem h2") == "The file is not a video"
    assert len(page.inner_text("#problem-detail")) > 20
    assert page.inner_text("#problem-id").startswith("Request ")
    assert page.locator("#again").is_hidden()
    # And another file can follow at once
    choose(page, SAMPLE)
    assert "happy" in report_of(page)


def test_a_large_video_goes_by_upload(open_app, large):
    page = open_app()
    phases = watch(page)
    choose(page, large)
    assert "happy" in report_of(page)
    told = " ".join(phases())
    assert "Asking for an upload" in told
    assert "Storing the video" in told
    assert re.search(r"analysis|Analyzing", told)


def watch(page: Any) -> Any:
    """Note what the page says while it works."""
    page.evaluate(
        """() => {
            window.phases = [];
            new MutationObserver(() => phases.push(document.querySelector("#phase").textContent))
                .observe(document.querySelector("#phase"), { childList: true, characterData: true, subtree: true });
        }"""
    )
    return lambda: page.evaluate("phases")


def test_an_upload_whose_connection_is_lost_says_so_and_can_be_repeated(open_app, large):
    with lossy_proxy() as proxy:
        page = open_app(expect=(HTTP_ERROR,), proxy={"server": proxy.url})
        # When the connection is lost in the middle of an upload
        proxy.cut_after = large.stat().st_size // 3
        choose(page, large)
        page.wait_for_selector("#problem:not([hidden])")
        assert page.inner_text("#problem h2") == "The connection was lost"
        assert re.search(
            r" [1-9]\d % of the video was sent\. .* send the video again", page.inner_text("#problem-detail")
        )
        # Then a person can send the video again when the network is back
        proxy.cut_after = None
        page.get_by_role("button", name="Send again").click()
        assert "happy" in report_of(page)


def padded(path: Path) -> Path:
    """Write the sample as a file that is uploaded in parts."""
    sample, size = SAMPLE.read_bytes(), limits.MULTIPART_BYTES + 1
    with path.open("wb") as file:
        file.write(sample + (size - len(sample)).to_bytes(4, "big") + b"free")
        file.truncate(size)
    return path


@pytest.mark.parametrize("refused", [1, 2])
def test_an_upload_in_parts_goes_on_where_it_was_lost(open_app, tmp_path, refused):
    # Given a video of more than 100 MB
    path = padded(tmp_path / "long.mp4")
    page = open_app(expect=(HTTP_ERROR,))
    sent: list[str] = []

    def note(request: Any) -> None:
        if request.method == "PUT":
            sent.extend(re.findall(r"partNumber=(\d+)", request.url))

    page.on("requestfinished", note)
    phases = watch(page)
    # When the connection is lost once in the second part, and the third one is refused, as by an expired address
    lost = iter([True])
    page.route(
        "**/*partNumber=2&*",
        lambda route: route.abort("internetdisconnected") if next(lost, False) else route.continue_(),
    )
    shown = {"Access-Control-Allow-Origin": "*"}
    refusals = iter([True] * refused)
    page.route(
        "**/*partNumber=3&*",
        lambda route: route.fulfill(status=403, headers=shown) if next(refusals, False) else route.continue_(),
    )
    choose(page, path)
    # Then the page asks for another address, once, and the next try sends the rest
    if refused == 2:
        page.wait_for_selector("#problem:not([hidden])")
        assert page.inner_text("#problem h2") == "The answer was HTTP 403"
        page.get_by_role("button", name="Send again").click()
    assert "happy" in report_of(page)
    assert sum("This page goes on in" in phase for phase in phases()) == 1
    assert sent == [*"12", *"3" * refused, *"3456"]


def test_an_upload_in_parts_with_other_options_is_another_one(open_app, tmp_path):
    path = padded(tmp_path / "long.mp4")
    page = open_app(expect=(HTTP_ERROR,))
    asked: list[Any] = []
    page.on(
        "request", lambda request: asked.extend([request.post_data_json] if request.url.endswith("/uploads") else [])
    )
    refusals = iter([True] * 2)
    page.route(
        "**/*partNumber=3&*",
        lambda route: (
            route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"})
            if next(refusals, False)
            else route.continue_()
        ),
    )
    # Given an upload that was stopped in the middle
    choose(page, path)
    page.wait_for_selector("#problem:not([hidden])")
    # When it is sent again with another option
    page.select_option("#sampling", "interval_ms=500")
    page.get_by_role("button", name="Send again").click()
    report_of(page)
    assert [wish.get("interval_ms") for wish in asked] == [None, 500]


@pytest.mark.parametrize("times", [1, 5])
def test_an_upload_in_parts_ends_although_the_answer_is_lost(open_app, tmp_path, times):
    # Given an answer to the end of an upload that is lost so often
    path = padded(tmp_path / "long.mp4")
    page = open_app(expect=(HTTP_ERROR,))
    phases = watch(page)
    lost = iter([True] * times)

    def lose(route: Any) -> None:
        answer = route.fetch()
        assert answer.ok
        if next(lost, False):
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    page.route("**/complete", lose)
    choose(page, path)
    # Then the page asks again, five times at most, and once more if a person wants it
    if times == 5:
        page.wait_for_selector("#problem:not([hidden])", timeout=SECONDS * 1000)
        page.get_by_role("button", name="Send again").click()
    assert "happy" in report_of(page)
    assert sum("This page goes on in" in phase for phase in phases()) == min(times, 4)


def test_a_connection_that_is_lost_while_the_job_runs_only_delays_the_answer(open_app, large):
    page = open_app(expect=(HTTP_ERROR,))
    phases = watch(page)
    lost = iter([True, True])
    page.route(
        "**/jobs/*", lambda route: route.abort("internetdisconnected") if next(lost, False) else route.continue_()
    )
    choose(page, large)
    assert "happy" in report_of(page)
    assert sum("This page asks again in" in phase for phase in phases()) == 2


def test_the_page_waits_as_long_as_the_service_asks(open_app, large):
    page = open_app()
    asked: list[float] = []

    def answer(route: Any) -> None:
        asked.append(page.evaluate("performance.now()"))
        body = {"job_id": "j", "status": "RUNNING"}
        if len(asked) < 2:
            route.fulfill(json=body, headers={"Retry-After": "4"})
        else:
            route.continue_()

    page.route("**/jobs/*", answer)
    choose(page, large)
    report_of(page)
    assert asked[1] - asked[0] >= 4000


def test_an_analysis_that_a_post_has_no_time_for_goes_by_upload(open_app, result):
    page = open_app()
    part = {**result, "truncated": True, "analyzed_until_ms": 1000, "timeline": result["timeline"][:1]}
    page.route("**/process-frame?*", lambda route: route.fulfill(json=part))
    phases = watch(page)
    choose(page, SAMPLE)
    assert "analyzed 12 frames" in report_of(page)
    assert "Asking for an upload" in " ".join(phases())


def test_an_empty_file_is_explained(open_app, tmp_path):
    (tmp_path / "empty.mp4").touch()
    page = open_app()
    choose(page, tmp_path / "empty.mp4")
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem h2") == "The file is empty"


def test_a_quota_that_is_used_up_ends_the_waiting(open_app, large):
    page = open_app(expect=(HTTP_ERROR,))
    words = {"title": "The quota is used up", "detail": "Try again tomorrow.", "code": "quota_exceeded"}
    page.route("**/jobs/*", lambda route: route.fulfill(status=429, json=words))
    choose(page, large)
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem-detail") == "Try again tomorrow."


def test_ten_seconds_of_the_camera_become_a_report(open_app):
    page = open_app()
    page.get_by_role("button", name="Record 10 seconds").click()
    until(page, "document.querySelector('#countdown').textContent.includes('s left')")
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Stop and analyze").click()
    text = report_of(page)
    # The fake camera shows the sample's face, and is off now
    assert "happy" in text
    assert "recording." in text
    assert page.evaluate("document.querySelector('#preview').srcObject") is None


def test_a_recording_can_be_discarded(open_app):
    page = open_app()
    page.on("request", lambda request: pytest.fail(f"it sends {request.url}"))
    page.get_by_role("button", name="Record 10 seconds").click()
    until(page, "document.querySelector('#countdown').textContent.includes('s left')")
    page.get_by_role("button", name="Discard").click()
    page.wait_for_selector("#ask:not([hidden])")


def test_a_camera_that_is_refused_is_explained(open_app):
    page = open_app()
    refuse = (
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    page.evaluate(refuse)
    page.get_by_role("button", name="Record 10 seconds").click()
    page.wait_for_selector("#problem:not([hidden])")
    assert "choose a file instead" in page.inner_text("#problem-detail")


def test_the_key_is_sent_and_kept_nowhere(open_app):
    page = open_app()
    sent: list[str | None] = []

    def note(request: Any) -> None:
        if request.url.startswith("http"):  # the report reads the video as a blob
            sent.append(request.headers.get("x-api-key"))

    page.on("request", note)
    page.get_by_label("API key").fill("a secret")
    choose(page, SAMPLE)
    report_of(page)
    assert sent == ["a secret"]
    kept = "[localStorage.length, sessionStorage.length, document.cookie, location.href]"
    assert page.evaluate(kept)[:3] == [0, 0, ""]
    page.reload()
    assert page.get_by_label("API key").input_value() == ""


def test_a_key_that_is_refused_brings_the_person_to_its_field(open_app):
    page = open_app(expect=(HTTP_ERROR,))
    words = {"title": "Not allowed", "detail": "The API key in the header x-api-key is missing or not a valid one."}
    page.route("**/process-frame?*", lambda route: route.fulfill(status=403, json=words))
    choose(page, SAMPLE)
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem-detail") == words["detail"]
    assert page.evaluate("document.activeElement.id") == "key"


def test_the_chosen_options_are_sent(open_app):
    page = open_app()
    page.get_by_label("Frames").select_option("two a second")
    page.get_by_label("Face detector").select_option("haar")
    with page.expect_request("**/process-frame?*") as request:
        choose(page, SAMPLE)
    assert request.value.url.split("?")[1] == "interval_ms=500&detector=haar&include=timeline%2Cpeople"
    assert "one frame every 500 ms" in report_of(page)


def test_the_keyboard_is_enough(open_app):
    page = open_app()
    page.on("filechooser", lambda _: None)  # or the browser may open its own dialog before the test waits for one
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(SAMPLE)
    report_of(page)
    # The report has the focus; the next stops are in it: the table of people, which can scroll, and the timeline
    assert page.evaluate("document.activeElement.id") == "report"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "People"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "frame"
    before = page.inner_text(".inspector")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".inspector") != before
    assert page.get_attribute("#frame", "aria-valuetext") == page.inner_text(".inspector")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.get_by_label("moving average").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert len(rows_of(page, ".data")) == 12


def test_the_page_works_at_an_address_with_a_slash_at_the_end(open_page, address):
    page = open_page(f"{address}app/")
    choose(page, SAMPLE)
    assert "happy" in report_of(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_app, serious, tmp_path, scheme):
    page = open_app(color_scheme=scheme, expect=(HTTP_ERROR,))
    assert serious(page) == []
    (tmp_path / "notes.txt").write_text("no video", encoding="utf-8")
    choose(page, tmp_path / "notes.txt")
    page.wait_for_selector("#problem:not([hidden])")
    assert serious(page) == []
    choose(page, SAMPLE)
    report_of(page)
    page.get_by_text("Timeline as a table").click()
    assert serious(page) == []
