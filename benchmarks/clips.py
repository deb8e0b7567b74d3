"""The clips that are measured: pinned, moving, with grain; made once and kept in .cache/bench."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.engine import ROOT
from testbed.make_video import write_video
from testbed.pictures import moving

CACHE = ROOT / ".cache" / "bench"


@dataclass(frozen=True)
class Clip:
    """What a clip shows, and how it is coded.

    Attributes
    ----------
    keyint : int
        Frames from one keyframe to the next.
    detail : float
        Strength of the grain, see `testbed.pictures.moving`.
    """

    width: int
    height: int
    seconds: int
    keyint: int
    detail: float
    options: Mapping[str, str] = field(default_factory=lambda: {"x264-params": "b-pyramid=normal:scenecut=0"})

    def file(self, name: str) -> Path:
        """Return the file, which is made where it is not there yet."""
        path = CACHE / f"{name}-{hashlib.sha256(repr(self).encode()).hexdigest()[:8]}.mp4"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            pictures = moving(self.width, self.height, self.seconds * 30, detail=self.detail)
            new = write_video(
                path.with_suffix(".new.mp4"), pictures, keyint=self.keyint, b_frames=3, options=self.options
            )
            new.rename(path)
        return path


CLIPS = {
    "A": Clip(1920, 1080, 60, keyint=250, detail=0.3),
    "B": Clip(1920, 1080, 60, keyint=30, detail=0.3),
    "C": Clip(640, 360, 20, keyint=250, detail=0.3),
    "D": Clip(1920, 1080, 20 * 60, keyint=250, detail=0.0),
    "D1": Clip(1920, 1080, 60, keyint=250, detail=0.0),
}
"""A: a camera's; B: the same from a phone; C: small; D: twenty minutes of little detail, and D1 its first minute."""
