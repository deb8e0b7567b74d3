"""From HDR (PQ and HLG, in BT.2020 colors) to the SDR picture that models and detectors know. Pure.

HDR's reference white, 203 candelas per square meter (ITU-R BT.2408, table 1), becomes SDR's white. What is brighter
becomes white too: faces are darker. So a clip gives the picture of its twin that was graded for SDR.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

PQ: Final = 16
"""SMPTE ST 2084, as FFmpeg and ITU-T H.273 number transfer characteristics."""
HLG: Final = 18
"""ARIB STD-B67."""

_WHITE: Final = 203.0
_HLG_PEAK: Final = 1000.0
_HLG_GAMMA: Final = 1.2
_LUMA: Final = np.array([0.0593, 0.6780, 0.2627], np.float32)
"""Of BT.2020, in the order blue, green, red."""
_TO_BT709: Final = np.array(
    [[1.1187, -0.1006, -0.0182], [-0.0083, 1.1329, -0.1246], [-0.0728, -0.5876, 1.6605]], np.float32
)
"""Blue, green and red of BT.2020 to those of BT.709 (ITU-R BT.2087, M2)."""


def to_sdr(image: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """Return the picture in the colors of BT.709, with the gamma of BT.1886.

    Parameters
    ----------
    image : NDArray of uint16, shape (height, width, 3)
        BGR in BT.2020 colors.
    transfer : int
        `PQ` or `HLG`.

    Returns
    -------
    NDArray of uint8, shape (height, width, 3)
    """
    light = _light(transfer)[image]
    if transfer == HLG:  # from the scene to a display of 1000 candelas (BT.2100, table 5)
        luma = np.maximum(light @ _LUMA, 1e-6)
        light *= (_HLG_PEAK / _WHITE * luma ** (_HLG_GAMMA - 1))[..., np.newaxis]
    shown = np.clip(light @ _TO_BT709.T, 0, 1) ** np.float32(1 / 2.4)
    return np.asarray(np.rint(shown * 255), np.uint8)


@cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Return the light of each 16-bit value: of the scene for `HLG`, else with reference white as 1."""
    signal = np.linspace(0, 1, 65_536)
    if transfer == PQ:  # BT.2100, table 4
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = signal ** (1 / m2)
        light = 10_000 / _WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    else:  # BT.2100, table 5
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return light.astype(np.float32)
