"""The command line without an analysis: flags, places, order, exit codes, words."""

import io
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import video_report
from tests.conftest import ROOT
from tests.job_world import result_of
from tests.unit.test_rendering import seen, with_frames
from video_common.errors import ModelUnavailable, NotAVideo
from video_common.schema import EMOTION_LABELS, Options, Partial
from video_common.shares import EmotionIntervals, Emotions, Interval, Person
from video_emotions.rendering import render
from video_emotions_cli import main, summary
from video_emotions_cli.batch import analyze_all
from video_emotions_cli.failures import ExitCode, NotUsable
from video_emotions_cli.files import Video
from video_emotions_cli.flags import flag, in_flags
from video_emotions_cli.local import _Watched
from video_emotions_cli.options import HELP
from video_emotions_cli.outputs import Outputs
from video_emotions_cli.screen import Screen
from video_emotions_client import NotAllowed, Rejected, Unavailable

SEEN = with_frames(seen(0, "happy"), seen(400, "sad"), overall_dominant_emotion="happy", timings_ms={"total": 1500.0})
RESULT = SEEN.model_copy(update={"video": SEEN.video.model_copy(update={"width": 64, "height": 48})})


def invoke(*arguments: object) -> SimpleNamespace:
    done = CliRunner().invoke(main.app, [str(part) for part in arguments], terminal_width=200, catch_exceptions=False)
    return SimpleNamespace(
        code=done.exit_code, out=done.stdout, err=" ".join(re.sub(r"[│╭╮╰╯─]", "", done.stderr).split())
    )


