"""Runs inside the image, from standard input, and prints what is there as JSON."""

import hashlib
import importlib.metadata
import importlib.util
import json
import mmap
import os
import re
import sys
from pathlib import Path

OURS = (Path("/var/task"), Path("/opt"))
NEEDS = {
    "glibc": re.compile(rb"\x00GLIBC_2\.(\d+)(?:\.\d+)?(?=\x00)"),
    "glibcxx": re.compile(rb"\x00GLIBCXX_3\.4\.(\d+)(?=\x00)"),
}
"""Version N of a system library, as an ELF file names what it needs."""


def files():
    for top in OURS:
        for folder, _, names in os.walk(top):
            yield from (Path(folder, name) for name in names)


def newest(path: Path) -> dict:
    """Return the newest N of each library in `NEEDS` that a file names; nothing if it is no ELF."""
    if not path.is_file() or path.stat().st_size < 64:
        return {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:4] != b"\x7fELF":
            return {}
        if content.find(b"\x00GLIBC_ABI_DT_RELR\x00") >= 0:  # a feature of glibc 2.36
            return {"glibc": 36, "glibcxx": 0}
        return {name: max((int(n[1]) for n in need.finditer(content)), default=0) for name, need in NEEDS.items()}


def look() -> dict:
    everything = list(files())
    needs = {str(path): found for path in everything if (found := newest(path))}
    import av
    import boto3
    import botocore
    import cv2
    import numpy
    import snapshot_restore_py

    import video_common
    import video_emotions
    import video_models

    modules = (av, boto3, botocore, cv2, video_models, numpy, snapshot_restore_py, video_common, video_emotions)
    sys.path.append("/var/runtime")  # as the base's entry point does
    client = importlib.util.find_spec("awslambdaric")
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
        "avcodec_of_cv2": re.findall(r"avcodec:\s+YES \(([\d.]+)\)", cv2.getBuildInformation())[0],
        "needs": needs,
        "modules": {module.__name__: module.__file__ for module in modules},
        "runtime_client": client.origin if client else None,
        "models": {
            str(path.relative_to("/opt/models")): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in everything
            if path.is_relative_to("/opt/models")
        },
        "weights_elsewhere": [
            str(path)
            for path in everything
            if path.is_relative_to("/opt")
            and not path.is_relative_to("/opt/models")
            and path.suffix in {".h5", ".hdf5", ".onnx"}
        ],
        # By their rights: on a read-only disk nothing can be written anyway.
        "writable": [
            str(path)
            for path in everything
            if (found := path.lstat()).st_uid != 0 or (found.st_mode & 0o022 and not path.is_symlink())
        ],
        "unreadable": [str(path) for path in everything if not os.access(path, os.R_OK)],
        "without_bytecode": [
            str(path) for path in everything if path.suffix == ".py" and not (path.parent / "__pycache__").is_dir()
        ],
        "manifest": json.loads(Path("/opt/models/manifest.json").read_text()),
        "environment": dict(os.environ),
    }


if __name__ == "__main__":
    print(json.dumps(look()))
