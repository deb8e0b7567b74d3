"""Whether every value of one JSON Schema is a value of another, for the keywords that the description uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Schema = dict[str, Any]

_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_EQUAL: Final = ("pattern", "not", "contentEncoding")
_WORDS: Final = ("description", "default")
_OTHERS: Final = ("type", "anyOf", "enum", "const", "properties", "required", "additionalProperties", "items")
_KNOWN: Final = {*_LOWER, *_UPPER, *_EQUAL, *_WORDS, *_OTHERS}


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a schema allows.

    Attributes
    ----------
    schema : dict
    document : dict
        What the schema's references point into.
    """

    schema: Schema
    document: Schema

    def at(self, schema: Schema) -> "Values":
        """Return the values of a part of the schema."""
        return Values(schema, self.document)

    def alternatives(self) -> Iterator["Values"]:
        """Yield the schema without references and ``anyOf``: values of the whole are values of one of these.

        Raises
        ------
        ValueError
            The schema has a keyword that this module does not know.
        """
        schema = dict(self.schema)
        if reference := schema.pop("$ref", None):
            target: Schema = self.document
            for name in reference.removeprefix("#/").split("/"):
                target = target[name]
            yield from self.at({**target, **schema}).alternatives()
        elif choices := schema.pop("anyOf", None):
            for choice in choices:
                yield from self.at({**choice, **schema}).alternatives()
        elif unknown := schema.keys() - _KNOWN:
            raise ValueError(f"The comparison of schemas does not know {', '.join(sorted(unknown))}.")
        else:
            yield self


def escapes(inner: Values, outer: Values, place: str) -> list[str]:
    """Return the places at which a value of ``inner`` may be none of ``outer``. Empty: all of its values are."""
    found: list[str] = []
    for own in inner.alternatives():
        shortest: list[str] = min((_escapes(own, other, place) for other in outer.alternatives()), key=len)
        found += shortest
    return found


def _escapes(inner: Values, outer: Values, place: str) -> list[str]:
    own, other = inner.schema, outer.schema
    found = []
    if "type" in other and own.get("type") not in (
        {"integer", "number"} if other["type"] == "number" else {other["type"]}
    ):
        return [f"{place}: type"]
    if (allowed := _listed(other)) is not None:
        mine = _listed(own)
        if mine is None or not all(value in allowed for value in mine):
            found.append(f"{place}: list of values")
    elif any(key in other and other[key] != own.get(key) for key in _EQUAL):
        found.append(f"{place}: form of values")
    for keys, sign in ((_LOWER, 1), (_UPPER, -1)):
        found += [f"{place}: {key}" for key in keys if key in other and not _is_inside(own.get(key), other[key], sign)]
    return found + _members(inner, outer, place)


def _members(inner: Values, outer: Values, place: str) -> list[str]:
    own, other = inner.schema, outer.schema
    mine, others = own.get("properties", {}), other.get("properties", {})
    rest = {name: one.get("additionalProperties", True) for name, one in (("own", own), ("other", other))}
    found = [f"{place}/{name}: required" for name in other.get("required", ()) if name not in own.get("required", ())]
    for name in {**mine, **others}:
        if name in mine and name in others:
            found += escapes(inner.at(mine[name]), outer.at(others[name]), f"{place}/{name}")
        elif (name in mine and rest["other"] is False) or (name in others and rest["own"] is not False):
            found.append(f"{place}/{name}: only in one of the two")
    if isinstance(rest["other"], dict):
        schema = rest["own"] if isinstance(rest["own"], dict) else {}
        found += escapes(inner.at(schema), outer.at(rest["other"]), f"{place}/*")
    if "items" in other:
        found += escapes(inner.at(own.get("items", {})), outer.at(other["items"]), f"{place}/[]")
    return found


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _is_inside(own: float | None, other: float, sign: int) -> bool:
    return own is not None and sign * own >= sign * other
