"""``make image``: build the slim and the full image; ``python -m local.image slim`` builds one, ``clean`` ends all."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from local.engine import ROOT, RUN, STATE, Engine, find_engine, say
from local.processes import ProcessError, exit_on_term
from local.standin import ROOT_IMAGE, STANDIN, base_image

REPOSITORY = "localhost/video-emotions"
ENGINES = {"slim": "onnx", "full": "onnx,tensorflow"}
"""What each image can run a model on."""

DEFAULT_MODEL = "compact"
"""Said explicitly: every machine has it. The template's own default is ``deepface``."""

OURS = (REPOSITORY, "analyzeapi", "analyzeuploads", STANDIN, ROOT_IMAGE.partition(":")[0])
"""Images that these commands make, SAM's among them, where the engine is not the project's own."""

DOCKERFILE = "functions/analyze/Dockerfile"
MANIFEST = ROOT / "layers" / "models" / "python" / "video_models" / "manifest.json"
MIRROR = ROOT / "layers" / "models" / "mirror"
"""A part of the build context: model files that the build tries before their sources."""

YUNET = "yunet"
BUILD_SECONDS = 1200


def fill_mirror(mirror: Path = MIRROR) -> None:
    """Copy model files into the build context: from the folder ``MODEL_MIRROR`` and, verified already, from .models."""
    folders = [Path(os.environ.get("MODELS_DIR", ROOT / ".models"), "detectors")]
    if named := os.environ.get("MODEL_MIRROR"):
        folders.insert(0, Path(named))
    for file in _files().values():
        for source in (folder / file for folder in folders):
            if source.is_file() and source.resolve() != (mirror / file).resolve():
                shutil.copyfile(source, mirror / file)


def available_detectors(mirror: Path = MIRROR) -> str:
    """Return the build argument ``DETECTORS``: of the environment, or what the mirror's files allow."""
    if wanted := os.environ.get("DETECTORS"):
        return wanted
    if (mirror / _files()[YUNET]).is_file():
        return "haar,yunet"
    say("Detectors: haar only (DETECTORS=haar), because YuNet's file is not here. Set MODEL_MIRROR to get it.")
    return "haar"


def _files() -> dict[str, str]:
    """Return each model's file name."""
    return {entry["name"]: entry["file"] for entry in json.loads(MANIFEST.read_text(encoding="utf-8"))}


def build_flags(base: str, kind: str = "full", model: str = DEFAULT_MODEL, detectors: str = "haar") -> list[str]:
    """Return the build arguments of an image as flags."""
    arguments = {"BASE_IMAGE": base, "EMOTION_MODEL": model, "ENGINES": ENGINES[kind], "DETECTORS": detectors}
    if index := os.environ.get("PIP_INDEX_URL"):
        arguments["PIP_INDEX_URL"] = index
    if (mirror := os.environ.get("MODEL_MIRROR", "")).startswith(("http://", "https://")):
        arguments["MODEL_MIRROR"] = mirror
    return [part for key, value in arguments.items() for part in ("--build-arg", f"{key}={value}")]


def build(engine: Engine, kind: str, base: str, model: str, detectors: str) -> str:
    """Build one image and return its name.

    Raises
    ------
    EngineError
        With the reason, for example why the weights cannot be had.
    """
    name = f"{REPOSITORY}:{kind}"
    started = time.monotonic()
    engine.run(
        *("build", *build_flags(base, kind, model, detectors), "--file", DOCKERFILE, "--tag", name, "."),
        cwd=ROOT,
        seconds=BUILD_SECONDS,
        stdout=sys.stderr,
    )
    size = int(engine.output("image", "inspect", "--format", "{{.Size}}", name))
    say(f"{name}: {size / 1e6:.0f} MB uncompressed, base included; {time.monotonic() - started:.0f} s")
    return name


def clean() -> None:
    """Remove the images; where the engine's storage is the project's own, remove that."""
    if STATE.exists():
        engine = find_engine()
        if engine.environment:
            engine.run("rm", "--all", "--force", seconds=300, capture_output=True)
        # Podman mounts its storage on itself.
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
        for mount in sorted((each for each in mounts if Path(each).is_relative_to(STATE)), reverse=True):
            subprocess.run(["umount", mount], check=True)
        for folder in filter(Path.exists, (STATE, RUN)):
            shutil.rmtree(folder)
    elif shutil.which("docker") or shutil.which("podman"):
        engine = find_engine()
        for repository in OURS:
            found = engine.output("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository)
            for image in found.splitlines():
                engine.run("image", "rm", "--force", image, capture_output=True)


def main() -> int:
    """Build the requested images and print their names."""
    exit_on_term()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="slim | full | clean", help="default: slim full")
    kinds = parser.parse_args().kinds or list(ENGINES)
    if kinds != ["clean"] and (wrong := set(kinds) - set(ENGINES)):
        parser.error(f"not a kind of image: {', '.join(wrong)}")
    try:
        if kinds == ["clean"]:
            clean()
            return 0
        engine = find_engine()
        say(f"Container engine: {engine.name}")
        base = base_image(engine)
        fill_mirror()
        model, detectors = os.environ.get("EMOTION_MODEL", DEFAULT_MODEL), available_detectors()
        for kind in kinds:
            print(build(engine, kind, base, model, detectors))
    except ProcessError as error:
        say(f"Error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
