"""What breaks callers: a comparison of two descriptions of this API.

A change is breaking if a valid request is now rejected, or if a caller does not get what was promised:

- a path, a method, a parameter or a content type is gone; credentials are needed where none were
- a request allows fewer values: a new required member, a member that is gone, a smaller range, a shorter list
- an answer 200 lacks a member, or no longer promises it; a member can have another type or a value outside its old list

New paths, methods, options, members and errors are not breaking, nor are texts and examples. A new major version may
break callers.
"""

from typing import Any

from local.openapi.containment import Values, escapes

Document = dict[str, Any]
Schema = dict[str, Any]


def is_allowed(released: Document, now: Document) -> bool:
    """Report whether the new description may break callers: it has another major version."""
    return _major(released) != _major(now)


def breaking_changes(released: Document, now: Document) -> list[str]:
    """Return each breaking change, with its place.

    Raises
    ------
    ValueError
        A schema has a keyword that the comparison does not know.
    """
    found: list[str] = []
    for path, methods in released["paths"].items():
        for method, old in methods.items():
            place, new = f"{method.upper()} {path}", now["paths"].get(path, {}).get(method)
            if new is None:
                found.append(f"{place}: gone")
                continue
            found += _credentials(place, old["security"], new["security"])
            found += escapes(Values(_request(old), released), Values(_request(new), now), place)
            found += escapes(Values(_answer(new), now), Values(_answer(old), released), place)
    return found


def _major(document: Document) -> str:
    return str(document["info"]["version"]).partition(".")[0]


def _credentials(place: str, old: list[Schema], new: list[Schema]) -> list[str]:
    """Compare who may call. An empty list: everyone."""
    lost = [way for way in old or [{}] if new and way not in new]
    return [f"{place}: {', '.join(way) or 'no credentials'} no longer enough" for way in lost]


def _request(operation: Schema) -> Schema:
    """Return the schema of a whole request: an object with a member for each parameter and each type of body."""
    body = operation.get("requestBody", {"required": False, "content": {}})
    asked = {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}
    return {
        "properties": {
            **{name: each["schema"] for name, each in asked.items()},
            **{f"body {kind}": content.get("schema", {}) for kind, content in body["content"].items()},
        },
        "required": [name for name, each in asked.items() if each.get("required")] + ["body"] * body["required"],
        "additionalProperties": False,
    }


def _answer(operation: Schema) -> Schema:
    """Return the schema of a success: an object with a member for each status and type."""
    parts = {
        f"{status} {kind}": content["schema"]
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for kind, content in answer.get("content", {}).items()
    }
    return {"properties": parts, "required": list(parts)}
