"""How long an analysis may take. Pure: both clocks are arguments.

::

    arrival at the gateway                                      the gateway gives up
    |<-------------------------- 29 s -------------------------->|
       |<------------ Lambda's remaining time ------------>|
       start of the function                     deadline  |
                                                 |<-margin->|

The sooner end of the two counts. The margin before it is for everything after the last frame.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from video_common import limits


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment after which an analysis accepts no frame.

    Attributes
    ----------
    at : float
        In seconds of ``clock``; infinite if there is no limit.
    clock : callable
        Returns seconds that never go back. The default counts from the same start in all processes of a machine.
    """

    at: float = math.inf
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of_request(
        cls,
        seconds: float,
        arrived_ms: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> Self:
        """Return the deadline of a request that the function begins to answer now.

        Parameters
        ----------
        seconds : float
            Until Lambda stops the function.
        arrived_ms : int, optional
            When the request arrived at the gateway, in milliseconds since 1970. An arrival after which the gateway
            has already given up says nothing: the event is a recorded one, or comes from ``sam local``.
        clock : callable
        now : callable
            Returns seconds since 1970.
        """
        if arrived_ms is not None and (waits := limits.GATEWAY_SECONDS + arrived_ms / 1000 - now()) > 0:
            seconds = min(seconds, waits)
        margin = limits.FINISH_SECONDS + limits.FINISH_SHARE * seconds
        return cls(clock() + seconds - margin, clock)

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.at - self.clock()


NEVER = Deadline()
"""For callers who wait as long as it takes."""
