"""What a caller could try for a better answer. Pure."""

from collections.abc import Collection
from typing import Final

from video_common import limits
from video_common.result import AnalysisSettings
from video_common.schema import AnalysisOptions, Options, Partial, Sampling
from video_emotions.aggregate import Report
from video_emotions.boxes import Size
from video_emotions.facts import PlanFacts
from video_emotions.plan import largest_scale, scales_for
from video_emotions.remedies import EXPORT

FEW_FRAMES: Final = 10
"""With fewer sampled frames each one moves a percentage by ten points or more."""

MANY_FACELESS: Final = 0.5
"""Part of the analyzed frames that should have a face."""

MANY_UNREADABLE: Final = 0.1
"""Part of the sampled frames."""


def advise(
    report: Report, plan: PlanFacts, size: Size, settings: AnalysisSettings, detectors: Collection[str]
) -> list[str]:
    """Return sentences for the caller, the most useful first; empty where there is nothing to advise.

    Parameters
    ----------
    report : Report
    plan : PlanFacts
    size : Size
        Of the video's pictures.
    settings : AnalysisSettings
    detectors : collection of str
        The detectors that this deployment has.
    """
    advice = []
    if report.analyzed_until_ms is not None:
        advice.append(
            f"The answer holds up to {report.analyzed_until_ms} ms. Send start_ms={report.analyzed_until_ms} for the "
            f"rest, or use {_fewer_frames(settings)}."
        )
    if report.frames_with_face < MANY_FACELESS * report.frames_analyzed:
        advice.append(_few_faces(report, plan, size, settings, detectors))
    is_whole = report.analyzed_until_ms is None
    if is_whole and report.frames_analyzed < FEW_FRAMES and plan.frames_wanted < plan.pictures:
        advice.append(_few_frames(report.frames_analyzed, settings))
    wanted = report.frames_analyzed + report.frames_unreadable
    if report.frames_unreadable > MANY_UNREADABLE * wanted:
        advice.append(f"{report.frames_unreadable} of {wanted} sampled frames could not be decoded. {EXPORT}")
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


def _few_faces(
    report: Report, plan: PlanFacts, size: Size, settings: AnalysisSettings, detectors: Collection[str]
) -> str:
    faces, frames = report.frames_with_face, report.frames_analyzed
    found = f"A face was found in {faces} of {frames} analyzed frames" if faces else "No face was found"
    ways = []
    if "yunet" in detectors and settings.detector != "yunet":
        ways.append("detector=yunet, which also finds turned, partly covered and smaller faces")
    scale, chosen = plan.scales[-1], scales_for(size, Options())[-1]
    if scale < chosen:
        ways.append("the request without scale_factor, which makes faces larger")
    elif scale < 0.9 * largest_scale(size):
        ways.append(f"scale_factor={min(1.0, largest_scale(size)):.2g}, which makes faces larger")
    said = f"{found}. The search covers faces of {settings.smallest_face_px} pixels and more."
    return f"{said} If there are more, try {', or '.join(ways)}." if ways else said


def _few_frames(frames: int, settings: AnalysisSettings) -> str:
    analyzed = "1 frame was" if frames == 1 else f"{frames} frames were"
    ways = "sampling=exact, or " if settings.sampling is Sampling.KEYFRAMES else ""
    return f"Only {analyzed} analyzed, so each one weighs much. Try {ways}a smaller interval_ms or frame_interval."