@pytest.fixture
def clips(tmp_path) -> Path:
    folder = tmp_path / "clips"
    for name in ("b.mp4", "a.MOV", "deep/c.webm", "notes.txt", ".hidden.mp4", "deep/._c.webm"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


class Engine:
    """Answers by name. What it does not know is analyzed; errors are raised."""

    def __init__(self, **outcomes: Exception) -> None:
        self.outcomes = outcomes
        self.options: Any = None
        self.seen: list[str] = []

    def analyze(self, path, options, progress):
        self.options = options
        self.seen.append(path.stem)
        progress("analyzing", 1, 2)
        if error := self.outcomes.get(path.stem):
            raise error
        return RESULT


@pytest.fixture
def command(monkeypatch):
    """Run the command with an engine of the test's own."""

    def run(engine: object, *arguments: object) -> SimpleNamespace:
        def chosen(*_arguments: object) -> tuple[object, int]:
            if isinstance(engine, Exception):
                raise engine
            return engine, 2

        monkeypatch.setattr(main, "chosen_engine", chosen)
        return invoke("analyze", *arguments)

    return run


def test_every_option_of_the_service_has_a_flag():
    shown = invoke("analyze", "--help").out
    assert set(HELP) | {"format"} == set(Options.model_fields)
    for name in HELP:
        assert f" {flag(name)} " in shown
    for values in ("haar|yunet", "skip|analyze", "exact|keyframes", "allow|refuse"):
        assert values in shown
    assert set(re.findall(r"--(json|csv|vtt) ", shown)) == {"json", "csv", "vtt"}


def test_flags_become_options(command, clips):
    engine = Engine()
    given = {"interval_ms": "500", "scale_factor": "0.5", "detector": "yunet", "partial": "refuse", "sampling": "exact"}
    assert command(engine, clips / "b.mp4", *[f"{flag(name)}={text}" for name, text in given.items()]).code == 0
    assert engine.options == Options(interval_ms=500, scale_factor=0.5, detector="yunet", partial=Partial.REFUSE)


class Stuck(Iterator[object]):
    """Frames that do not come. Closing them ends the wait."""

    def __init__(self) -> None:
        self.asked, self.closed = threading.Event(), threading.Event()

    def __next__(self) -> object:
        self.asked.set()
        assert self.closed.wait(20)
        raise StopIteration

    def close(self) -> None:
        self.closed.set()


def test_watched_frames_can_be_closed_while_a_thread_waits_for_one():
    # Given a thread that waits for a frame whose progress is shown
    stuck, shown = Stuck(), []
    reader: Any = SimpleNamespace(read=lambda *_: (None, SimpleNamespace(frames_wanted=2), stuck))
    _, _, frames = _Watched(reader, lambda *step: shown.append(step)).read(Path("clip.mp4"), Options(), 1)
    waiting = threading.Thread(target=list, args=(frames,), daemon=True)
    waiting.start()
    assert stuck.asked.wait(20)
    # When another thread closes the frames
    frames.close()
    # Then the wait ends
    waiting.join(20)
    assert not waiting.is_alive()
    assert shown == [("analyzing", 0, 2)]


@pytest.mark.parametrize(
    ("output", "include"),
    [
        (["--csv"], "timeline"),
        (["--vtt"], "timeline"),
        (["--video", "v.mp4"], "timeline"),
        (["--report", "r.html"], "timeline,people"),
        (["--csv", "--include", "people"], "timeline,people"),
    ],
)
def test_what_shows_frames_asks_for_the_timeline(command, clips, tmp_path, monkeypatch, output, include):
    monkeypatch.chdir(tmp_path)
    engine = Engine()
    command(engine, clips / "b.mp4", *output)
    assert engine.options.include == include
    command(engine, clips / "b.mp4", "--json")
    assert engine.options.include is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.mp4"], "There is no file or folder none.mp4. Check the path."),
        (["clips/deep/..", "--frame-interval", "0"], "--frame-interval must be a whole number from 1 to 1,000,000."),
        (["clips", "--interval-ms=5", "--frame-interval=5"], "--interval-ms and --frame-interval exclude each other."),
        (["clips", "--scale-factor", "big"], "--scale-factor must be a number above 0 and up to 1."),
        (["empty"], "The folder empty has no videos: files that end with .3gp, "),
        (["clips", "--csv"], "Name a folder for the files with --output FOLDER."),
        (["clips/b.mp4", "--csv", "--json"], "Name a folder for the files with --output FOLDER."),
        (["clips/b.mp4", "--video", "clips/b.mp4"], "Choose another place."),
        (["clips/b.mp4", "clips/twins/b.mkv", "--csv", "--output", "out"], "would both be out/b.csv"),
        (["clips/b.mp4", "--report", "out.html", "--video", "out.html"], "the --report of clips/b.mp4 would both be"),
        (["clips/b.mp4", "--video", "clips/b.mp4"], "--video would overwrite the video clips/b.mp4"),
        (["clips", "--report", "clips/notes.txt"], "--report must be a folder here"),
        (["clips", "--frame-intervall", "5"], "No such option"),
    ],
)
def test_a_wrong_command_line_says_what_to_do_and_analyzes_nothing(command, clips, monkeypatch, arguments, said):
    monkeypatch.chdir(clips.parent)
    (clips.parent / "empty").mkdir()
    (clips / "twins").mkdir()
    (clips / "twins/b.mkv").write_bytes(b"x")
    engine = Engine()
    done = command(engine, *arguments)
    assert (done.code, engine.seen) == (2, [])
    assert said in done.err
    assert not (clips.parent / "out").exists()


def test_a_folder_is_searched_and_its_outputs_keep_its_shape(command, clips, tmp_path):
    out = tmp_path / "out"
    done = command(Engine(), clips, clips / "b.mp4", "--csv", "--vtt", "--json", "--output", out)
    assert done.code == 0
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert written == [f"{name}.{kind}" for name in ("a", "b", "deep/c") for kind in ("csv", "json", "vtt")]
    assert (out / "b.csv").read_bytes().decode() == render(RESULT, "csv").text
    assert (out / "b.json").read_text() == render(RESULT, "json").text
    assert [line.split()[0] for line in done.out.splitlines()[1:4]] == ["a.MOV", "b.mp4", "deep/c.webm"]


