"""A video -> Result by a deployment."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from video_common.result import Result
from video_common.schema import Options
from video_emotions_client import Client
from video_emotions_client.retries import Retries
from video_emotions_client.sending import Progress

AT_ONCE: Final = 4
"""Videos at the same time: a new AWS account runs ten functions."""


class Remote:
    """A deployment.

    Parameters
    ----------
    url : str
    api_key : str or None
    notice : callable
        Gets a sentence about each wait, and one about each upload in parts.
    resumed : str, optional
        The job whose upload goes on.
    """

    def __init__(
        self, url: str, api_key: str | None, notice: Callable[[str], None], resumed: str | None = None
    ) -> None:
        def tell(reason: str, seconds: float) -> None:
            notice(f"{reason[0].upper()}{reason[1:]}. The next try is in {seconds:.1f} s.")

        self._client = Client(url, api_key, retries=Retries(notice=tell))
        self._notice, self._resumed = notice, resumed

    def analyze(self, path: Path, options: Options, progress: Progress) -> Result:
        """Analyze a file: by POST if it is small, else by upload.

        Raises
        ------
        ClientError, OSError
        """
        if self._resumed is not None:
            return self._client.wait(self._client.resume(self._resumed, path, progress=progress), progress=progress)
        given = options.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        return self._client.analyze(path, progress=progress, begun=self._begun, **given)

    def _begun(self, job_id: str) -> None:
        self._notice(f"The file goes in parts. If the upload stops, go on within a day: --resume {job_id}")
