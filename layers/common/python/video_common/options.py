"""Options as callers write them: in a query string, in JSON, or in an object's metadata -> `Options`."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from video_common import limits
from video_common.errors import InvalidJson, InvalidOption, RepeatedOption, UnknownOption
from video_common.schema import Options

METADATA_NAME: Final = "options"
"""Of the metadata entry that carries an uploaded object's options: the header ``x-amz-meta-options``, JSON."""

NOT_FETCHED: Final = (
    "This service does not fetch addresses. Download the file, then send its bytes to POST /process-frame, "
    "or to the form that POST /uploads returns."
)
_ADDRESS: Final = re.compile(r"\s*((blob:)?[a-z][a-z0-9+.-]*://|www\.)", re.IGNORECASE)


def parse_options(query: Mapping[str, list[str]], members: Mapping[str, Any]) -> Options:
    """Validate the options of the query string (text) and of the JSON (typed), merged, with their one model.

    Raises
    ------
    RepeatedOption, UnknownOption, InvalidOption, InvalidJson
    """
    for name, values in query.items():
        if len(values) > 1 or name in members:
            raise RepeatedOption(
                f"{short(name)} is given more than once. Give it once, in the query string or in the JSON."
            )
    given = {**{name: _typed(values[0]) for name, values in query.items()}, **members}
    for name, value in given.items():
        if name not in Options.model_fields:
            names_an_address = "url" in name.lower() or "uri" in name.lower() or is_address(value)
            advice = NOT_FETCHED if names_an_address else f"Use one of these: {', '.join(Options.model_fields)}."
            raise UnknownOption(f"{short(name)} is not an option. {advice}")
    try:
        return Options.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        if problem["loc"]:
            name = str(problem["loc"][0])
            raise InvalidOption(f"{name!r} must be {Options.model_fields[name].description}.") from error
        if problem["type"] == "conflict":
            raise InvalidOption(problem["msg"]) from error
        raise InvalidJson("The options in the JSON are not plain values.") from error  # not Unicode, nested too deep


def is_address(value: Any) -> bool:
    """Report whether a value is the address of a file, such as ``https://...`` or ``s3://...``, and not the file."""
    return isinstance(value, str) and _ADDRESS.match(value) is not None


def _typed(text: str) -> int | float | str:
    """Return the number that a text of the query spells, or the text."""
    try:
        number = float(text)
    except ValueError:
        return text
    return _number(text) if math.isfinite(number) else text


def _number(text: str) -> int | float:
    """Return the number that a text spells: 5.0 is a whole number, as JSON Schema has it."""
    number = float(text)
    return int(number) if number.is_integer() else number


def parse_members(text: str, example: str) -> dict[str, Any]:
    """Read a JSON object, each name once.

    Parameters
    ----------
    text : str
    example : str
        What the text should look like. The error shows it.

    Raises
    ------
    InvalidJson, RepeatedOption
    """

    def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, value in pairs:
            if name in members:
                raise RepeatedOption(f"{short(name)} is given more than once in the JSON. Give it once.")
            members[name] = value
        return members

    try:
        members = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=unique, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise InvalidJson(f"The body is not JSON. Send {example}.") from error
    if not isinstance(members, dict):
        raise InvalidJson(f"The JSON must be an object: {example}.")
    return members


def to_metadata(options: Options) -> dict[str, str]:
    """Return the metadata that carries options; nothing for the defaults."""
    text = options.model_dump_json(exclude_defaults=True, exclude_none=True)
    return {} if text == "{}" else {METADATA_NAME: text}


def from_metadata(metadata: Mapping[str, str]) -> Options:
    """Read what `to_metadata` wrote, or what the uploader of the object wrote instead.

    Raises
    ------
    RepeatedOption, UnknownOption, InvalidOption, InvalidJson
    """
    text = metadata.get(METADATA_NAME, "{}")
    if len(text) > limits.MAX_OPTIONS_BYTES:
        raise InvalidJson(f"The object's metadata {METADATA_NAME!r} is longer than {limits.MAX_OPTIONS_BYTES} bytes.")
    return parse_options({}, parse_members(text, f"the metadata {METADATA_NAME!r} as a JSON object of options"))


def short(text: str) -> str:
    """Quote what a caller sent, but not all of it: an answer is no echo."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
