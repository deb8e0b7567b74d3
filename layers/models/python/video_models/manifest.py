"""The models of the manifest, and the check that a model's file on disk is the right one.

A function uses this module at its cold start, so it imports only the standard library and Pydantic.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from video_common.errors import ConfigurationError, ModelUnavailable
from video_common.schema import Engine
from video_models.files import sha256_of
from video_models.specs import ConversionRecord, DetectorSpec, EmotionSpec, ModelSpec

PACKAGED_MANIFEST: Final = Path(__file__).with_name("manifest.json")

_ENTRIES: Final = TypeAdapter(list[Annotated[EmotionSpec | DetectorSpec, Field(discriminator="kind")]])


@dataclass(frozen=True)
class Manifest:
    """The models by name, in the order of the file.

    Attributes
    ----------
    emotions : dict of str to EmotionSpec
        In order of preference.
    detectors : dict of str to DetectorSpec
    """

    emotions: dict[str, EmotionSpec]
    detectors: dict[str, DetectorSpec]

    @property
    def models(self) -> dict[str, ModelSpec]:
        """Models of both kinds; the emotion models come first."""
        return {**self.emotions, **self.detectors}


def load_manifest(path: Path | None = None) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    path : Path, optional
        Default: the manifest in this package.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an entry is wrong.
    """
    path = path or PACKAGED_MANIFEST
    try:
        entries = _ENTRIES.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"The model manifest {path} cannot be read or is wrong.") from error
    manifest = Manifest(
        emotions={entry.name: entry for entry in entries if isinstance(entry, EmotionSpec)},
        detectors={entry.name: entry for entry in entries if isinstance(entry, DetectorSpec)},
    )
    if len(manifest.models) < len(entries):
        raise ConfigurationError(f"The model manifest {path} has two models of one name.")
    return manifest


def detector_path(name: str, models_dir: Path) -> Path:
    """Return the path of a detector's verified file.

    Parameters
    ----------
    name : str
        A detector of the packaged manifest.
    models_dir : Path

    Raises
    ------
    ConfigurationError
        The manifest has no such detector.
    ModelUnavailable
        The file is missing or wrong. The text names the command that fetches it.
    """
    detectors = load_manifest().detectors
    if name not in detectors:
        raise ConfigurationError(f"There is no detector {name!r}; the detectors are: {', '.join(detectors)}.")
    verify(detectors[name], models_dir)
    return detectors[name].weights_path(models_dir)


def verify(spec: ModelSpec, models_dir: Path, engine: Engine | None = None) -> None:
    """Make sure that a model's file is the one that the manifest describes.

    Parameters
    ----------
    spec : ModelSpec
    models_dir : Path
    engine : Engine, optional
        ``onnx`` checks the converted file of an emotion model instead, because that engine loads only this file.

    Raises
    ------
    ModelUnavailable
        The text names the file, what is wrong with it, and the command that fixes it.
    """
    if isinstance(spec, EmotionSpec) and engine is Engine.ONNX:
        _verify_converted(spec, models_dir)
    else:
        _check(spec.weights_path(models_dir), spec.size, spec.sha256, _command("fetch", spec, models_dir))


def _verify_converted(spec: EmotionSpec, models_dir: Path) -> None:
    fix = _command("ready", spec, models_dir)
    record = _read_record(spec.record_path(models_dir), fix)
    if record.source_sha256 != spec.sha256:
        raise ModelUnavailable(f"{spec.onnx_path(models_dir)} was made from other weights than the manifest's. {fix}")
    _check(spec.onnx_path(models_dir), record.onnx_bytes, record.onnx_sha256, fix)


def _command(verb: str, spec: ModelSpec, models_dir: Path) -> str:
    return f"Run: python -m video_models {verb} {spec.name} --models-dir {models_dir}"


def _read_record(path: Path, fix: str) -> ConversionRecord:
    try:
        return ConversionRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{path} is not there: no model was converted. {fix}") from error
    except (OSError, ValidationError) as error:
        raise ModelUnavailable(f"{path} cannot be read or is damaged. {fix}") from error


def _check(path: Path, size: int, sha256: str, fix: str) -> None:
    try:
        found = path.stat().st_size
        digest = sha256_of(path) if found == size else None
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{path} is not there. {fix}") from error
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read. {fix}") from error
    if digest is None:
        raise ModelUnavailable(f"{path} has {found} bytes, not {size}. {fix}")
    if digest != sha256:
        raise ModelUnavailable(f"{path} has the sha256 {digest}, not {sha256}. {fix}")
