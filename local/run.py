"""``make run``: analyse one clip under the real Lambda runtime. A file that no POST carries is analyzed in segments.

The Result goes to standard output, alone; a summary for people, and everything else, to standard error.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from events.make_events import clip_event
from local.emulator import ROOT, EmulatorError, emulator
from video_common import limits
from video_common.errors import VideoEmotionsError
from video_common.options import parse_options
from video_emotions.pool import analyze
from video_emotions.rendering import render
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
        is_large = arguments.video.stat().st_size > limits.MAX_POST_VIDEO_BYTES
        answer = _in_segments if is_large else _posted  # the emulator would cut the event, and complain about its JSON
        return answer(arguments.video, arguments.options, console)
    except OSError as error:
        console.print(f"[red]Cannot read {error.filename}: {error.strerror}")
        return 1


def _posted(video: Path, query: str, console: Console) -> int:
    """Post a file to the function, which runs under the emulator."""
    event = clip_event(video.read_bytes(), query)
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
    took = f"{time.perf_counter() - started:.1f} s with the cold start of the runtime"
    _summarise(console, body, f"analysis {body['timings_ms']['total'] / 1000:.2f} s, {took}")
    return 0


def _in_segments(video: Path, query: str, console: Console) -> int:
    """Analyze a file of any size, with a process for each processor."""
    try:
        options = parse_options(parse_qs(query, keep_blank_values=True), {})
        with Progress(console=console, transient=True) as bar:
            row = bar.add_task("segments")
            result = analyze(
                video,
                options,
                Settings.from_environment(),
                lambda done, count: bar.update(row, completed=done, total=count),
            )
    except VideoEmotionsError as error:
        console.print(f"[red]{error.title}:[/] {error.detail}")
        return 1
    body = json.loads(render(result, "json").text)
    print(json.dumps(body, indent=2))
    sys.stdout.flush()
    spent = body["timings_ms"]
    _summarise(console, body, f"{spent['wall'] / 1000:.1f} s for {spent['total'] / 1000:.1f} s of work in segments")
    return 0


def _summarise(console: Console, result: dict[str, Any], took: str) -> None:
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
        f"model {model['name']} on {model['engine']}; {took}\n"
        f"licence of the model's weights: {load_manifest().models[model['name']].licence}"
    )


if __name__ == "__main__":
    sys.exit(main())
