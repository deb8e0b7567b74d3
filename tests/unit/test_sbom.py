"""`make sbom`: everything that is locked, and the models, in a document that CycloneDX's own library reads."""

import json
import re
import subprocess

from operations.sbom import LOCKS, bill_of_materials
from tests.template_info import ROOT
from video_models.manifest import load_manifest


def test_it_has_every_locked_package_and_every_model():
    made = bill_of_materials()
    locked = {
        tuple(found)
        for paths in LOCKS.values()
        for path in paths
        for found in re.findall(r"^([a-z0-9._-]+)==([^ ]+) ", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    }
    libraries = [item for item in made["components"] if item["bom-ref"].startswith("pkg:pypi/")]
    assert {(item["name"], item["version"]) for item in libraries} == locked
    assert len(libraries) == len(locked) > 40
    models = {item["name"]: item for item in made["components"] if item["type"] == "machine-learning-model"}
    assert {name: item["hashes"][0]["content"] for name, item in models.items()} == {
        name: spec.sha256 for name, spec in load_manifest().models.items()
    }
    # And says which of them the small function has
    zipped = {
        item["name"] for item in libraries if {"name": "video-emotions:artifact", "value": "zip"} in item["properties"]
    }
    assert "pydantic" in zipped
    assert "numpy" not in zipped


def test_it_has_the_packages_of_the_page_and_not_those_that_build_it():
    names = {item["name"] for item in bill_of_materials()["components"] if item["bom-ref"].startswith("pkg:npm/")}
    asked_for = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    assert asked_for["dependencies"].keys() <= names
    assert not asked_for["devDependencies"].keys() & names


def test_the_same_lock_files_give_the_same_document():
    assert bill_of_materials() == bill_of_materials()


def test_every_reference_is_of_a_component():
    made = bill_of_materials()
    names = [item["bom-ref"] for item in made["components"]]
    assert len(names) == len(set(names))
    (depends,) = made["dependencies"]
    assert depends["dependsOn"] == names


def test_cyclonedx_reads_it(tmp_path):
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(bill_of_materials()))
    read = "from cyclonedx.model.bom import Bom; bom = Bom.from_json(json.load(open(sys.argv[1])))"
    code = f"import json, sys; {read}; print(len(bom.components))"
    done = subprocess.run(
        [str(ROOT / ".checks/bin/python"), "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(bill_of_materials()["components"])
