"""Result -> what people read."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from video_common.result import Result
from video_common.shares import Person
from video_emotions_cli.flags import in_flags

Row = tuple[str, Result | None]
"""A video's name, and its Result unless it failed."""

MOST_PEOPLE = 20
"""Listed here; a crowd would fill the screen."""

CAUTION = "Scores say how a face resembles labeled pictures. They do not say what a person feels."


def of_one(name: str, result: Result) -> RenderableType:
    """Describe one video."""
    return Group(*_lines(name, result))


def _lines(name: str, result: Result) -> Iterator[RenderableType]:
    dominant, video = result.overall_dominant_emotion, result.video
    confidence = f", mean confidence {result.average_confidence_score:.2f}" if dominant else ""
    yield f"[bold]{escape(name)}: {dominant or 'no face found'}[/]{confidence}"
    yield (
        f"A face in {result.frames_with_face} of {result.total_frames_analyzed} analyzed frames, "
        f"eye contact in {result.eye_contact_score:.0f} % of the frames"
    )
    if dominant:
        yield _bars(result)
    yield from _people(result.people or [])
    yield (
        f"[dim]{video.codec} {video.width}x{video.height}, {video.duration_ms / 1000:.1f} s; "
        f"detector {result.detector.name}; model {result.model.name} on {result.model.engine}; "
        f"analyzed in {result.timings_ms['total'] / 1000:.2f} s[/]"
    )
    yield f"[dim]{CAUTION}[/]"
    yield from warnings(result)


def _people(people: list[Person]) -> Iterator[str]:
    for person in people[:MOST_PEOPLE]:
        shares = dict(person.average_emotion_scores)
        emotion = max(shares, key=lambda label: shares[label])
        yield (
            f"Person {person.track}, {person.first_ms} to {person.last_ms} ms: {emotion} in {shares[emotion]:.0f} % of "
            f"{person.frames} frames"
        )
    if len(people) > MOST_PEOPLE:
        yield f"{len(people) - MOST_PEOPLE} more people are in the Result (--json)"


def warnings(result: Result) -> Iterator[str]:
    """Yield what the reader of a Result must also know."""
    if result.truncated:
        yield f"[yellow]The result holds for the video before {result.analyzed_until_ms} ms only.[/]"
    if result.timeline_truncated:
        yield "[yellow]The end of the timeline is left out: the answer has no room for it.[/]"
    if result.frames_unreadable:
        yield f"[yellow]{result.frames_unreadable} sampled frames cannot be decoded and are left out.[/]"
    for sentence in result.advice or ():
        yield f"[yellow]{escape(in_flags(sentence))}[/]"


def _bars(result: Result) -> Table:
    table = Table(box=None, padding=(0, 1), show_edge=False)
    table.add_column("emotion")
    table.add_column("% of votes", justify="right")
    intervals = result.average_emotion_scores_interval
    if intervals:
        table.add_column("95 % interval", justify="right")
    table.add_column("")
    for label, percent in sorted(result.average_emotion_scores, key=lambda share: -share[1]):
        sure = getattr(intervals, label, None)
        between = (f"{sure.low:.0f} to {sure.high:.0f}",) if sure else ()
        table.add_row(label, f"{percent:.1f}", *between, "█" * round(percent / 4))
    return table


def of_many(rows: list[Row]) -> RenderableType:
    """Describe several videos, a row each."""
    table = Table(box=None, padding=(0, 1), show_edge=False)
    for title in ("video", "emotion", "confidence", "eye contact", "frames with face", "seconds"):
        table.add_column(title, justify="left" if title in {"video", "emotion"} else "right")
    for name, result in rows:
        if result is None:
            table.add_row(escape(name), "[red]failed[/]")
            continue
        table.add_row(
            escape(name),
            (result.overall_dominant_emotion or "no face") + (" [yellow](incomplete)[/]" if result.truncated else ""),
            f"{result.average_confidence_score:.2f}",
            f"{result.eye_contact_score:.0f} %",
            f"{result.frames_with_face} of {result.total_frames_analyzed}",
            f"{result.video.duration_ms / 1000:.1f}",
        )
    return Group(table, f"[dim]{CAUTION}[/]")
