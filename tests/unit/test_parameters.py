"""`make deploy-parameters`: other values for the code that is deployed, as a deployment of its own."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from operations.parameters import ParametersError, deploy, stamped
from tests.template_info import ROOT

TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")


@dataclass
class CloudFormation:
    """A deployed stack."""

    body: Any = TEMPLATE
    tags: list[dict[str, str]] = field(default_factory=lambda: [{"Key": "project", "Value": "video emotions"}])

    def get_template(self, **asked: str) -> dict[str, Any]:
        assert asked == {"StackName": "prod", "TemplateStage": "Original"}
        return {"TemplateBody": self.body}

    def describe_stacks(self, **asked: str) -> dict[str, Any]:
        assert asked == {"StackName": "prod"}
        return {"Stacks": [{"Tags": self.tags}]}


@dataclass
class Sam:
    """A SAM CLI that looks at what it is given."""

    status: int = 0
    commands: list[list[str]] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)

    def run(self, command: list[str]) -> int:
        self.commands.append(command)
        self.templates.append(Path(command[command.index("--template-file") + 1]).read_text(encoding="utf-8"))
        return self.status


def different_lines(one: str, other: str) -> list[str]:
    return [line for before, line in zip(one.splitlines(), other.splitlines(), strict=True) if before != line]


def test_the_deployed_template_is_deployed_again_with_another_word_and_the_new_values():
    sam = Sam()
    for _ in range(2):
        assert (
            deploy("prod", ["MemorySize=4096", "CorsAllowOrigin=https://example.org"], CloudFormation(), sam.run) == 0
        )
    command = sam.commands[0]
    assert command[:3] == ["sam", "deploy", "--template-file"]
    assert command[-3:] == ["--parameter-overrides", "MemorySize=4096", "CorsAllowOrigin=https://example.org"]
    assert command[command.index("--stack-name") + 1] == "prod"
    assert command[command.index("--tags") + 1] == "project=video emotions"
    # One line is another one, and another one each time
    first, second = (different_lines(TEMPLATE, text) for text in sam.templates)
    assert len(first) == len(second) == 1
    assert first != second
    assert "PARAMETERS_SET: " in first[0]


def test_what_sam_says_is_what_this_says():
    assert deploy("prod", ["MemorySize=4096"], CloudFormation(tags=[]), Sam(status=3).run) == 3
    sam = Sam()
    deploy("prod", ["MemorySize=4096"], CloudFormation(tags=[]), sam.run)
    assert "--tags" not in sam.commands[0]


@pytest.mark.parametrize(
    ("stack", "parameters"),
    [
        *(("prod", parameters) for parameters in ([], ["MemorySize"], ["--guided"], ["MemorySize=1", "x y=1"])),
        ("", ["MemorySize=1"]),  # what make sends without STACK
    ],
)
def test_without_a_stack_and_something_to_change_nothing_is_deployed(stack, parameters):
    sam = Sam()
    with pytest.raises(ParametersError, match="STACK=name PARAMETERS="):
        deploy(stack, parameters, CloudFormation(), sam.run)
    assert sam.commands == []


@pytest.mark.parametrize("body", [TEMPLATE.replace("PARAMETERS_SET", "OTHER"), {"Resources": {}}])
def test_a_template_that_cannot_be_stamped_is_not_deployed(body):
    sam = Sam()
    with pytest.raises(ParametersError):
        deploy("prod", ["MemorySize=4096"], CloudFormation(body=body), sam.run)
    assert sam.commands == []


@pytest.mark.parametrize("text", ["A:\n  PARAMETERS_SET: with the code\nB: 1", '{"PARAMETERS_SET": "a b", "C": 1}'])
def test_the_stamp_is_found_however_the_template_is_written(text):
    changed = stamped(text, "another")
    assert '"another"' in changed
    assert ("with the code" in changed, "a b" in changed) == (False, False)
    assert changed.replace('"another"', "")[-5:] == text[-5:]


def test_another_word_is_another_version_of_every_function(tmp_path):
    # What SAM makes of it: in .tools, since the translator is there
    code = f"""
import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "layers/common/python")!r}]
import local.translate as translate
from operations.parameters import stamped
from pathlib import Path
import os; os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
root = Path({str(tmp_path)!r})
def versions(word):
    root.joinpath("template.yaml").write_text(stamped(Path({str(ROOT / "template.yaml")!r}).read_text(), word))
    translate.ROOT = root
    made = translate.translate("prod")
    return {{name for name, item in made.items() if item["Type"] == "AWS::Lambda::Version"}}
one, same, other = versions("one"), versions("one"), versions("other")
assert one == same and len(one) == 4 and not one & other, (one, other)
"""
    python = ROOT / ".tools" / "bin" / "python"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
