"""Amazon EventBridge behind `EventBus`: the account's default bus."""

import json
from collections.abc import Mapping
from typing import Any, Final

from video_common.aws.clients import client, failures
from video_common.errors import EventsUnavailable

SOURCE: Final = "video-emotions"


class DefaultEventBus:
    """Where rules of the account's owner find our events."""

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """See `EventBus.publish`."""
        entry = {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
        unavailable = EventsUnavailable("The completion could not be announced.")
        with failures(unavailable):
            answer = client("events").put_events(Entries=[entry])
        # A successful answer can report a rejected entry.
        if answer["FailedEntryCount"]:
            raise unavailable
