"""AWS Secrets Manager: the secret of the stack that job ids of dropped files are made with."""

from video_common.aws.clients import client, failures
from video_common.errors import JobsUnavailable


class StackSecret:
    """A secret that never changes. It is read at the first call and kept."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._secret = b""

    def __call__(self) -> bytes:
        """Return the secret.

        Raises
        ------
        JobsUnavailable
            The service did not answer; worth a retry.
        """
        if not self._secret:
            with failures(JobsUnavailable("The secret of the stack could not be read. Try again.")):
                answer = client("secretsmanager").get_secret_value(SecretId=self._arn)
            self._secret = answer["SecretString"].encode()
        return self._secret
