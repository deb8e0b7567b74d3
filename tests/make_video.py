"""Generate videos whose truth is known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
import av
import numpy as np

def write_video(path, frames, *, fps=30, keyint=None, b_frames=None, faststart=False, options=None):
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as c:
        s = None
        for i, img in enumerate(frames):
            if s is None:
                o = dict(options or {})
                s = c.add_stream("libx264", rate=fps, options={**o, "g": str(keyint), "bf": str(b_frames)})
                s.height, s.width = img.shape[:2]; s.pix_fmt = "yuv420p"
            f = av.VideoFrame.from_ndarray(img, format="bgr24"); f.pts = i; f.time_base = Fraction(1, fps)
            c.mux(s.encode(f))
        c.mux(s.encode(None))
