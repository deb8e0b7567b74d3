"""Metrics and logs of an invocation, as CloudWatch gets them."""

import json

import pytest

from tests.conftest import SAMPLE
from tests.fakes import LambdaContext, rest_event
from video_emotions.telemetry import STEPS, Stopwatch


def emf(text: str) -> dict:
    (blob,) = [line for line in map(json.loads, text.splitlines()) if "_aws" in line and "Requests" in line]
    return blob


def test_a_video_is_counted_with_its_frames_faces_and_milliseconds(handler_module, capsys):
    capsys.readouterr()
    handler_module.metrics.clear_metrics()
    handler_module.handler(rest_event(SAMPLE.read_bytes()), LambdaContext())
    blob = emf(capsys.readouterr().out)
    assert (blob["Videos"], blob["Frames"], blob["Faces"]) == ([1.0], [12.0], [9.0])
    spent = {name: blob[f"{name.capitalize()}Milliseconds"][0] for name in (*STEPS, "total")}
    assert all(milliseconds > 0 for milliseconds in spent.values())
    assert sum(spent[name] for name in STEPS) <= spent["total"]
    assert blob["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "VideoEmotions"


def test_a_refused_request_is_no_video(handler_module, capsys):
    capsys.readouterr()
    handler_module.metrics.clear_metrics()
    handler_module.handler(rest_event(b"text"), LambdaContext())
    blob = emf(capsys.readouterr().out)
    assert blob["Requests"] == [1.0]
    assert "Videos" not in blob


def test_a_stopwatch_gives_each_moment_to_one_step():
    watch = Stopwatch()
    with watch.step("file"):
        numbers = watch.iterate("frames", (sum(range(20_000)) for _ in range(5)))
        assert len(list(watch.iterate("faces", (number for number in numbers)))) == 5
    spent = watch.milliseconds()
    assert list(spent) == [*STEPS, "total"]
    assert spent["frames"] > spent["faces"] > 0  # the work is in the inner step
    assert sum(spent[name] for name in STEPS) == pytest.approx(spent["total"], rel=0.2)
    assert spent["emotions"] == 0.0
