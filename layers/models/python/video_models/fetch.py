"""Source -> verified file. A file gets its place on disk only if it is the one that the manifest describes."""

import hashlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from video_common.errors import ModelUnavailable
from video_models.files import replacing
from video_models.manifest import verify
from video_models.sources import OPEN_SECONDS, chunks, in_mirror
from video_models.specs import BundledSource, ModelSpec, Source


@dataclass(frozen=True)
class FetchReport:
    """What `fetch` did; as text one line.

    Attributes
    ----------
    spec : ModelSpec
    source : Source, Path or None
        Where the file is from; None if it was on disk already.
    failures : tuple of str
        Each source that was tried before, with its reason.
    """

    spec: ModelSpec
    source: Source | Path | None
    failures: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.source is None:
            return f"{self.spec.name}: {self.spec.file} is there already, its sha256 is right."
        text = f"{self.spec.name}: fetched {self.spec.file} ({self.spec.size} bytes, sha256 right) from {self.source}."
        return " ".join([text, *(f"Not from {failure}." for failure in self.failures)])


def fetch(
    spec: ModelSpec, models_dir: Path, mirror: str | None = None, open_seconds: float = OPEN_SECONDS
) -> FetchReport:
    """Fetch a model's file to its place on disk, unless the right file is there.

    Parameters
    ----------
    spec : ModelSpec
    models_dir : Path
    mirror : str, optional
        A folder or an HTTP address that has files under the manifest's names, tried before the manifest's sources.
        It is not asked for weights that are a file of this package.
    open_seconds : float
        How long a URL may take until its answer begins.

    Raises
    ------
    ModelUnavailable
        No source has the right file (the text has a line with the reason of each), or the file cannot be written. An
        older file is left unchanged.
    ConfigurationError
        The mirror's address is not valid.
    """
    try:
        verify(spec, models_dir)
    except ModelUnavailable:
        return _fetch_from_any(spec, models_dir, mirror, open_seconds)
    return FetchReport(spec, None)


def fetch_first(
    specs: Iterable[ModelSpec], models_dir: Path, mirror: str | None = None
) -> tuple[FetchReport, list[str]]:
    """Fetch the first model whose file is on disk or at a source.

    Parameters
    ----------
    specs : iterable of ModelSpec
        In order of preference.
    models_dir : Path
    mirror : str, optional
        As for `fetch`.

    Returns
    -------
    FetchReport
    list of str
        For each model before it, why its file cannot be fetched.

    Raises
    ------
    ModelUnavailable
        No file can be fetched. The text has all reasons.
    """
    reasons: list[str] = []
    for spec in specs:
        try:
            return fetch(spec, models_dir, mirror), reasons
        except ModelUnavailable as failure:
            reasons.append(failure.detail)
    raise ModelUnavailable("\n".join(reasons))


def _fetch_from_any(spec: ModelSpec, models_dir: Path, mirror: str | None, open_seconds: float) -> FetchReport:
    comes_along = any(isinstance(source, BundledSource) for source in spec.sources)
    sources = [*([in_mirror(mirror, spec.file)] if mirror and not comes_along else []), *spec.sources]
    failures: list[str] = []
    with replacing(spec.weights_path(models_dir)) as part:
        for source in sources:
            try:
                with closing(chunks(source, open_seconds)) as content:
                    _save(content, part, spec)
            except ModelUnavailable as failure:
                failures.append(f"{source}: {failure.detail}")
            else:
                return FetchReport(spec, source, tuple(failures))
        lines = (f"  {failure}" for failure in failures)
        raise ModelUnavailable("\n".join([f"No source gave {spec.file}, the file of {spec.name}:", *lines]))


def _save(content: Iterable[bytes], part: Path, spec: ModelSpec) -> None:
    size, digest = 0, hashlib.sha256()
    with part.open("wb") as file:
        for chunk in content:
            size += len(chunk)
            if size > spec.size:
                raise ModelUnavailable(f"more than the expected {spec.size} bytes")
            digest.update(chunk)
            file.write(chunk)
    if size < spec.size:
        raise ModelUnavailable(f"ended after {size} of {spec.size} bytes")
    if digest.hexdigest() != spec.sha256:
        raise ModelUnavailable(f"another file, with the sha256 {digest.hexdigest()}")
