"""The commands: ``python -m video_models list | fetch | convert | verify | ready``."""

from pathlib import Path
from typing import Annotated

import typer

from video_common.errors import ConfigurationError, VideoEmotionsError
from video_common.schema import Engine
from video_models.convert import convert
from video_models.fetch import fetch, fetch_first
from video_models.manifest import ModelSpec, load_manifest, verify

app = typer.Typer(
    help="Make the emotion models ready: fetch, convert, verify.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A model of the manifest; `list` shows them.")]
ModelsDir = Annotated[
    Path,
    typer.Option(
        envvar="MODELS_DIR", file_okay=False, resolve_path=True, help="Where models lie (DeepFace's DEEPFACE_HOME)."
    ),
]


def _spec(name: str) -> ModelSpec:
    manifest = load_manifest()
    if name not in manifest:
        raise ConfigurationError(f"There is no model {name!r}; the models are: {', '.join(manifest)}.")
    return manifest[name]


def _say(text: object) -> None:
    typer.echo(text, err=True)


@app.command("list")
def list_models() -> None:
    """Show the models of the manifest, the preferred one first."""
    for spec in load_manifest().values():
        low, high = spec.input_range
        typer.echo(f"{spec.name}: {spec.file}, {spec.size} bytes, sha256 {spec.sha256}")
        typer.echo(f"  input {spec.input_size}x{spec.input_size} grey in {low:g}..{high:g}; {', '.join(spec.labels)}")
        typer.echo(f"  licence: {spec.licence}")
        typer.echo("".join(f"  from {source}\n" for source in spec.sources), nl=False)


@app.command("fetch")
def fetch_one(name: Name, models_dir: ModelsDir) -> None:
    """Bring a model's weights to their place, unless they are there and right."""
    typer.echo(fetch(_spec(name), models_dir))


@app.command("convert")
def convert_one(name: Name, models_dir: ModelsDir) -> None:
    """Convert a model's weights to ONNX and check that both give the same; needs TensorFlow."""
    typer.echo(convert(_spec(name), models_dir))


@app.command("verify")
def verify_one(
    name: Name,
    models_dir: ModelsDir,
    engine: Annotated[Engine, typer.Option(help="Whose file is verified.")] = Engine.ONNX,
) -> None:
    """Check that what an engine would load is what the manifest says."""
    verify(_spec(name), models_dir, engine)
    typer.echo(f"{name}: right for the engine {engine.value}.")


@app.command()
def ready(
    models_dir: ModelsDir,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Default: the first of the manifest that can be had.")
    ] = None,
) -> None:
    """Fetch and convert a model; say what was done on stderr, and only the model's name on stdout."""
    specs = [_spec(name)] if name else list(load_manifest().values())
    report, reasons = fetch_first(specs, models_dir)
    for reason in reasons:
        _say(reason)
    _say(report)
    _say(convert(report.spec, models_dir))
    chosen = report.spec.name
    if reasons:
        _say(f"Using {chosen}, since {specs[0].name} cannot be had here (see above); the two score differently.")
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
