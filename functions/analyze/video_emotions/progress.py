"""Signs of progress: long work reports that it continues, so that it is not mistaken for a hang."""

from collections.abc import Callable

Beat = Callable[[], None]
"""Called many times a second, so it must cost almost nothing."""


def silent() -> None:
    """Do nothing: no caller waits for a sign of progress."""
