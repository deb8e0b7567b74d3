"""``make sbom``: what a deployment consists of, as a CycloneDX 1.6 document.

Packages come from the lock files of the image, the zip and the zip's page, models from the manifest. The base image is
not in it: AWS publishes it.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from video_emotions import __version__
from video_models.manifest import load_manifest
from video_models.specs import ModelSpec

ROOT: Final = Path(__file__).resolve().parent.parent
LOCKS: Final = {
    "image": ("requirements/runtime.txt", "requirements/tensorflow.txt"),
    "zip": ("functions/jobs/requirements.txt",),
}
"""The lock files of each artifact. The tensorflow one is left out of images with ``Engines=onnx``."""

PAGE_LOCK: Final = "web/package-lock.json"
"""The lock file of the page in the zip. Its development packages do not reach the page."""

_PINNED: Final = re.compile(r"^([a-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)


def bill_of_materials() -> dict[str, Any]:
    """Return the document. The same lock files and manifest give the same one: it has no clock and no chance."""
    where: dict[tuple[str, str], set[str]] = {}
    for artifact, paths in LOCKS.items():
        for path in paths:
            for found in _PINNED.findall((ROOT / path).read_text(encoding="utf-8")):
                where.setdefault(found, set()).add(artifact)
    components = [_package("pypi", *found, sorted(where[found])) for found in sorted(where)]
    components += [_package("npm", *found, ["zip"]) for found in _page_packages()]
    components += [_model(spec) for _, spec in sorted(load_manifest().models.items())]
    name = "video-emotions"
    serial = uuid5(NAMESPACE_URL, json.dumps(components, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": __version__,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [item["bom-ref"] for item in components]}],
    }


def _page_packages() -> list[tuple[str, str]]:
    locked = json.loads((ROOT / PAGE_LOCK).read_text(encoding="utf-8"))["packages"]
    of_the_page = {path: item for path, item in locked.items() if path and not item.get("dev")}
    return [(path.removeprefix("node_modules/"), item["version"]) for path, item in of_the_page.items()]


def _package(kind: str, name: str, version: str, artifacts: Iterable[str]) -> dict[str, Any]:
    address = f"pkg:{kind}/{name}@{version}"
    properties = [{"name": "video-emotions:artifact", "value": artifact} for artifact in artifacts]
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
        "properties": properties,
    }


def _model(spec: ModelSpec) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{spec.name}",
        "name": spec.name,
        "hashes": [{"alg": "SHA-256", "content": spec.sha256}],
        "licenses": [{"license": {"name": spec.licence}}],
    }


def main() -> int:
    """Write the document to standard output."""
    json.dump(bill_of_materials(), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
