"""Photos come from packages, and are the ones that the list names."""

import json
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

import pytest

from benchmarks import photos

MEMBER = "skimage/data/astronaut.png"
DIGEST = sha256(Path(str(distribution("scikit-image").locate_file(MEMBER))).read_bytes()).hexdigest()


@pytest.fixture
def listed(tmp_path, monkeypatch):
    def write(digest: str) -> None:
        package = {"package": f"scikit-image=={distribution('scikit-image').version}"}
        picture = {**package, "member": MEMBER, "member_sha256": digest, "what": "portrait"}
        face = {**picture, "person": "Eileen Collins", "box": [178, 76, 92, 108], "frontal": True}
        lists = {"packages": [{**package, "kind": "installed"}], "faces": [face], "faceless": [picture]}
        (tmp_path / "photos.json").write_text(json.dumps(lists), encoding="utf-8")

    monkeypatch.setattr(photos, "LIST", tmp_path / "photos.json")
    monkeypatch.setattr(photos, "CACHE", tmp_path / "cache")
    photos._entries.cache_clear()
    yield write
    photos._entries.cache_clear()


def test_an_installed_packages_picture_is_kept_under_its_digest(listed, tmp_path):
    listed(DIGEST)
    (photo,) = photos.face_photos()
    assert (photo.person, photo.box.width, photo.image.shape) == ("Eileen Collins", 92, (512, 512, 3))
    assert list(photos.faceless_pictures()) == ["portrait (astronaut.png)"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [DIGEST]


def test_a_picture_with_another_digest_is_refused(listed):
    listed("0" * 64)
    with pytest.raises(SystemExit, match=r"lacks 1 of the pictures that photos\.json lists"):
        photos.face_photos()


def test_every_picture_is_of_a_listed_package_and_every_box_is_one():
    lists = json.loads((Path(photos.__file__).parent / "photos.json").read_text(encoding="utf-8"))
    packages = {package["package"] for package in lists["packages"]}
    entries = [*lists["faces"], *lists["faceless"]]
    assert {entry["package"] for entry in entries} == packages
    assert all(len(entry["member_sha256"]) == 64 for entry in entries)
    assert sum(face["frontal"] for face in lists["faces"]) >= 20
    assert all(min(face["box"]) >= 0 and min(face["box"][2:]) > 0 for face in lists["faces"])
