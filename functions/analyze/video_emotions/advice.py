"""What a caller could try for a better answer. Pure."""

from typing import Final

from video_common import limits
from video_common.result import AnalysisSettings
from video_common.schema import AnalysisOptions, Partial, Sampling
from video_emotions.aggregate import Report
from video_emotions.plan import scale_for
from video_emotions.probe import VideoInfo

FEW_FRAMES: Final = 10
"""With fewer sampled frames each one moves a percentage by ten points or more."""

MANY_UNREADABLE: Final = 0.1
"""Part of the sampled frames."""


def advise(report: Report, info: VideoInfo, settings: AnalysisSettings) -> list[str]:
    """Return sentences for the caller, the most useful first; empty where there is nothing to advise.

    Parameters
    ----------
    report : Report
    info : VideoInfo
    settings : AnalysisSettings
    """
    advice = []
    if report.analyzed_until_ms is not None:
        advice.append(
            f"The answer holds up to {report.analyzed_until_ms} ms. Send start_ms={report.analyzed_until_ms} for the "
            f"rest, or use {_fewer_frames(settings)}."
        )
    if report.frames_analyzed and not report.frames_with_face:
        advice.append(_no_face(scale_for(info.size, settings), settings))
    every_frame = settings.frame_interval == 1 and settings.sampling is Sampling.EXACT
    if not (report.truncated or every_frame) and report.frames_analyzed < min(FEW_FRAMES, info.frame_count):
        advice.append(_few_frames(report.frames_analyzed, settings))
    wanted = report.frames_analyzed + report.frames_unreadable
    if report.frames_unreadable > MANY_UNREADABLE * wanted:
        advice.append(
            f"{report.frames_unreadable} of {wanted} sampled frames could not be decoded. "
            "Export the video again, then send the new file."
        )
    return advice


def in_time(options: AnalysisOptions, *, uploaded: bool) -> str:
    """Return the sentences for a caller whose analysis does not end in time.

    Parameters
    ----------
    options : AnalysisOptions
    uploaded : bool
        The video came by the bucket, not by POST.
    """
    part = " partial=allow gives the result so far." if options.partial is Partial.REFUSE else ""
    more = (
        "The owner of the deployment can give the function more memory, which makes it faster."
        if uploaded
        else f"POST /uploads has {limits.WORKER_SECONDS // 60} minutes for a video."
    )
    return f"Use {_fewer_frames(options)}.{part} {more}"


def _fewer_frames(options: AnalysisOptions) -> str:
    ways = ["a larger frame_interval" if options.interval_ms is None else "a larger interval_ms"]
    if options.sampling is not Sampling.KEYFRAMES:
        ways.append("sampling=keyframes")
    return " or ".join(ways)


def _no_face(scale: float, settings: AnalysisSettings) -> str:
    ways = []
    if settings.detector != "yunet":
        ways.append("detector=yunet, which also finds turned, partly covered and smaller faces")
    if scale < 1:
        ways.append(f"a scale_factor above {scale:.2f}, which makes smaller faces large enough")
    found_none = f"No face was found. The search covers faces of {settings.smallest_face_px} pixels and more."
    return f"{found_none} Try {', or '.join(ways)}." if ways else found_none


def _few_frames(frames: int, settings: AnalysisSettings) -> str:
    analyzed = "1 frame was" if frames == 1 else f"{frames} frames were"
    ways = "sampling=exact, or " if settings.sampling is Sampling.KEYFRAMES else ""
    return f"Only {analyzed} analyzed, so each one weighs much. Try {ways}a smaller interval_ms or frame_interval."
