"""The base image to build on: AWS's where it can be pulled, else a stand-in made from Debian, and it says which."""

import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local import processes
from local.emulator import emulator_binary
from local.engine import ROOT, STATE, Engine, EngineError, install, say
from local.processes import ProcessError

AWS_BASE = "public.ecr.aws/lambda/python:3.13"
SUITE = "trixie"
"""Debian 13: its Python is 3.13, as in AWS's base."""

ROOT_IMAGE = f"localhost/standin-root:{SUITE}"
STANDIN = "localhost/standin-lambda-python"
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
    with TemporaryDirectory(prefix="standin-") as folder:
        context = Path(folder)
        name = f"{STANDIN}:3.13-{_fill(context)}"
        if engine.has(name):
            say(f"Base image: {name}, a stand-in that was made here earlier.")
            return name
        return _pulled(engine) or _make(engine, context, name)


def _pulled(engine: Engine) -> str | None:
    say(f"Base image: pulling {AWS_BASE} ...")
    try:
        engine.run("pull", "--quiet", AWS_BASE, seconds=PULL_SECONDS, capture_output=True)
    except ProcessError as error:
        say(f"It cannot be pulled here: {str(error).splitlines()[-1][:300]}")
        return None
    return AWS_BASE


def _fill(context: Path) -> str:
    """Put the stand-in's parts into a folder and return a digest of them: other parts, another image."""
    shutil.copytree(FILES, context, dirs_exist_ok=True)
    shutil.copy(_authorities(), context / "ca-certificates.crt")
    shutil.copy(emulator_binary(), context / "aws-lambda-rie")
    (context / "pip.conf").write_text(pip_settings(_pip_config()), encoding="utf-8")
    (context / "runtime.txt").write_text(
        requirements(("awslambdaric", "snapshot-restore-py", "simplejson")), encoding="utf-8"
    )
    digest = hashlib.sha256(SUITE.encode())
    for path in sorted(context.iterdir()):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _make(engine: Engine, context: Path, name: str) -> str:
    say(f"Making a stand-in from Debian {SUITE} instead. It is for trying the image out, not for deploying it.")
    if not engine.has(ROOT_IMAGE):
        _import_debian(engine)
    engine.run(
        *("build", "--quiet", "--build-arg", f"ROOT_IMAGE={ROOT_IMAGE}", "--tag", name, str(context)),
        seconds=ROOT_SECONDS,
        capture_output=True,
    )
    return name


def _import_debian(engine: Engine) -> None:
    if os.geteuid() != 0:
        raise EngineError(
            f"Neither {AWS_BASE} nor a stand-in is available: a stand-in needs root and mmdebstrap (a package of "
            "Debian and Ubuntu). Name a base image of yours: make image BASE_IMAGE=..."
        )
    if shutil.which("mmdebstrap") is None:
        install(("mmdebstrap",))
    STATE.mkdir(parents=True, exist_ok=True)
    archive = STATE / f"{SUITE}.tar"
    mirror = [os.environ["DEBIAN_MIRROR"]] if os.environ.get("DEBIAN_MIRROR") else []
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,python3-pip,ca-certificates"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info")]
    done = processes.run([*command, SUITE, str(archive), *mirror], os.environ, ROOT_SECONDS, capture_output=True)
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
    """Return a pip.conf with what ``pip config list`` says about indexes, without paths on this machine's disk."""
    kept: dict[str, list[str]] = {}
    several = {"extra-index-url", "find-links", "trusted-host"}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key not in several | {"index-url", "default-timeout", "timeout"}:
            continue
        if key in kept and key not in several:  # pip lists the environment first, which goes before files
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
