"""A flag for each option of the service, made from the schema: an option that is added there is a flag here."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Final, get_args

import typer

from video_common.errors import RequestError
from video_common.options import parse_options
from video_common.schema import Options
from video_emotions_cli.failures import usage
from video_emotions_cli.flags import in_flags

HELP: Final = {
    "frame_interval": "Analyze every Nth frame. Default: 30.",
    "interval_ms": "Sample by time: a frame every so many milliseconds. Replaces --frame-interval.",
    "start_ms": "Analyze the part from this time on, in milliseconds.",
    "end_ms": "Analyze the part before this time, in milliseconds.",
    "detector": "haar finds upright frontal faces. yunet also finds turned, covered and small ones, and is faster.",
    "scale_factor": "Scale of the analysis, above 0 and up to 1. Default: the longer side is shrunk to 640 pixels.",
    "faceless_frames": "What a frame without a face does: skip leaves it out, analyze scores the whole picture.",
    "sampling": "exact uses the selected frames. keyframes uses the nearest keyframes and is much faster.",
    "include": "timeline also lists every analyzed frame. people also lists people: faces that are followed "
    "through frames. CSV, WebVTT, report and video switch on what they need.",
    "voting": "Which faces of a frame vote: largest, or all.",
    "partial": "If the time is too short for the whole video: allow returns a part, refuse returns an error.",
}
"""By option. ``format`` has no flag: --json, --csv and --vtt choose it."""

PANEL: Final = "Analysis"


def with_analysis_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags. It gets the validated `Options` as its argument ``options``."""
    own = inspect.signature(command)
    kept = [parameter for name, parameter in own.parameters.items() if name != "options"]
    flags = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None, typer.Option(help=text, metavar=_metavar(name), rich_help_panel=PANEL, show_default=False)
            ],
        )
        for name, text in HELP.items()
    ]

    def run(**values: Any) -> None:
        given = {name: values.pop(name) for name in HELP}
        command(**values, options=_validated({name: text for name, text in given.items() if text is not None}))

    # Typer makes the command of its name, its docstring, its signature and its annotations.
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = own.replace(parameters=[*kept, *flags])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*kept, *flags)}
    return run


def _validated(given: dict[str, str]) -> Options:
    try:
        return parse_options({name: [text] for name, text in given.items()}, {})
    except RequestError as error:
        usage(in_flags(error.detail))


def _metavar(name: str) -> str:
    annotation = Options.model_fields[name].annotation
    kinds = [annotation, *get_args(annotation)]
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return "|".join(kind)
        if choices := [choice for choice in get_args(kind) if isinstance(choice, str)]:
            return "|".join(choices)
    return "MS" if name.endswith("_ms") else "N" if int in kinds else "NUMBER"
