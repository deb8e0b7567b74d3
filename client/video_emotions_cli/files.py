"""Which videos, and where their outputs go."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from video_emotions_cli.failures import usage

SUFFIXES: Final = frozenset({".mp4", ".m4v", ".mov", ".3gp", ".webm", ".mkv", ".avi", ".ts", ".mts", ".m2ts", ".flv"})
"""Suffixes that a search of a folder finds. A file that you name yourself may have any suffix."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video to analyze.

    Attributes
    ----------
    path : Path
    name : Path
        The path below the folder that was named, or the file's name.
    """

    path: Path
    name: Path


def find(arguments: Iterable[Path]) -> list[Video]:
    """Return the videos in the order of the arguments, a folder's in the order of the alphabet, each once."""
    found: dict[Path, Video] = {}
    for argument in arguments:
        if argument.is_dir():
            inside = sorted(path for path in argument.rglob("*") if _is_video(path))
            if not inside:
                usage(f"The folder {argument} has no videos: files that end with {', '.join(sorted(SUFFIXES))}.")
            videos = [Video(path, path.relative_to(argument)) for path in inside]
        elif argument.is_file():
            videos = [Video(argument, Path(argument.name))]
        else:
            usage(f"There is no file or folder {argument}. Check the path. A pipe or device must become a file first.")
        for video in videos:
            found.setdefault(video.path.resolve(), video)
    return list(found.values())


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def targets(
    videos: list[Video], place: Path, suffix: str, flag: str, taken: dict[Path, str], *, is_folder: bool
) -> list[Path]:
    """Return the path of each video's output.

    Parameters
    ----------
    videos : list of Video
    place : Path
        As the user gave it: a folder, or the file itself.
    suffix : str
        Of the outputs in a folder.
    flag : str
        For the error.
    taken : dict of Path to str
        Resolved paths of other outputs, and what each of them is. Gets the returned ones.
    is_folder : bool
        Whether ``place`` is a folder.
    """
    if not is_folder:
        paths = [place]
    elif place.exists() and not place.is_dir():
        usage(f"{flag} must be a folder here, and {place} is a file. Name a folder.")
    else:
        paths = [place / video.name.with_suffix(suffix) for video in videos]
    analyzed = {video.path.resolve() for video in videos}
    for video, path in zip(videos, paths, strict=True):
        if path.resolve() in analyzed:
            usage(f"{flag} would overwrite the video {path}. Choose another place.")
        if other := taken.get(path.resolve()):
            usage(f"The {flag} of {video.path} and the {other} would both be {path}. Choose another place.")
        taken[path.resolve()] = f"{flag} of {video.path}"
    return paths
