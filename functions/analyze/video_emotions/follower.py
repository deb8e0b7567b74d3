"""Observations -> the same, with the tracks of their faces."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from video_emotions.aggregate import Observation, Report
from video_emotions.cuts import is_cut
from video_emotions.people import People
from video_emotions.tracks import Tracks


class Follower:
    """Links the faces of frames, which come in presentation order, to tracks.

    The numbers of a segment's tracks depend on all segments before it. So one Follower links all of them, when they
    are merged: it needs the boxes, and where cuts are.
    """

    def __init__(self) -> None:
        self._tracks = Tracks()
        self._scene: bytes | None = None

    def follow(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """Give the detected faces of frames their numbers.

        A frame without a thumbnail and without a comparison passes unchanged.
        """
        for seen in observations:
            if seen.scene is None and seen.is_cut is None:
                yield seen
                continue
            found = [face.box for face in seen.faces if face.detected]
            self._tracks, numbers = self._tracks.follow(seen.time_ms, found, is_cut=self._is_cut(seen))
            self._scene = seen.scene
            faces = seen.faces
            if found:
                faces = tuple(replace(face, track=track) for face, track in zip(faces, numbers, strict=True))
            yield replace(seen, faces=faces, scene=None, is_cut=None)

    def linked(self, report: Report, frames: Iterable[Observation], keep: Callable[[Observation], object]) -> Report:
        """Return the Report of the next segment with its people, and without its timeline.

        Parameters
        ----------
        report : Report
        frames : iterable of Observation
            Its timeline, which has all frames if faces are to be linked.
        keep : callable
            Gets each frame, with the tracks of its faces.
        """
        people = People()
        for seen in self.follow(frames):
            for person in seen.people:
                people.add(person)
            keep(seen)
        return replace(report, people=people.by_track, timeline=())

    def _is_cut(self, seen: Observation) -> bool:
        if seen.is_cut is not None or seen.scene is None:
            return bool(seen.is_cut)
        return self._scene is not None and is_cut(self._scene, seen.scene)


def compared(observations: Iterable[Observation]) -> Iterator[Observation]:
    """Compare each frame of a segment with the one before it.

    Only the first frame and the last one keep their thumbnails of 12 KiB, for the comparison with the segments beside.
    """
    before: Observation | None = None
    for seen in observations:
        change = is_cut(before.scene, seen.scene) if before and before.scene and seen.scene else None
        if before is not None:
            yield before if before.is_cut is None else replace(before, scene=None)
        before = replace(seen, is_cut=change)
    if before is not None:
        yield before
