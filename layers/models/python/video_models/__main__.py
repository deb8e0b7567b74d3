"""The commands: ``python -m video_models list | fetch | convert | verify | ready``."""

from pathlib import Path
from typing import Annotated

import typer

from video_common.errors import ConfigurationError, VideoEmotionsError
from video_common.schema import Engine
from video_models.convert import convert
from video_models.fetch import fetch, fetch_first
from video_models.manifest import load_manifest, verify
from video_models.specs import EmotionSpec, ModelSpec

app = typer.Typer(
    help="Make the models ready: fetch, convert, verify.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A model of the manifest; `list` shows them.")]
ModelsDir = Annotated[
    Path,
    typer.Option(
        envvar="MODELS_DIR",
        file_okay=False,
        resolve_path=True,
        help="The directory of the models (DeepFace's DEEPFACE_HOME).",
    ),
]
Mirror = Annotated[
    str | None,
    typer.Option(
        envvar="MODEL_MIRROR",
        metavar="FOLDER | ADDRESS",
        help="A folder, or an http(s) address, with files under the manifest's file names. It is tried before the "
        "manifest's sources, and its files are checked in the same way.",
    ),
]


def _spec(name: str) -> ModelSpec:
    models = load_manifest().models
    if name not in models:
        raise ConfigurationError(f"There is no model {name!r}; the models are: {', '.join(models)}.")
    return models[name]


def _say(text: object) -> None:
    typer.echo(text, err=True)


@app.command("list")
def list_models() -> None:
    """Show the models of the manifest: emotion models, the preferred one first, then face detectors."""
    for spec in load_manifest().models.values():
        typer.echo(f"{spec.name}: {spec.file}, {spec.size} bytes, sha256 {spec.sha256}")
        if isinstance(spec, EmotionSpec):
            side, (low, high) = spec.input_size, spec.input_range
            typer.echo(f"  emotions: input {side}x{side} gray in {low:g}..{high:g}; {', '.join(spec.labels)}")
        else:
            typer.echo("  face detector")
        typer.echo(f"  license: {spec.licence}")
        typer.echo("".join(f"  from {source}\n" for source in spec.sources), nl=False)


@app.command("fetch")
def fetch_one(name: Name, models_dir: ModelsDir, mirror: Mirror = None) -> None:
    """Fetch a model's file to its place on disk, unless the right file is there."""
    typer.echo(fetch(_spec(name), models_dir, mirror))


@app.command("convert")
def convert_one(name: Name, models_dir: ModelsDir) -> None:
    """Convert an emotion model to ONNX and check that both give the same scores; needs TensorFlow."""
    spec = _spec(name)
    if not isinstance(spec, EmotionSpec):
        raise ConfigurationError(f"{name} needs no conversion: its file is ONNX already. Use it as it is.")
    typer.echo(convert(spec, models_dir))


@app.command("verify")
def verify_one(
    name: Name,
    models_dir: ModelsDir,
    engine: Annotated[Engine, typer.Option(help="Of an emotion model, the file that this engine loads.")] = Engine.ONNX,
) -> None:
    """Check that a model's file on disk is the one that the manifest describes."""
    spec = _spec(name)
    verify(spec, models_dir, engine)
    typer.echo(f"{name}: right for the engine {engine.value}." if isinstance(spec, EmotionSpec) else f"{name}: right.")


@app.command()
def ready(
    models_dir: ModelsDir,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Default: the first emotion model that can be fetched.")
    ] = None,
    mirror: Mirror = None,
) -> None:
    """Fetch a model and convert it if it is an emotion model; only the model's name goes to stdout."""
    specs = [_spec(name)] if name else list(load_manifest().emotions.values())
    report, reasons = fetch_first(specs, models_dir, mirror)
    for reason in reasons:
        _say(reason)
    _say(report)
    if isinstance(report.spec, EmotionSpec):
        _say(convert(report.spec, models_dir))
    chosen = report.spec.name
    if reasons:
        _say(f"Using {chosen}, since {specs[0].name} is not available here (see above). The two score differently.")
    elif name is None:
        _say(f"Using {chosen}, the preferred model.")
    typer.echo(chosen)


def main() -> None:
    """Run a command; an error of ours is one message and the exit code 1."""
    try:
        app()
    except VideoEmotionsError as error:
        _say(error.detail)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
