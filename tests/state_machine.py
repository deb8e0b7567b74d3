"""Executes the state machine's document without AWS, as far as it uses the language: a Map of calls, and a call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import ROOT

DOCUMENT = ROOT / "states" / "long_videos.asl.json"
Call = Callable[[str, dict[str, Any]], Any]


def definition() -> dict[str, Any]:
    """Return the document."""
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return loaded


@dataclass
class Execution:
    """One that was started: what it was given, how it stands, and which calls it made.

    ``done``: the segments that succeeded, which a redrive leaves out.
    """

    given: dict[str, Any]
    status: str = "RUNNING"
    calls: list[tuple[str, int | None]] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    redrives: int = 0


@dataclass
class MemoryMachine:
    """A `StateMachine`. `run` executes what was started. ``redrives``: whether a failed execution can go on."""

    executions: dict[str, Execution] = field(default_factory=dict)
    redrives: bool = True

    def start(self, name: str, given: Mapping[str, Any], *, goes_on: bool) -> None:
        names = [each for each in self.executions if each == name or each.startswith(f"{name}-attempt-")]
        latest = self.executions[names[-1]] if names else None
        if latest is not None and latest.status == "RUNNING":
            return
        if latest is not None and latest.status == "FAILED" and self.redrives and goes_on:
            latest.status, latest.redrives = "RUNNING", latest.redrives + 1
            return
        tried = f"{name}-attempt-{len(names) + 1}" if names else name
        self.executions[tried] = Execution(json.loads(json.dumps(given)))

    def run(self, name: str, call: Call, lines: Callable[[str, str], str]) -> Execution:
        """Execute: ``call`` is the function, ``lines`` reads an object."""
        execution, states = self.executions[name], definition()["States"]
        given, items = execution.given, states["Segments"]
        place = _filled(items["ItemReader"]["Parameters"], given, {})
        try:
            for line in lines(place["Bucket"], place["Key"]).splitlines():
                if line in execution.done:
                    continue
                event = _filled(items["ItemSelector"], given, json.loads(line))
                self._task(items["ItemProcessor"]["States"]["Segment"], event, call, execution)
                execution.done.add(line)
            self._task(states["Merge"], given, call, execution)
        except Exception:  # noqa: BLE001 - a task can fail with anything
            execution.status = "FAILED"
            call("", status_event(execution, f"{name} {execution.redrives}"))
        else:
            execution.status = "SUCCEEDED"
        return execution

    def _task(self, state: dict[str, Any], given: dict[str, Any], call: Call, execution: Execution) -> None:
        filled = _filled(state["Parameters"], given, {})
        tries = [0] * len(state["Retry"])
        while True:
            execution.calls.append((filled["Payload"]["task"], filled["Payload"].get("segment")))
            try:
                call(filled["FunctionName"], json.loads(json.dumps(filled["Payload"])))
            except Exception as error:
                name = type(error).__name__
                rule = next((n for n, retry in enumerate(state["Retry"]) if name in retry["ErrorEquals"]), None)
                if rule is None or tries[rule] == state["Retry"][rule]["MaxAttempts"]:
                    raise
                tries[rule] += 1
            else:
                return


def status_event(execution: Execution, event_id: str, time: str = "2100-01-01T00:00:00Z") -> dict[str, Any]:
    """Return EventBridge's event about the end of an execution."""
    detail = {"status": execution.status, "input": json.dumps(execution.given)}
    return {"id": event_id, "source": "aws.states", "time": time, "detail": detail}


def _filled(template: Any, given: dict[str, Any], item: dict[str, Any]) -> Any:
    """Put values in the place of paths."""
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, value in template.items():
        if not name.endswith(".$"):
            filled[name] = _filled(value, given, item)
        elif value == "$":
            filled[name[:-2]] = given
        elif value.startswith("$$.Map.Item.Value."):
            filled[name[:-2]] = item[value.removeprefix("$$.Map.Item.Value.")]
        else:
            filled[name[:-2]] = given[value.removeprefix("$.")]
    return filled
