"""Signs of progress: work that takes long says that it goes on, so that a hang can be told from it."""

from collections.abc import Callable

Beat = Callable[[], None]
"""Called again and again, many times a second. It must cost next to nothing."""


def silent() -> None:
    """Do nothing: nobody waits for a sign of progress."""
