"""HDR to SDR."""

import numpy as np
import pytest

from video_emotions.tones import HLG, PQ, to_sdr


def gray(*signals: float) -> np.ndarray:
    return np.repeat(np.rint(np.array(signals) * 65_535).astype(np.uint16)[np.newaxis, :, np.newaxis], 3, axis=2)


@pytest.mark.parametrize(
    ("transfer", "white"),
    [(PQ, 0.5807), (HLG, 0.75)],  # ITU-R BT.2408, table 1: reference white
)
def test_reference_white_is_white_and_what_is_brighter_too(transfer, white):
    black, half, full, bright, most = to_sdr(gray(0, white / 2, white, white + 0.1, 1), transfer)[0, :, 1]
    assert (black, bright, most) == (0, 255, 255)
    assert 253 <= full <= 255
    assert 0 < half < full


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_gray_stays_gray_and_grows_with_the_signal(transfer):
    shown = to_sdr(gray(*np.linspace(0, 1, 64)), transfer)[0].astype(int)
    assert np.ptp(shown, axis=1).max() <= 1
    assert (np.diff(shown[:, 1]) >= 0).all()


def test_the_white_of_old_screens_keeps_its_light():
    # 100 candelas are 0.5081 in PQ (SMPTE ST 2084); the white here is 203
    assert to_sdr(gray(0.5081), PQ)[0, 0, 0] == pytest.approx(255 * (100 / 203) ** (1 / 2.4), abs=1)