@pytest.mark.parametrize("name", ["json", "csv", "vtt"])
def test_standard_output_has_the_text_alone(command, clips, name):
    done = command(Engine(), clips / "b.mp4", f"--{name}")
    text = render(RESULT, name).text
    assert done.out.rstrip("\n") == text.replace("\r\n", "\n").rstrip("\n")
    assert "b.mp4" in done.err
    assert command(Engine(), clips / "b.mp4", f"--{name}", "--quiet").err == ""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotAVideo("Send a video."), ExitCode.VIDEO, "Send a video. (not_a_video)"),
        (Rejected("too_long", "Cut it.", "r-1"), ExitCode.VIDEO, "Cut it. (too_long, request r-1)"),
        (PermissionError(13, "Permission denied", "b.mp4"), ExitCode.VIDEO, "Permission denied: b.mp4."),
        (NotAllowed("forbidden", "No.", "r-1"), ExitCode.SERVICE, "--api-key or VIDEO_EMOTIONS_API_KEY"),
        (
            Unavailable("internal_error", "Quote it.", "r-1"),
            ExitCode.SERVICE,
            "Quote it. (internal_error, request r-1)",
        ),
    ],
)
def test_each_failure_has_its_words_and_its_exit_code(command, clips, error, code, said):
    done = command(Engine(b=error), clips / "b.mp4", clips / "a.MOV")
    assert done.code == code
    assert said in done.err


@pytest.mark.parametrize("more", [[], ["a.MOV", "--url", "https://api.test"]])
def test_one_upload_goes_on_and_only_with_a_deployment(clips, monkeypatch, more):
    monkeypatch.chdir(clips)
    done = invoke("analyze", "b.mp4", "--resume", "0" * 32, *more)
    assert (done.code, "--resume goes on with one file, and needs --url." in done.err) == (2, True)


def test_a_failed_video_costs_no_other_one(command, clips):
    engine = Engine(a=NotAVideo("no"), c=Unavailable("internal_error", "no"))
    done = command(engine, clips)
    assert (done.code, sorted(engine.seen)) == (3, ["a", "b", "c"])
    assert [line.split()[1] for line in done.out.splitlines()[1:4]] == ["failed", "happy", "failed"]


@pytest.mark.parametrize("error", [NotAllowed("forbidden", "no"), Unavailable("unreachable", "no"), NotUsable("no")])
def test_what_every_video_would_meet_ends_the_run(clips, error):
    videos = [Video(clips / f"{number}.mp4", Path(f"{number}.mp4")) for number in range(20)]
    engine = Engine(**{"0": error})
    rows, code = analyze_all(videos, 1, engine, Options(), Outputs(), Screen(videos, is_quiet=True))
    assert (rows, code) == ([("0.mp4", None)], 3)
    assert len(engine.seen) < 5


def test_outcomes_come_in_order_whichever_video_ends_first(clips):
    # Given two at the same time, and a first one that ends after the second
    first_waits = threading.Event()

    class Late(Engine):
        def analyze(self, path, options, progress):
            if path.stem == "0":
                assert first_waits.wait(10)
            else:
                first_waits.set()
            return super().analyze(path, options, progress).model_copy(update={"faces_left_out": int(path.stem)})

    videos = [Video(clips / f"{number}.mp4", Path(f"{number}.mp4")) for number in range(4)]
    rows, _ = analyze_all(videos, 2, Late(), Options(), Outputs(), Screen(videos, is_quiet=True))
    seen = [(name, result and result.faces_left_out) for name, result in rows]
    assert seen == [(f"{number}.mp4", number) for number in range(4)]


def test_a_missing_model_is_told_before_anything_is_analyzed(command, clips):
    done = command(ModelUnavailable("The model is not there. Run: make"), clips)
    assert (done.code, done.out) == (3, "")
    assert "Cannot start: The model is not there. Run: make (model_unavailable)" in done.err


def test_a_fault_of_ours_is_not_hidden(clips):
    videos = [Video(clips / "b.mp4", Path("b.mp4"))]
    with pytest.raises(ZeroDivisionError):
        analyze_all(videos, 1, Engine(b=ZeroDivisionError()), Options(), Outputs(), Screen(videos, is_quiet=True))


