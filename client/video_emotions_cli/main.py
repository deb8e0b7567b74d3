"""The command: arguments -> videos -> Results -> what was asked for."""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from video_common.schema import Options, with_timeline
from video_emotions_cli import summary
from video_emotions_cli.batch import Engine, analyze_all
from video_emotions_cli.failures import EXPECTED, ExitCode, NotUsable, told, usage
from video_emotions_cli.files import find
from video_emotions_cli.options import with_analysis_flags
from video_emotions_cli.outputs import planned
from video_emotions_cli.screen import Screen

app = typer.Typer(
    help="How often each of seven emotions dominates the faces of a video.",
    epilog="Scores say how a face resembles labeled pictures. They do not say what a person feels.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OUTPUT, SERVICE = "Output", "Service"


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"video-emotions {version('video-emotions')}")
        raise typer.Exit


@app.callback()
def common(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _show_version(wanted=value), is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """How often each of seven emotions dominates the faces of a video."""


@app.command()
@with_analysis_flags
def analyze(  # noqa: PLR0913 - each is a flag
    videos: Annotated[
        list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Videos, or folders that are searched for videos.")
    ],
    *,
    json: Annotated[
        bool, typer.Option("--json", help="The Result, as the service returns it.", rich_help_panel=OUTPUT)
    ] = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="A table: one row for each face in each frame.", rich_help_panel=OUTPUT)
    ] = False,
    vtt: Annotated[
        bool, typer.Option("--vtt", help="A subtitle track with the emotions.", rich_help_panel=OUTPUT)
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Write JSON, CSV and WebVTT files here, not to standard output.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html|FOLDER",
            help="Write a report for a browser. It contains a video of up to 20 MB.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.mp4|FOLDER", help="Write a copy with boxes and labels, without sound.", rich_help_panel=OUTPUT
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no summary.", rich_help_panel=OUTPUT)
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="VIDEO_EMOTIONS_URL",
            metavar="ADDRESS",
            help="Analyze by this deployment, not on this computer.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="VIDEO_EMOTIONS_API_KEY",
            metavar="KEY",
            help="Of the deployment. The variable hides it from other users.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="JOB",
            help="Go on with the upload of one large file. Its options stay as they were.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    options: Options,
) -> None:
    """Analyze videos on this computer, or by a deployment (--url).

    Exit codes: 0 all analyzed, 1 some video failed, 2 wrong command line, 3 service or installation not usable.
    """
    found = find(videos)
    chosen = [name for name, wanted in (("json", json), ("csv", csv), ("vtt", vtt)) if wanted]
    outputs = planned(found, chosen, output, {"report": report, "video": video})
    if outputs.need_timeline:
        include = with_timeline("people" if outputs.need_people else options.include)
        options = options.model_copy(update={"include": include})
    if resume and not (url and len(found) == 1):
        usage("--resume goes on with one file, and needs --url.")
    screen = Screen(found, is_quiet=quiet)
    try:
        with screen:
            engine, at_once = chosen_engine(len(found), screen, url, api_key, resume)
            rows, code = analyze_all(found, at_once, engine, options, outputs, screen)
    except EXPECTED as error:
        screen.fail("Cannot start", told(error))
        raise typer.Exit(ExitCode.SERVICE) from error
    except KeyboardInterrupt:
        screen.console.print("Stopped.")
        os._exit(ExitCode.STOPPED)  # other threads may wait for the network
    if not quiet and (outputs.printed is None or len(found) == 1):
        _summarize(rows, Console(stderr=outputs.printed is not None, soft_wrap=True, highlight=False))
    raise typer.Exit(code)


def chosen_engine(
    videos: int, screen: Screen, url: str | None, api_key: str | None, resumed: str | None = None
) -> tuple[Engine, int]:
    """Return what analyzes, and how many videos at the same time."""
    if url:
        from video_emotions_cli.remote import AT_ONCE, Remote

        return Remote(url, api_key, screen.note, resumed), AT_ONCE
    if sys.platform != "linux":
        raise NotUsable("Analysis on this computer needs Linux. Name a deployment with --url, or use a container.")
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "ERROR")  # Powertools reads it when it is imported
    try:
        from video_emotions_cli.local import Local
    except ImportError as error:
        raise NotUsable(
            f"Analysis on this computer needs more packages ({error.name} is missing): install the extra [local] in a "
            "clone of the project, as docs/cli.md shows. Or name a deployment with --url."
        ) from error
    local = Local.loaded(videos)
    return local, local.at_once


def _summarize(rows: list[summary.Row], console: Console) -> None:
    if len(rows) > 1:
        console.print(summary.of_many(rows))
    elif (result := rows[0][1]) is not None:
        console.print(summary.of_one(rows[0][0], result))


def main() -> None:
    """Run the command line."""
    app()
