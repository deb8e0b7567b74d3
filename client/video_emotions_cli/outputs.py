"""Result -> what was asked for: JSON, CSV, WebVTT, a report, a copy of the video."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from video_common.result import Result
from video_emotions.rendering import render
from video_emotions_cli.failures import NotUsable, usage
from video_emotions_cli.files import Video, targets
from video_emotions_client.sending import Progress
from video_report import MAX_VIDEO_BYTES, html

Write = Callable[[Video, Result, Path, Progress], str]
"""Writes one file. Returns what a person must know about it, after the words "Wrote FILE"."""

_NEEDS_TIMELINE: Final = {"csv", "vtt", "report", "video"}


@dataclass
class Outputs:
    """What is written for each video.

    Attributes
    ----------
    printed : str or None
        The format that goes to standard output.
    files : dict of str to list of Path
        By kind: a path for each video.
    """

    printed: str | None = None
    files: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def need_timeline(self) -> bool:
        """Report whether the analysis must list its frames."""
        return bool(_NEEDS_TIMELINE & {self.printed, *self.files})

    @property
    def need_people(self) -> bool:
        """Report whether the analysis must list the people."""
        return "report" in self.files

    def write(self, place: int, video: Video, result: Result, progress: Progress) -> list[str]:
        """Write all outputs of a video.

        Parameters
        ----------
        place : int
            Of the video, among all.
        video : Video
        result : Result
        progress : callable

        Returns
        -------
        list of str
            A sentence about each file.

        Raises
        ------
        NotUsable, OSError, VideoError
        """
        if self.printed:
            _print(result, self.printed)
        written = []
        for kind, paths in self.files.items():
            path = paths[place]
            path.parent.mkdir(parents=True, exist_ok=True)
            more = _WRITERS.get(kind, _text_writer(kind))(video, result, path, progress)
            written.append(f"Wrote {path}{more}")
        return written


def planned(videos: list[Video], formats: list[str], folder: Path | None, places: Mapping[str, Path | None]) -> Outputs:
    """Decide where everything goes, before anything is analyzed.

    Parameters
    ----------
    videos : list of Video
    formats : list of str
        Of texts: keys of `rendering.FORMATS`.
    folder : Path or None
        Where texts go. None: to standard output, which has room for one.
    places : mapping of str to Path or None
        Of ``report`` and ``video``.
    """
    outputs = Outputs()
    taken: dict[Path, str] = {}
    if folder is not None:
        formats = formats or ["json"]
        outputs.files = {
            name: targets(videos, folder, f".{name}", "--output", taken, is_folder=True) for name in formats
        }
    elif len(formats) > 1 or (formats and len(videos) > 1):
        usage("Standard output has room for one format of one video. Name a folder for the files with --output FOLDER.")
    elif formats:
        outputs.printed = formats[0]
    for kind, suffix in (("report", ".html"), ("video", ".mp4")):
        if (place := places[kind]) is not None:
            is_folder = len(videos) > 1 or place.is_dir()
            outputs.files[kind] = targets(videos, place, suffix, f"--{kind}", taken, is_folder=is_folder)
    return outputs


def _print(result: Result, name: str) -> None:
    text = render(result, name).text
    if name == "json" and sys.stdout.isatty():
        text = json.dumps(json.loads(text), indent=2)
    sys.stdout.buffer.write(text.encode() + (b"\n" if name == "json" else b""))
    sys.stdout.flush()


def _text_writer(name: str) -> Write:
    def write(_video: Video, result: Result, path: Path, _progress: Progress) -> str:
        _replace(path, render(result, name).text)
        return ""

    return write


def _report(video: Video, result: Result, path: Path, _progress: Progress) -> str:
    fits = video.path.stat().st_size <= MAX_VIDEO_BYTES
    document = html(json.loads(render(result, "json").text), title=video.name.name, video=video.path if fits else None)
    _replace(path, document)
    return "" if fits else f" without pictures: the video has more than {MAX_VIDEO_BYTES // 1_000_000} MB"


def _video(video: Video, result: Result, path: Path, progress: Progress) -> str:
    try:
        from video_emotions_cli.drawing import draw
    except ImportError as error:
        raise NotUsable(
            "--video needs the packages for local analysis: in a clone of the project run make, or see docs/cli.md."
        ) from error
    draw(video.path, result, path, os.cpu_count() or 1, progress)
    return ""


_WRITERS: Final[dict[str, Write]] = {"report": _report, "video": _video}


def _replace(path: Path, text: str) -> None:
    """Write a file at once: after Ctrl-C it is whole, or is not there."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(text.encode())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
