"""A running stack, as its callers and its operator reach it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

import urllib3

SECONDS: Final = 40
"""The gateway answers within 29."""


class StackError(RuntimeError):
    """Why a stack cannot be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes


class Send(Protocol):
    """Sends a request to the API, with credentials unless ``signed`` says otherwise."""

    def __call__(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = ..., *, signed: bool = True
    ) -> Answer:
        """Send a request and return its answer, with any status."""


@dataclass(frozen=True)
class Stack:
    """What a check of a stack needs.

    Attributes
    ----------
    send : Send
    sqs, s3 : client of boto3's
    uploads_bucket, results_bucket, queue_url, dead_letters_url, parked_url : str
    has_gateway : bool
        API Gateway is in front of the functions.
    seconds : float
        How long a job of the sample may take.
    """

    send: Send
    sqs: Any
    s3: Any
    uploads_bucket: str
    results_bucket: str
    queue_url: str
    dead_letters_url: str
    parked_url: str
    has_gateway: bool = True
    seconds: float = 300


@dataclass(frozen=True)
class Http:
    """Sends requests, as `Send`.

    Attributes
    ----------
    url : str
        Without a slash at its end.
    headers : mapping of str to str
        Of every request with credentials.
    region : str
        Where it is set, requests with credentials are signed for it (SigV4).
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    region: str = ""

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        signed: bool = True,
    ) -> Answer:
        """Send a request and return its answer, with any status."""
        sent = {**headers, **(self.headers if signed else {})}
        if signed and self.region:
            sent = _signed(method, self.url + path, body, sent, self.region)
        # urllib3 reads the answer of a gateway that closes the connection before it has the whole body.
        answer = urllib3.request(
            method, self.url + path, body=body or None, headers=sent, retries=False, timeout=SECONDS
        )
        return Answer(answer.status, answer.data)


def post_form(url: str, fields: Mapping[str, str], content: bytes) -> int:
    """Send the form of an upload, the file last, and return the status of the answer."""
    form: dict[str, str | tuple[str, bytes]] = {**fields, "file": ("file", content)}
    return urllib3.request("POST", url, fields=form, retries=False, timeout=SECONDS).status


def deployed(name: str, token: str, aws: Callable[[str], Any]) -> Stack:
    """Find a deployed stack by its name.

    Parameters
    ----------
    name : str
    token : str
        With ``ApiAuth=cognito`` an ID token of a user.
    aws : callable
        Returns boto3's client of a service.

    Raises
    ------
    StackError
        It is another stack, or the token is missing.
    """
    (found,) = aws("cloudformation").describe_stacks(StackName=name)["Stacks"]
    told = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
    told |= {item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])}
    needed = ("ApiAuth", "ApiUrl", "UploadsBucketName", "ResultsBucketName", "UploadsQueueUrl", "DeadLettersUrl")
    for what in (*needed, "ParkedUrl"):
        if what not in told:
            raise StackError(f"The stack {name} has no {what}. Check its name, or deploy the current version.")
    auth, region = told["ApiAuth"], ""
    headers: dict[str, str] = {}
    if auth == "api-key":
        key = aws("apigateway").get_api_key(apiKey=told["ApiKeyId"], includeValue=True)
        headers = {"x-api-key": key["value"]}
    elif auth == "cognito":
        if not token:
            raise StackError(f"The stack {name} has ApiAuth=cognito. Add TOKEN= with an ID token of a user.")
        headers = {"Authorization": token}
    sqs = aws("sqs")
    if auth == "iam":
        region = sqs.meta.region_name
    return Stack(
        send=Http(told["ApiUrl"], headers, region),
        sqs=sqs,
        s3=aws("s3"),
        uploads_bucket=told["UploadsBucketName"],
        results_bucket=told["ResultsBucketName"],
        queue_url=told["UploadsQueueUrl"],
        dead_letters_url=told["DeadLettersUrl"],
        parked_url=told["ParkedUrl"],
    )


def _signed(method: str, url: str, body: bytes, headers: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the headers of a request that is signed with the AWS CLI's credentials."""
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest(method, url, data=body, headers=dict(headers))
    SigV4Auth(boto3.Session().get_credentials(), "execute-api", region).add_auth(request)
    return dict(request.headers.items())
