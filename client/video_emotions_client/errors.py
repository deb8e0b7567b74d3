"""What a call can raise. Match on the class or on ``code``, never on the text.

::

    ClientError
    +-- Rejected      the service rejects the video or the options; sending them again does not help
    +-- NotAllowed    the service does not accept the API key
    +-- Unavailable   the service, the storage or the network failed; a later try may succeed
"""


class ClientError(Exception):
    """Base of the three kinds.

    Attributes
    ----------
    code : str
        The service's stable code (see docs/api.md), or one of the client's own: ``unreachable``, ``unexpected_answer``,
        ``upload_failed``, ``another_file``, ``still_running``.
    detail : str
        What is wrong and what to do.
    request_id : str or None
        Quote it if you report the problem. None: no request reached the service.
    """

    def __init__(self, code: str, detail: str, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.request_id = request_id


class Rejected(ClientError):
    """The service rejects the video or the options; sending them again does not help."""


class NotAllowed(ClientError):
    """The service does not accept the API key."""


class Unavailable(ClientError):
    """The service, the storage or the network failed; a later try may succeed."""
