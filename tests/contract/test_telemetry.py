"""Metrics and logs of an invocation, as CloudWatch gets them."""

from collections.abc import Iterator

from tests.conftest import SAMPLE
from tests.fakes import LambdaContext, rest_event
from tests.metric_info import values
from video_emotions.telemetry import STEPS, Stopwatch


def test_a_video_is_counted_with_its_size_length_frames_faces_and_milliseconds(handler_module, capsys):
    capsys.readouterr()
    handler_module.handler(rest_event(SAMPLE.read_bytes()), LambdaContext())
    written = {item.metric: value for item, value in values(capsys.readouterr().out).items()}
    assert (written["Videos"], written["Frames"], written["Faces"]) == ([1], [12], [9])
    assert (written["VideoBytes"], written["VideoMinutes"]) == ([210_184], [0.2])
    spent = {name: written[f"{name.capitalize()}Milliseconds"][0] for name in (*STEPS, "total")}
    assert all(milliseconds > 0 for milliseconds in spent.values())
    assert sum(spent[name] for name in STEPS) <= spent["total"]


def test_a_refused_request_is_no_video(handler_module, capsys):
    capsys.readouterr()
    handler_module.handler(rest_event(b"text"), LambdaContext())
    written = {item.metric: value for item, value in values(capsys.readouterr().out).items()}
    assert written["Requests"] == [1]
    assert "Videos" not in written


class Clock:
    """Seconds that pass only when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float, results: int) -> Iterator[int]:
        for result in range(results):
            self.now += seconds
            yield result


def test_a_stopwatch_gives_each_moment_to_one_step():
    # Given steps that pull from each other: two seconds a frame, one more a face
    clock = Clock()
    watch = Stopwatch(clock)

    def faces() -> Iterator[int]:
        for frame in watch.iterate("frames", clock.work(2, 5)):
            clock.now += 1
            yield frame

    # When they run within a third, and something else takes time
    with watch.step("file"):
        clock.now += 4
        assert len(list(watch.iterate("faces", faces()))) == 5
    clock.now += 0.5
    # Then
    expected = dict.fromkeys(STEPS, 0.0) | {"file": 4000.0, "frames": 10_000.0, "faces": 5000.0, "total": 19_500.0}
    assert watch.milliseconds() == expected
    assert list(watch.milliseconds()) == [*STEPS, "total"]
