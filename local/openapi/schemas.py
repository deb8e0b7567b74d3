"""Pydantic models -> JSON Schema. The docstrings' sections become the descriptions."""

import inspect
import re
from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from video_common import limits
from video_common.answers import CompleteAnswer, Health, JobAnswer, PartsAnswer, Problem, UploadAnswer
from video_common.result import Result
from video_common.schema import VIDEO_CONTENT_TYPES, Frozen, Options
from video_emotions.rendering import OPTIONAL_MEMBERS

Schema = dict[str, Any]


class VideoInJson(Options):
    """A video as JSON, with its options.

    Attributes
    ----------
    video : str
        The file in base64, on one line.
    """

    video: str = Field(json_schema_extra={"contentEncoding": "base64"})


class UploadRequest(Options):
    """The video that will be uploaded, with its options.

    Attributes
    ----------
    content_type : str
        The type of the file, as it will be in the form. Parameters in ASCII are allowed: ``video/webm;codecs=vp8``.
    file_name : str
        The file's own name, of printable characters. The job, its Result and its completion event repeat it.
    size : int
        The file's size in bytes. Larger files than 100,000,000 bytes can be uploaded in parts.
    """

    content_type: str = Field(
        default=VIDEO_CONTENT_TYPES[0],
        max_length=limits.MAX_CONTENT_TYPE_CHARACTERS,
        json_schema_extra={"pattern": rf"^({'|'.join(re.escape(name) for name in VIDEO_CONTENT_TYPES)})(;[ -~]*)?$"},
    )
    file_name: str | None = Field(default=None, min_length=1, max_length=limits.MAX_FILE_NAME_CHARACTERS)
    size: int | None = Field(default=None, ge=1, le=limits.MAX_OBJECT_BYTES)


class PartsRequest(Frozen):
    """The parts whose addresses are needed.

    Attributes
    ----------
    first : int
        The number of the first part.
    count : int
        How many parts, from the first one on. The answer has fewer at the end of the file.
    """

    first: int = Field(default=1, ge=1, le=limits.MAX_PARTS)
    count: int = Field(default=limits.MAX_PART_URLS, ge=1, le=limits.MAX_PART_URLS)


REQUESTS: Final = (VideoInJson, UploadRequest, PartsRequest)
WITH_OPTIONS: Final = (VideoInJson, UploadRequest)
ANSWERS: Final = (Result, Health, UploadAnswer, PartsAnswer, CompleteAnswer, JobAnswer, Problem)
ABSENT: Final = {
    "Result": set(OPTIONAL_MEMBERS),
    "UploadAnswer": {"multipart"},
    "JobAnswer": {"progress", "error", "result", "result_url", "result_url_expires_in"},
}
"""The members of answers that are left out instead of null."""

CONFLICTS: Final = ("interval_ms", "frame_interval")
"""Options that exclude each other."""


def components() -> dict[str, Schema]:
    """Return the schema of each model by its name.

    Objects of requests list all their members, since the service rejects others. Objects of answers do not, since later
    versions can add members.
    """
    found = _definitions(ANSWERS, "serialization")
    for name, schema in found.items():
        schema.pop("additionalProperties", None)
        for member, described in schema.get("properties", {}).items():
            described.pop("default", None)
            if member in ABSENT.get(name, ()):
                schema["properties"][member] = _not_null(described)
        if "properties" in schema:
            schema["required"] = [member for member in schema["properties"] if member not in ABSENT.get(name, ())]
    requests = _definitions(REQUESTS, "validation")
    for model in WITH_OPTIONS:
        both = {name: {"not": {"type": "null"}} for name in CONFLICTS}
        requests[model.__name__]["not"] = {"required": list(CONFLICTS), "properties": both}
    return dict(sorted((found | requests).items()))


def parameters() -> list[Schema]:
    """Return each option as a parameter of the query string."""
    properties = _definitions((Options,), "validation")["Options"]["properties"]
    found = []
    for name, schema in properties.items():
        text = schema.pop("description", "")
        found.append({"name": name, "in": "query", "description": text, "schema": _not_null(schema)})
    return found


def _definitions(
    models: tuple[type[BaseModel], ...], mode: Literal["validation", "serialization"]
) -> dict[str, Schema]:
    _, made = models_json_schema([(model, mode) for model in models], ref_template="#/components/schemas/{model}")
    known = {model.__name__: model for model in _subclasses(Frozen)}
    found: dict[str, Schema] = made["$defs"]
    for name, schema in found.items():
        schema.pop("title")
        for member in schema.get("properties", {}).values():
            member.pop("title", None)
        if name in known and schema["type"] == "object":
            _describe(schema, known[name])
        elif "description" in schema:
            schema["description"] = _plain(schema["description"])
    return found


def _subclasses(base: type[BaseModel]) -> set[type[BaseModel]]:
    return {base}.union(*map(_subclasses, base.__subclasses__()))


def _describe(schema: Schema, model: type[BaseModel]) -> None:
    schema["description"], _ = read_docstring(model)
    words: dict[str, str] = {}
    for base in reversed(model.__mro__):
        words |= read_docstring(base)[1] if issubclass(base, BaseModel) else {}
    for name, member in schema["properties"].items():
        member.pop("description", None)
        if words.get(name):
            member["description"] = words[name]


def read_docstring(kind: type) -> tuple[str, dict[str, str]]:
    """Return what a NumPy-style docstring says: of the class, and of each of its attributes."""
    text = inspect.cleandoc(kind.__doc__ or "")
    about, _, attributes = text.partition("\n\nAttributes\n----------\n")
    words: dict[str, str] = {}
    for names, said in re.findall(r"^([\w, ]+) : [^\n]*\n((?:    [^\n]*\n?)*)", attributes, re.MULTILINE):
        words |= dict.fromkeys(names.split(", "), _plain(said))
    return _plain(about), words


def _plain(text: str) -> str:
    """Return a docstring's text as Markdown on one line; JSON says null where Python says None."""
    return re.sub(r"\bNone\b", "null", " ".join(text.split()).replace("``", "`"))


def _not_null(schema: Schema) -> Schema:
    """Return a schema without its null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    kept = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    return {**choices[0], **kept} if len(choices) == 1 else kept
