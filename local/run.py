"""``make run``: analyse one clip under the real Lambda runtime.

The Result goes to standard output, alone; a summary for people, and everything else, to standard error.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from events.make_events import clip_event
from local.emulator import ROOT, EmulatorError, emulator
from video_common import limits
from video_emotions.settings import Settings
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
                "Cut it or scale it down, or run `make serve` and upload it with POST /uploads (see the README)."
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
    _summarise(console, body, time.perf_counter() - started)
    return 0


def _summarise(console: Console, result: dict[str, Any], seconds: float) -> None:
    video, model = result["video"], result["model"]
    dominant = result["overall_dominant_emotion"]
    console.print(
        f"\n[bold]{dominant or 'no face voted'}[/]"
        + (f", mean confidence {result['average_confidence_score']:.2f}" if dominant else "")
        + f"; eye contact in {result['eye_contact_score']:.0f} % of {result['total_frames_analyzed']} analysed frames, "
        f"a face in {result['frames_with_face']}"
    )
    if result["truncated"]:
        console.print(
            f"[yellow]The time was too short for the whole video: this holds up to {result['analyzed_until_ms']} ms."
        )
    table = Table(box=None, padding=(0, 1))
    for title in ("emotion", "% of votes", ""):
        table.add_column(title, justify="right" if title == "% of votes" else "left")
    for label, percent in sorted(result["average_emotion_scores"].items(), key=lambda item: -item[1]):
        table.add_row(label, f"{percent:.1f}", "█" * round(percent / 4))
    console.print(table)
    console.print(
        f"{video['codec']} {video['width']}x{video['height']}, {video['duration_ms'] / 1000:.1f} s; "
        f"model {model['name']} on {model['engine']}; analysis {result['timings_ms']['total'] / 1000:.2f} s, "
        f"{seconds:.1f} s with the cold start of the runtime\n"
        f"license of the model's weights: {load_manifest().models[model['name']].licence}"
    )


if __name__ == "__main__":
    sys.exit(main())
