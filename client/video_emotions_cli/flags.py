"""The service's options as the command line spells them."""

import re
from typing import Final

from video_common.schema import Options

_NAMES: Final = [name for name in Options.model_fields if name != "format"]
"""``format`` has no flag: --json, --csv and --vtt choose it."""
_OPTION: Final = re.compile(rf"('?)\b({'|'.join(_NAMES)})\b'?(?:=([\w.]*\w))?")


def flag(name: str) -> str:
    """Return an option's flag."""
    return f"--{name.replace('_', '-')}"


def in_flags(text: str) -> str:
    """Return a sentence of the service's with flags in the place of its options: ``sampling=keyframes``, ``start_ms``.

    A word that is also a plain one, such as "sampling", stays unless it has a value or quotation marks.
    """

    def spelled(found: re.Match[str]) -> str:
        quote, name, value = found.groups()
        if not (quote or value or "_" in name):
            return found[0]
        return f"{flag(name)} {value}" if value else flag(name)

    return _OPTION.sub(spelled, text)
