"""What the drawn pictures promise: a face where it was drawn, a number that can be read, and the sample's truth."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from testbed.make_video import write_video
from testbed.pictures import (
    ABOVE,
    ABSENT,
    CENTRED,
    TO_THE_LEFT,
    Picture,
    Place,
    moving,
    portrait,
    portraits,
    read_number,
    stamp,
)
from tests import make_sample


def haar(picture: Picture) -> list[tuple[int, ...]]:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")  # type: ignore[attr-defined]
    found = cascade.detectMultiScale(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 1.1, 10)
    return [tuple(int(side) for side in box) for box in found]


def test_upright_rotated_portrait_has_a_face_and_the_stored_one_has_not(tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mp4", portraits(360, 640, [CENTRED]), rotation=90)

    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    stored: Picture = frame.to_ndarray(format="bgr24")

    assert len(haar(np.rot90(stored, frame.rotation // 90))) == 1
    assert haar(stored) == []


@pytest.mark.parametrize("number", [0, 1, 0b1010101010101010, 2**16 - 1])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3])
def test_a_number_survives_scaling(number: int, scale: float) -> None:
    stamped = stamp(portrait(640, 360, CENTRED), number)

    assert read_number(cv2.resize(stamped, (0, 0), fx=scale, fy=scale)) == number


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_no_number_is_read_from_a_picture_that_has_none_upright(turns: int) -> None:
    with pytest.raises(ValueError, match="no readable number"):
        read_number(np.rot90(stamp(portrait(640, 360, CENTRED), 77), turns))
    with pytest.raises(ValueError, match="no readable number"):
        read_number(portrait(640, 360, CENTRED))


@pytest.mark.parametrize(("place", "faces"), [(CENTRED, 1), (TO_THE_LEFT, 1), (ABOVE, 1), (ABSENT, 0)])
@pytest.mark.parametrize("is_numbered", [False, True])
def test_a_face_is_where_it_was_drawn(place: Place, faces: int, is_numbered: bool) -> None:
    picture = portrait(640, 360, place)

    found = haar(stamp(picture, 12_345) if is_numbered else picture)

    assert len(found) == faces
    for x, y, w, h in found:
        assert place is not None
        assert (x + w / 2) / 640 == pytest.approx(place[0], abs=0.03)
        assert (y + h / 2) / 360 == pytest.approx(place[1], abs=0.03)


def test_moving_pictures_differ_and_repeat_by_seed() -> None:
    once, again = list(moving(320, 180, 4, seed=3)), list(moving(320, 180, 4, seed=3))

    assert all(np.array_equal(one, other) for one, other in zip(once, again, strict=True))
    assert not any(np.array_equal(one, other) for one, other in pairwise(once))
    assert len(haar(next(moving(640, 360, 1)))) == 1


def test_sample_truth_is_what_the_script_draws_and_what_the_clip_holds() -> None:
    truth = json.loads((make_sample.DATA / "sample.truth.json").read_text(encoding="utf-8"))
    path = make_sample.DATA / "sample.mp4"
    with av.open(str(path)) as container:
        frames = list[Any](container.decode(video=0))

    assert truth == make_sample.truth()
    assert path.stat().st_size <= 300_000
    assert [round(frame.time * 1000) for frame in frames] == [frame["time_ms"] for frame in truth["frames"]]
    for said, frame in list(zip(truth["frames"], frames, strict=True))[:: make_sample.INTERVAL]:
        found = haar(frame.to_ndarray(format="bgr24"))
        assert len(found) == (said["kind"] != "none")
        for x, y, w, h in found:
            assert [x + w / 2, y + h / 2] == pytest.approx(said["face_centre"], abs=15)
