"""The environment of a deployment."""

import pytest

from video_common import limits
from video_common.errors import ConfigurationError
from video_common.schema import Engine
from video_emotions.settings import Settings


def test_defaults_are_those_of_the_image():
    settings = Settings.from_environment({})
    assert (settings.emotion_model, settings.emotion_engine, settings.centre_tolerance) == (
        "deepface",
        Engine.ONNX,
        limits.CENTRE_TOLERANCE,
    )
    assert settings.worker_threads >= 1


def test_variables_are_read_and_empty_ones_are_not_set():
    settings = Settings.from_environment(
        {"EMOTION_ENGINE": "tensorflow", "THREADS": "3", "RESULTS_BUCKET": "", "HOME": "/x"}
    )
    assert (settings.emotion_engine, settings.worker_threads, settings.results_bucket) == (Engine.TENSORFLOW, 3, None)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"EMOTION_ENGINE": "pytorch"}, "EMOTION_ENGINE"),
        ({"THREADS": "many"}, "THREADS"),
        ({"CENTRE_TOLERANCE": "0"}, "CENTRE_TOLERANCE"),
        ({"STATE_MACHINE_ARN": "arn"}, "STATE_MACHINE_ARN needs PARKED_URL"),
        ({"UPLOADS_BUCKET": "one", "RESULTS_BUCKET": "one"}, "RESULTS_BUCKET and UPLOADS_BUCKET must differ"),
    ],
)
def test_wrong_settings_are_named(environment, named):
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_environment(environment)
