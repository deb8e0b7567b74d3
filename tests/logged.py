"""The log of the functions, as Lambda gets it."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from video_common.telemetry import logger


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Collect the lines that are logged in the block. The logger's own handler keeps the stream of the first test."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    try:
        yield text
    finally:
        logger._logger.removeHandler(handler)
