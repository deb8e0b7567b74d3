"""``make image``: build the slim and the full image; ``python -m local.image slim`` builds one."""

import argparse
import os
import sys
import time

from local.engine import ROOT, Engine, EngineError, find_engine, say
from local.standin import base_image

REPOSITORY = "localhost/video-emotions"
ENGINES = {"slim": "onnx", "full": "onnx,tensorflow"}
"""What each image can run a model on."""

DEFAULT_MODEL = "mini-xception"
"""Said explicitly: every machine with a package registry can have it. The template's own default is ``deepface``."""

BUILD_SECONDS = 1500


def build(engine: Engine, kind: str, base: str, model: str) -> str:
    """Build one image and return its name.

    Raises
    ------
    EngineError
        With the reason, for example why the weights cannot be had.
    """
    name = f"{REPOSITORY}:{kind}"
    arguments = {"BASE_IMAGE": base, "EMOTION_MODEL": model, "ENGINES": ENGINES[kind]}
    if index := os.environ.get("PIP_INDEX_URL"):
        arguments["PIP_INDEX_URL"] = index
    flags = [part for key, value in arguments.items() for part in ("--build-arg", f"{key}={value}")]
    started = time.monotonic()
    engine.run(
        *("build", *flags, "--file", "functions/analyze/Dockerfile", "--tag", name, "."),
        cwd=ROOT,
        seconds=BUILD_SECONDS,
        stdout=sys.stderr,
    )
    size = int(engine.output("image", "inspect", "--format", "{{.Size}}", name))
    say(f"{name}: {size / 1e6:.0f} MB uncompressed, base included; {time.monotonic() - started:.0f} s")
    return name


def main() -> int:
    """Build what was asked for; the names of the images go to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*ENGINES, []], help="default: both")
    kinds = parser.parse_args().kinds or list(ENGINES)
    try:
        engine = find_engine()
        say(f"Container engine: {engine.name}")
        base = base_image(engine)
        for kind in kinds:
            print(build(engine, kind, base, os.environ.get("EMOTION_MODEL", DEFAULT_MODEL)))
    except EngineError as error:
        say(f"Error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
