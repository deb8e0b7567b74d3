"""What PyAV's frames do not offer: one field of an interlaced picture, and the display matrix."""

from fractions import Fraction
from itertools import starmap
from typing import Any, cast

from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData

from video_emotions.display import Orientation


class FirstField:
    """Take every second row of frames, those of the earlier field.

    FFmpeg's filters do it: they know the rows of every pixel format, and which field is the earlier one. PyAV does not
    offer that.
    """

    def __init__(self) -> None:
        self._graph: Any = None
        self._shape: Any = None

    def __call__(self, frame: Any) -> Any:
        """Return a frame of half the height. One that is too low for two fields is returned as it is."""
        shape = frame.width, frame.height, frame.format.name
        rows = 8 // frame.format.chroma_height(4)  # a multiple of this gives both fields the same rows of color
        if frame.height < rows:
            return frame
        if shape != self._shape:
            graph = self._graph = Graph()
            self._shape = shape
            source = graph.add_buffer(width=shape[0], height=shape[1], format=frame.format, time_base=Fraction(1))
            filters = (
                ("crop", f"h={frame.height // rows * rows}"),
                ("separatefields", None),
                ("select", "not(mod(n,2))"),
            )
            graph.link_nodes(source, *starmap(graph.add, filters), graph.add("buffersink")).configure()
        self._graph.push(frame)
        return self._graph.pull()


def _unnamed_kind(cls: Any, value: int) -> Any:
    """Make a name for a kind of side data that FFmpeg knows and PyAV does not, such as EXIF."""
    kind = object.__new__(cls)
    kind._name_, kind._value_ = f"KIND_{value}", value
    return cls._value2member_map_.setdefault(value, kind)


# Without it one such kind on a frame makes all kinds unreadable.
cast("Any", SideData)._missing_ = classmethod(_unnamed_kind)


def orientation_of(frame: Any) -> Orientation:
    """Read the display matrix, which the container gives to every frame.

    Reading it from ``frame.side_data`` would put the frame into a cycle of references, and so keep it in memory.
    """
    matrix = cast("Any", SideDataContainer)(frame).get(SideData.DISPLAYMATRIX)
    return Orientation.of_matrix(None if matrix is None else bytes(matrix))
