"""``make run``: analyze one small clip under the real Lambda runtime.

The Result goes to standard output, alone; a summary for people, and everything else, to standard error.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from rich.console import Console

from events.make_events import clip_event
from local.emulator import ROOT, EmulatorError, emulator
from video_common import limits
from video_common.result import Result
from video_emotions.settings import Settings
from video_emotions_cli import summary
from video_models.manifest import load_manifest

SAMPLE = ROOT / "tests" / "data" / "sample.mp4"


def main() -> int:
    """Post the sample clip, or your own, and print the answer; exit status 1 if it is an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, default=SAMPLE, help="a video file (default: the sample clip)")
    parser.add_argument("--options", default="", help="a query string, e.g. frame_interval=10&include=timeline")
    arguments = parser.parse_args()
    console = Console(stderr=True, soft_wrap=True)
    try:
        size = arguments.video.stat().st_size
        if size > limits.MAX_POST_VIDEO_BYTES:  # the emulator would cut the event, and complain about its JSON
            console.print(
                f"[red]{arguments.video} has {size:,} bytes; a POST carries {limits.MAX_POST_VIDEO_BYTES:,}. "
                "Analyze it with the command line: make run VIDEO=clip.mp4"
            )
            return 1
        event = clip_event(arguments.video.read_bytes(), arguments.options)
    except OSError as error:
        console.print(f"[red]Cannot read {error.filename}: {error.strerror}")
        return 1
    names = [name.upper() for name in Settings.model_fields]
    settings = {name: os.environ[name] for name in names if name in os.environ}
    started = time.perf_counter()
    try:
        variables = {"POWERTOOLS_LOG_LEVEL": "ERROR", "POWERTOOLS_METRICS_DISABLED": "true", **settings}
        with emulator(variables, seconds=limits.API_SECONDS) as function:
            event["requestContext"]["requestTimeEpoch"] = round(time.time() * 1000)
            answer = function.invoke(event)
    except EmulatorError as error:
        console.print(f"[red]{error}")
        return 1
    body = json.loads(answer["body"])
    print(json.dumps(body, indent=2))
    sys.stdout.flush()
    if answer["statusCode"] != 200:
        console.print(f"[red]{answer['statusCode']} {body['title']}:[/] {body['detail']}")
        return 1
    result = Result.model_validate(body)
    console.print(summary.of_one(arguments.video.name, result))
    console.print(f"License of the model's weights: {load_manifest().models[result.model.name].licence}")
    console.print(f"{time.perf_counter() - started:.1f} s with the cold start of the runtime")
    return 0


if __name__ == "__main__":
    sys.exit(main())
