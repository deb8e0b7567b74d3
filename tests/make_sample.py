"""Make the sample clip, its truth and the small clip's event: ``python -m tests.make_sample``, from the root.

The truth is written from what is drawn. No detector and no model has a say in it.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from events.make_events import clip_event, write
from testbed.make_video import write_video
from testbed.pictures import ABOVE, ABSENT, CENTRED, TO_THE_LEFT, Place, portraits

DATA: Final = Path(__file__).parent / "data"
EVENTS: Final = DATA.parent.parent / "events"
JOBS: Final = DATA.parent.parent / "functions" / "jobs" / "video_jobs"
WIDTH, HEIGHT, FPS = 640, 360, 30
INTERVAL: Final = 30

SEGMENTS: Final[tuple[tuple[int, str, Place], ...]] = (
    (135, "centred", CENTRED),
    (60, "off-centre", TO_THE_LEFT),
    (60, "off-centre", ABOVE),
    (105, "none", ABSENT),
)
"""Frames, kind, place. Every 30th frame is at least 15 frames from a segment's ends."""


def truth() -> dict[str, Any]:
    """Return what the clip shows frame by frame, and what follows for every 30th frame."""
    shown = [(kind, place) for count, kind, place in SEGMENTS for _ in range(count)]
    frames = [
        {
            "index": index,
            "time_ms": round(index * 1000 / FPS),
            "kind": kind,
            "face_centre": place and [round(place[0] * WIDTH), round(place[1] * HEIGHT)],
        }
        for index, (kind, place) in enumerate(shown)
    ]
    sampled = [frame["kind"] for frame in frames[::INTERVAL]]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "frame_rate": FPS,
        "sampled": {
            "frame_interval": INTERVAL,
            "total_frames_analyzed": len(sampled),
            "frames_with_face": len(sampled) - sampled.count("none"),
            "eye_contact_score": 100 * sampled.count("centred") / len(sampled),
        },
        "frames": frames,
    }


def small_clip() -> bytes:
    """Return a clip of five frames with a face in the middle, in a few kB."""
    with TemporaryDirectory() as folder:
        options = {"crf": "32", "preset": "slow", "threads": "1"}
        return write_video(Path(folder, "small.mp4"), portraits(320, 240, [CENTRED] * 5), options=options).read_bytes()


def main() -> None:
    """Write ``sample.mp4``, ``sample.truth.json``, and the event of the small clip."""
    small = clip_event(small_clip())
    write({"clip-small-v1": small}, EVENTS)
    write({"sample-event": small}, JOBS)
    facts = truth()
    places = (place for count, _, place in SEGMENTS for _ in range(count))
    write_video(
        DATA / "sample.mp4",
        portraits(WIDTH, HEIGHT, places),
        fps=FPS,
        keyint=60,
        b_frames=2,
        faststart=True,
        options={"crf": "27", "preset": "slow", "threads": "1"},
    )
    frames = ",\n".join(json.dumps(frame) for frame in facts.pop("frames"))
    head = json.dumps(facts, indent=1).removesuffix("\n}")
    (DATA / "sample.truth.json").write_text(f'{head},\n "frames": [\n{frames}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
