"""Runs inside the image, from standard input, and prints what is there as JSON."""

import hashlib
import importlib.metadata
import json
import mmap
import os
import re
import sys
from pathlib import Path

OURS = (Path("/var/task"), Path("/opt"))
GLIBC = re.compile(rb"GLIBC_2\.(\d+)(?:\.\d+)?\x00")


def files():
    for top in OURS:
        for folder, _, names in os.walk(top):
            yield from (Path(folder, name) for name in names)


def newest_glibc(path: Path) -> int:
    """Return N of the newest GLIBC_2.N that a file names, 0 if it is no ELF."""
    if not path.is_file() or path.stat().st_size < 64:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:4] != b"\x7fELF":
            return 0
        return max((int(found[1]) for found in GLIBC.finditer(content)), default=0)


def look() -> dict:
    everything = list(files())
    glibc = {str(path): newest for path in everything if (newest := newest_glibc(path))}
    import av
    import cv2

    import emotion_models
    import video_common
    import video_emotions

    modules = (av, cv2, emotion_models, video_common, video_emotions)
    return {
        "python": list(sys.version_info[:2]),
        "user": os.getuid(),
        "distributions": sorted(
            {
                re.sub("[-_.]+", "-", item.metadata["Name"].lower())
                for item in importlib.metadata.distributions(path=["/var/task"])
            }
        ),
        "cv2": [str(path) for path in everything if path.parent.name == "cv2" and path.name.startswith("cv2.")],
        "avcodec_files": [str(path) for path in everything if "libavcodec" in path.name],
        "avcodec_of_av": list(av.library_versions["libavcodec"]),
        "avcodec_of_cv2": re.search(r"avcodec:\s+YES \(([\d.]+)\)", cv2.getBuildInformation())[1],
        "glibc": glibc,
        "modules": {module.__name__: module.__file__ for module in modules},
        "models": {
            str(path.relative_to("/opt/models")): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in everything
            if path.is_relative_to("/opt/models")
        },
        "writable": [str(path) for path in everything if os.access(path, os.W_OK)],
        "unreadable": [str(path) for path in everything if not os.access(path, os.R_OK)],
        "without_bytecode": [
            str(path) for path in everything if path.suffix == ".py" and not (path.parent / "__pycache__").is_dir()
        ],
        "manifest": json.loads(Path("/opt/models/manifest.json").read_text()),
        "environment": dict(os.environ),
    }


print(json.dumps(look()))
