"""The base image to build on: AWS's where it can be pulled, else a stand-in made from Debian, and it says which."""

import os
import platform
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.engine import ROOT, STATE, Engine, EngineError, say

AWS_BASE = "public.ecr.aws/lambda/python:3.13"
SUITE = "trixie"
"""Debian 13: the one whose Python is 3.13, as in AWS's base."""

ROOT_IMAGE = f"localhost/standin-root:{SUITE}"
STANDIN = "localhost/standin-lambda-python:3.13"
FILES = Path(__file__).with_name("standin")
PULL_SECONDS = 300
ROOT_SECONDS = 600


def base_image(engine: Engine) -> str:
    """Return the name of a base image that the engine has.

    Parameters
    ----------
    engine : Engine
        ``BASE_IMAGE`` in the environment names another base, and then nothing is tried.

    Raises
    ------
    EngineError
        AWS's base cannot be pulled and no stand-in can be made here.
    """
    if wanted := os.environ.get("BASE_IMAGE"):
        return wanted
    if engine.has(AWS_BASE):
        return AWS_BASE
    if engine.has(STANDIN):
        say(f"Base image: {STANDIN}, a stand-in that was made here earlier.")
        return STANDIN
    say(f"Base image: pulling {AWS_BASE} ...")
    try:
        engine.run("pull", "--quiet", AWS_BASE, seconds=PULL_SECONDS, capture_output=True)
    except EngineError as error:
        say(f"It cannot be pulled here: {str(error).splitlines()[-1][:300]}")
        say(f"Making a stand-in from Debian {SUITE} instead. It is for trying the image out, not for deploying it.")
        _make(engine)
        return STANDIN
    return AWS_BASE


def _make(engine: Engine) -> None:
    if not engine.has(ROOT_IMAGE):
        _import_debian(engine)
    with TemporaryDirectory(prefix="standin-") as folder:
        context = Path(folder)
        shutil.copytree(FILES, context, dirs_exist_ok=True)
        shutil.copy(_authorities(), context / "ca-certificates.crt")
        shutil.copy(_emulator(), context / "aws-lambda-rie")
        (context / "pip.conf").write_text(pip_settings(_pip_config()), encoding="utf-8")
        (context / "runtime.txt").write_text(
            requirements(("awslambdaric", "snapshot-restore-py", "simplejson")), encoding="utf-8"
        )
        engine.run(
            *("build", "--quiet", "--build-arg", f"ROOT_IMAGE={ROOT_IMAGE}", "--tag", STANDIN, str(context)),
            seconds=ROOT_SECONDS,
            capture_output=True,
        )


def _import_debian(engine: Engine) -> None:
    if shutil.which("mmdebstrap") is None or os.geteuid() != 0:
        raise EngineError(
            f"Neither {AWS_BASE} nor a stand-in can be had: that takes root and mmdebstrap (a package of Debian and "
            "Ubuntu). Name a base image of yours: make image BASE_IMAGE=..."
        )
    STATE.mkdir(parents=True, exist_ok=True)
    archive = STATE / f"{SUITE}.tar"
    mirror = [os.environ["DEBIAN_MIRROR"]] if os.environ.get("DEBIAN_MIRROR") else []
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,python3-pip,ca-certificates"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info")]
    done = subprocess.run(
        ["timeout", "-k", "10", str(ROOT_SECONDS), *command, SUITE, str(archive), *mirror],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EngineError(f"Debian {SUITE} cannot be had: {done.stderr.strip()[-1000:]}")
    engine.run("import", str(archive), ROOT_IMAGE, seconds=ROOT_SECONDS, capture_output=True)
    archive.unlink()


def _authorities() -> str:
    """Return the file with the certificate authorities that this machine trusts."""
    named = [os.environ.get(name) for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
    paths = ssl.get_default_verify_paths()
    usual = [paths.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    for path in (*named, *usual):
        if path and Path(path).is_file():
            return path
    raise EngineError("No file of certificate authorities was found; name one in SSL_CERT_FILE.")


def _pip_config() -> str:
    command = [sys.executable, "-m", "pip", "config", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def pip_settings(listed: str) -> str:
    """Return a pip.conf with what ``pip config list`` says about indexes, less what lies on this machine's disk."""
    kept: dict[str, list[str]] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key not in {"index-url", "extra-index-url", "find-links", "trusted-host", "default-timeout", "timeout"}:
            continue
        remote = [
            word for word in value.strip("'\"").replace("\\n", " ").split() if "/" not in word or _is_remote(word)
        ]
        kept.setdefault(key, []).extend(word for word in remote if word not in kept.get(key, []))
    lines = [f"{key} = {' '.join(words)}" for key, words in kept.items() if words]
    return "\n".join(["[global]", *lines, ""])


def _is_remote(word: str) -> bool:
    return word.startswith(("https://", "http://"))


def requirements(names: tuple[str, ...]) -> str:
    """Return the entries of requirements/runtime.txt for some packages, hashes and all."""
    kept, wanted = [], False
    for line in (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            wanted = line.partition("==")[0] in names
        if wanted:
            kept.append(line)
    return "\n".join([*kept, ""])


def _emulator() -> Path:
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    found = sorted((ROOT / ".tools").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    if not found:
        raise EngineError("The emulator is not installed. Run: make .tools/.ready")
    return found[0]
