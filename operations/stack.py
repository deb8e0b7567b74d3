"""A running stack, as its callers and its operator reach it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

import urllib3

SECONDS: Final = 40
"""The gateway answers within 29."""


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


def deployed(name: str, token: str = "") -> Stack:
    """Find a deployed stack by its name, with the credentials of the AWS CLI.

    Parameters
    ----------
    name : str
    token : str
        With ``ApiAuth=cognito`` an ID token of a user.
    """
    import boto3

    (found,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in found["Outputs"]}
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in found["Parameters"]}
    auth, region = parameters["ApiAuth"], ""
    headers: dict[str, str] = {}
    if auth == "api-key":
        key = boto3.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
        headers = {"x-api-key": key["value"]}
    elif auth == "cognito":
        headers = {"Authorization": token}
    else:
        region = boto3.Session().region_name
    return Stack(
        send=Http(outputs["ApiUrl"], headers, region),
        sqs=boto3.client("sqs"),
        s3=boto3.client("s3"),
        uploads_bucket=outputs["UploadsBucketName"],
        results_bucket=outputs["ResultsBucketName"],
        queue_url=outputs["UploadsQueueUrl"],
        dead_letters_url=outputs["DeadLettersUrl"],
        parked_url=outputs["ParkedUrl"],
    )


def _signed(method: str, url: str, body: bytes, headers: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the headers of a request that is signed with the AWS CLI's credentials."""
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest(method, url, data=body, headers=dict(headers))
    SigV4Auth(boto3.Session().get_credentials(), "execute-api", region).add_auth(request)
    return dict(request.headers.items())
