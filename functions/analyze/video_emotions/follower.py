"""Observations -> the same, with the tracks of their faces."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from video_emotions.aggregate import Observation, Report
from video_emotions.people import People
from video_emotions.tracks import Tracks


class Follower:
    """Links the faces of frames, which come in presentation order, to tracks.

    The numbers of a segment's tracks depend on all segments before it. So one Follower links all of them, when they
    are merged: it needs the boxes and thumbnails only.
    """

    def __init__(self) -> None:
        self._tracks = Tracks()

    def follow(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """Give the detected faces of frames that have a thumbnail their numbers. The thumbnail is released."""
        for seen in observations:
            if seen.scene is None:
                yield seen
                continue
            found = [face.box for face in seen.faces if face.detected]
            self._tracks, numbers = self._tracks.follow(seen.time_ms, seen.scene, found)
            faces = seen.faces
            if found:
                faces = tuple(replace(face, track=track) for face, track in zip(faces, numbers, strict=True))
            yield replace(seen, faces=faces, scene=None)

    def linked(self, report: Report, *, keep_timeline: bool) -> Report:
        """Return the Report of the next segment with its people.

        Parameters
        ----------
        report : Report
            If faces are to be linked, its timeline has all frames.
        keep_timeline : bool
        """
        timeline = tuple(self.follow(report.timeline))
        people = People(person for seen in timeline for person in seen.people).by_track
        return replace(report, people=people, timeline=timeline if keep_timeline else ())
