"""When a request is sent again, and after how long: by back-off with jitter, or as ``Retry-After`` asks."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from video_emotions_client.answers import problem_of
from video_emotions_client.errors import Unavailable

_QUOTA: Final = "quota_exceeded"
"""The code of a 429 that stays until the key's next period."""

_BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_GATEWAY: Final = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}


@dataclass(frozen=True)
class Retries:
    """How patient a client is.

    Attributes
    ----------
    tries : int
        Requests at most, the first one included.
    first_wait, longest_wait : float
        Seconds. Each wait is twice the one before, and a random part of up to a half is left out, so that callers who
        were turned away together do not come back together. A longer ``Retry-After`` ends the tries.
    sleep : callable
        Waits for so many seconds.
    notice : callable
        Gets the reason and the seconds of each wait.
    """

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60
    sleep: Callable[[float], None] = time.sleep
    notice: Callable[[str, float], None] = lambda _reason, _seconds: None

    def run(self, send: Callable[[], httpx.Response], url: str, *, may_repeat: bool = False) -> httpx.Response:
        """Send a request until it has an answer that another try would not change.

        Parameters
        ----------
        send : callable
            Sends the request once.
        url : str
            For the error.
        may_repeat : bool
            Whether the request can be sent again when its answer was lost, although it is no GET: it then makes no
            difference.

        Raises
        ------
        Unavailable
            No answer came.
        """
        for number in range(1, self.tries + 1):
            is_last, asked = number == self.tries, None
            try:
                response = send()
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if is_last or not _may_pass(error, may_repeat=may_repeat):
                    raise Unavailable("unreachable", _unreachable(url, error)) from error
                reason = "the server does not answer"
            else:
                asked = retry_after(response)
                is_worth = _is_worth_another(response, may_repeat=may_repeat)
                if is_last or not is_worth or (asked or 0) > self.longest_wait:
                    return response
                reason = f"the server answers {response.status_code}"
            seconds = self._back_off(number) if asked is None else asked * random.uniform(1, 1.25)  # noqa: S311
            self.notice(reason, seconds)
            self.sleep(seconds)
        raise ValueError("tries must be 1 or more")

    def _back_off(self, number: int) -> float:
        wait: float = min(self.longest_wait, self.first_wait * 2 ** (number - 1))
        return wait * random.uniform(0.5, 1)  # noqa: S311 - spreads callers, hides nothing


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that an answer asks to wait. None: it does not say, or says it in no known form."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def _is_worth_another(response: httpx.Response, *, may_repeat: bool) -> bool:
    if response.status_code in _BUSY:
        return problem_of(response).get("code") != _QUOTA
    return response.status_code in _GATEWAY and (may_repeat or response.request.method == "GET")


def _may_pass(error: Exception, *, may_repeat: bool) -> bool:
    """Report whether another try can succeed. An analysis that took too long once takes too long again."""
    if isinstance(error, httpx.ReadTimeout):
        return may_repeat or error.request.method == "GET"
    return isinstance(error, httpx.TransportError) and not isinstance(
        error, httpx.UnsupportedProtocol | httpx.LocalProtocolError
    )


def _unreachable(url: str, error: Exception) -> str:
    host = url.partition("?")[0]
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return (
            f"{host} is not an address. Write it as `sam deploy` or `make serve` prints it, with https:// or http://."
        )
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer in time. Check the network, then try again."
    return f"{host} cannot be reached ({error}). Check the address and the network, then try again."
