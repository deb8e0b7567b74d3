"""Write a video's packets once more, without coding them again."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av


def with_edit_list(path: Path, seconds: Fraction = Fraction(1, 2)) -> Path:
    """Write an MP4 beside another, whose edit list leaves out the beginning, and return its path."""
    new = path.with_stem(f"{path.stem}-edited")
    with av.open(str(path)) as old, av.open(str(new), "w") as out:
        source: Any = old.streams.video[0]
        stream: Any = out.add_stream_from_template(source)
        earlier = round(seconds / source.time_base)
        packets: Any = old.demux(source)
        for packet in packets:
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - earlier, packet.dts - earlier, stream
                out.mux(packet)
    return new