def test_a_report_has_the_whole_result_and_a_video_that_is_not_too_large(command, clips, tmp_path):
    result, target, video = json.loads(render(RESULT, "json").text), tmp_path / "out.html", clips / "b.mp4"
    done = command(Engine(), video, "--report", target)
    assert (done.code, "without pictures" in done.err) == (0, False)
    assert target.read_text() == video_report.html(result, title="b.mp4", video=video)
    with video.open("wb") as file:
        file.truncate(video_report.MAX_VIDEO_BYTES + 1)
    done = command(Engine(), video, "--report", target)
    assert (done.code, "out.html without pictures: the video has more than 20 MB" in done.err) == (0, True)
    assert target.read_text() == video_report.html(result, title="b.mp4")
    assert not list(tmp_path.glob(".*"))


def text_of(renderable: object) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_a_summary_says_what_is_missing():
    text = text_of(summary.of_one("clip.mp4", result_of(b"").model_copy(update={"timings_ms": {"total": 1500.0}})))
    assert "clip.mp4: no face found" in text
    assert "do not say what a person feels" in text
    cut = RESULT.model_copy(update={"truncated": True, "analyzed_until_ms": 700, "advice": ["Try [yunet]."]})
    text = text_of(summary.of_one("[b]clip.mp4", cut))
    assert "[b]clip.mp4" in text
    assert "before 700 ms only" in text
    assert "Try [yunet]." in text
    assert "(incomplete)" in text_of(summary.of_many([("a", cut), ("b", None)]))


def test_a_summary_lists_people_and_says_how_sure_shares_are():
    shares = Emotions(**{label: 75.0 if label == "sad" else 0.0 for label in EMOTION_LABELS})
    sure = EmotionIntervals(**{label: Interval(low=61.2, high=80.6) for label in EMOTION_LABELS})
    person = Person(track=7, first_ms=40, last_ms=900, frames=4, average_emotion_scores=shares, eye_contact_score=0)
    plain = RESULT.model_copy(update={"overall_dominant_emotion": "sad"})
    known = plain.model_copy(update={"people": [person] * 23, "average_emotion_scores_interval": sure})
    text = text_of(summary.of_one("clip.mp4", known))
    assert text.count("Person 7, 40 to 900 ms: sad in 75 % of 4 frames") == 20
    assert "3 more people" in text
    assert "61 to 81" in text
    without = text_of(summary.of_one("clip.mp4", plain))
    assert "sad" in without
    assert not re.search("interval|Person|people", without)


def test_the_version_is_shown():
    assert re.fullmatch(r"video-emotions \d+\.\d+\.\d+", invoke("--version").out.strip())


def test_make_run_names_a_video_and_its_options_as_the_command_line_does():
    variables = ["VIDEO=my clip.mp4", "OPTIONS=frame_interval=10&include=timeline", "REPORT=r.html"]
    said = subprocess.run(
        ["make", "--no-print-directory", "-n", "run", *variables], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    flags = '--json --frame-interval=10 --include=timeline --report "r.html"'
    assert said.splitlines()[-1].endswith(f'.venv/bin/video-emotions analyze "my clip.mp4" {flags}')
    said = subprocess.run(
        ["make", "--no-print-directory", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert said.splitlines()[-1].endswith('.venv/bin/python -m local.run --options ""')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Use a larger frame_interval or sampling=keyframes.",
            "Use a larger --frame-interval or --sampling keyframes.",
        ),
        ("Send start_ms=633 for the rest.", "Send --start-ms 633 for the rest."),
        ("try detector=yunet, which", "try --detector yunet, which"),
        ("scale_factor=0.5, which", "--scale-factor 0.5, which"),
        ("'partial' must be allow or refuse.", "--partial must be allow or refuse."),
        ("A detector and a sampling.", "A detector and a sampling."),
        ("'format' must be json or csv.", "'format' must be json or csv."),
    ],
)
def test_sentences_of_the_service_name_flags(text, expected):
    assert in_flags(text) == expected
