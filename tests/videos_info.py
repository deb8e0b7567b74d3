"""Makes what the pipeline passes on, without a file: facts, plans, settings."""

import numpy as np

from video_common.result import AnalysisSettings, DetectorFacts, ModelFacts
from video_common.schema import Engine
from video_emotions.facts import VideoInfo
from video_emotions.packet_index import PacketIndex

MODEL = ModelFacts(name="none", engine=Engine.ONNX, weights_sha256="0" * 64)
DETECTOR = DetectorFacts(name="haar", weights_sha256="0" * 64)
SETTINGS = AnalysisSettings(detector="haar", centre_tolerance=0.2, smallest_face_px=24)


def info_of(frames: int, *, duration_ms: int | None = None) -> VideoInfo:
    """Describe a video of ``frames`` pictures, 33 ms apart."""
    return VideoInfo("h264", 640, 360, 0, 30.0, duration_ms or frames * 33, 1, "0" * 64, frames)


def index_of(frames: int, *, step_ms: int = 33, keyframes: tuple[int, ...] = (0,)) -> PacketIndex:
    """List the packets of such a video."""
    pts = np.arange(frames, dtype=np.int64) * step_ms
    is_keyframe = np.zeros(frames, dtype=np.bool_)
    is_keyframe[[place for place in keyframes if place < frames]] = True
    return PacketIndex(pts, pts, is_keyframe, np.arange(frames), True, last_duration=step_ms)
