"""Makes a `VideoInfo` without a file."""

import numpy as np

from video_emotions.probe import VideoInfo


def info_of(frames: int, *, step_ms: int = 33, keyframes: tuple[int, ...] = (0,)) -> VideoInfo:
    """Describe a video of ``frames`` pictures, ``step_ms`` apart."""
    pts = np.arange(frames, dtype=np.int64) * step_ms
    is_keyframe = np.zeros(frames, dtype=np.bool_)
    is_keyframe[[place for place in keyframes if place < frames]] = True
    return VideoInfo(
        "h264", 640, 360, 0, 30.0, frames * step_ms, 1, "0" * 64, pts, pts, is_keyframe, np.arange(frames), True
    )
