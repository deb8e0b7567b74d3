"""``make smoke``: does a stack do what it promises? ``STACK=name`` asks a deployed one, otherwise one starts here.

It uses the credentials and the region of the AWS CLI. It leaves nothing behind but lines in the logs, and counts in the
metrics: one job given up, which an alarm reports, and the requests that the gateway refuses.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from events.aws_shapes import s3_record
from operations.redrive import redrive
from operations.stack import Answer, Stack, StackError, deployed, post_form

SAMPLE: Final = Path(__file__).resolve().parent.parent / "tests" / "data" / "sample.mp4"
FILE_NAME: Final = "smoke-test.mp4"
TOO_LARGE: Final = 11_000_000
"""Bytes: the gateway's own limit is 10 MB."""

MANY: Final = 400
AT_ONCE: Final = 40


class SmokeError(AssertionError):
    """What the stack does not do."""


class NotRun(Exception):
    """Why a check was not made."""


@dataclass
class Smoke:
    """The checks, in order. What one finds the next one needs."""

    stack: Stack
    say: Callable[[str], None] = print
    job_id: str = ""
    key: str = ""
    failed: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Make all checks, say what each found, and report whether none failed."""
        checks = {
            "The stack is healthy.": self._health,
            "A POST of the sample has its Result.": self._post,
            "A file that is no video is refused with a reason.": self._no_video,
            "A request without credentials is refused.": self._credentials,
            "A body that is too large is refused.": self._too_large,
            "An upload becomes a job with its result.": self._upload,
            "A dead letter ends its job.": self._dead_letter,
            "A redrive brings it to its result.": self._redriven,
            "A deleted job leaves nothing.": self._deletion,
            "Too many requests at once are refused.": self._too_many,
        }  # the last one uses up what the stack may take at once
        for name, check in checks.items():
            try:
                check()
            except NotRun as reason:
                self.say(f"not run  {name} {reason}")
            except Exception as error:  # no answer, or one of another form: the other checks still run
                self.failed.append(name)
                kind = "" if isinstance(error, SmokeError) else f"{type(error).__name__}: "
                self.say(f"FAILED   {name} {kind}{error}")
            else:
                self.say(f"ok       {name}")
        return not self.failed

    def _health(self) -> None:
        told = _json(self.stack.send("GET", "/"), 200)
        _expect(told.get("status") == "ok", f"GET / says {told.get('status')!r}, not 'ok'")

    def _post(self) -> None:
        answer = self.stack.send("POST", "/process-frame", SAMPLE.read_bytes(), {"Content-Type": "video/mp4"})
        result = _json(answer, 200)
        seen = result.get("frames_with_face", 0)
        _expect(seen > 0, "the Result of the sample has no frame with a face")

    def _no_video(self) -> None:
        answer = self.stack.send("POST", "/process-frame", b"text", {"Content-Type": "application/octet-stream"})
        problem = _json(answer, 422)
        _expect(problem.get("code") == "not_a_video", f"the code is {problem.get('code')!r}, not 'not_a_video'")
        _expect(bool(problem.get("request_id")), "the problem has no request_id")

    def _credentials(self) -> None:
        self._needs_gateway("who calls")
        answer = self.stack.send("POST", "/uploads", b"{}", {"Content-Type": "application/json"}, signed=False)
        _expect(answer.status in {401, 403}, f"without credentials the answer is {answer.status}, not 401 or 403")
        _json(answer, answer.status)

    def _too_large(self) -> None:
        self._needs_gateway("bodies of more than 10 MB")
        answer = self.stack.send("POST", "/process-frame", bytes(TOO_LARGE), {"Content-Type": "video/mp4"})
        problem = _json(answer, 413)
        _expect(problem.get("code") == "video_too_large", f"the code is {problem.get('code')!r}")

    def _too_many(self) -> None:
        self._needs_gateway("rates")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(lambda _: self.stack.send("GET", "/").status, range(MANY)))
        _expect(429 in statuses, f"none of {MANY} requests, {AT_ONCE} at once, was answered with 429")

    def _upload(self) -> None:
        body = json.dumps({"content_type": "video/mp4", "file_name": FILE_NAME}).encode()
        asked = _json(self.stack.send("POST", "/uploads", body, {"Content-Type": "application/json"}), 200)
        form = asked["upload"]
        status = post_form(form["url"], form["fields"], SAMPLE.read_bytes())
        _expect(status in {200, 201, 204}, f"the form's upload is answered with {status}")
        self.key = form["fields"]["key"]
        told = self._wait(asked["job_id"], "SUCCEEDED")
        self.job_id = asked["job_id"]
        source = told.get("source", {})
        _expect(source.get("file_name") == FILE_NAME, f"the job's source is {source}")

    def _dead_letter(self) -> None:
        self._needs_job()
        parked = self._parked()
        if parked:
            raise NotRun(f"{parked} parked uploads wait for somebody, and a redrive would move them")
        record = s3_record(
            self.key, bucket=self.stack.uploads_bucket, size=SAMPLE.stat().st_size, etag="", sequencer="F" * 32
        )
        body = json.dumps({"Records": [record]})
        self.stack.sqs.send_message(QueueUrl=self.stack.dead_letters_url, MessageBody=body)
        told = self._wait(self.job_id, "FAILED")
        code = told.get("error", {}).get("code")
        _expect(code == "gave_up", f"the error of the job has the code {code!r}, not 'gave_up'")

    def _redriven(self) -> None:
        self._needs_job()
        if _json(self.stack.send("GET", f"/jobs/{self.job_id}"), 200)["status"] != "FAILED":
            raise NotRun("no job was given up")
        deadline = time.monotonic() + self.stack.seconds
        while not self._parked():  # the job ends a moment before its message is parked
            _expect(time.monotonic() < deadline, f"after {self.stack.seconds:.0f} s no message is parked")
            time.sleep(1)
        # With DeleteVideosAfterAnalysis the video was deleted after its first analysis. The event of this copy is older
        # than the dead letter, so it starts nothing.
        if not self._count_objects(self.stack.uploads_bucket, self.key):
            self.stack.s3.put_object(Bucket=self.stack.uploads_bucket, Key=self.key, Body=SAMPLE.read_bytes())
        redrive(self.stack.parked_url, self.stack.queue_url, self.stack.sqs, lambda _: None)
        self._wait(self.job_id, "SUCCEEDED")

    def _deletion(self) -> None:
        self._needs_job()
        for _ in range(2):
            answer = self.stack.send("DELETE", f"/jobs/{self.job_id}")
            _expect(answer.status == 204, f"DELETE is answered with {answer.status}, not 204")
        problem = _json(self.stack.send("GET", f"/jobs/{self.job_id}"), 410)
        _expect(problem.get("code") == "job_deleted", f"the code is {problem.get('code')!r}, not 'job_deleted'")
        places = {
            "video": (self.stack.uploads_bucket, self.key),
            "result": (self.stack.results_bucket, f"{self.job_id}/"),
        }
        for what, (bucket, prefix) in places.items():
            _expect(not self._count_objects(bucket, prefix), f"the {what} is still in its bucket")

    def _needs_gateway(self, what: str) -> None:
        if not self.stack.has_gateway:
            raise NotRun(f"only API Gateway decides about {what}, and there is none here")

    def _needs_job(self) -> None:
        if not self.job_id:
            raise NotRun("no upload came to its result")

    def _count_objects(self, bucket: str, prefix: str) -> int:
        return int(self.stack.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"])

    def _parked(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.stack.sqs.get_queue_attributes(QueueUrl=self.stack.parked_url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)

    def _wait(self, job_id: str, status: str) -> dict[str, Any]:
        """Look at a job until it has a status."""
        deadline = time.monotonic() + self.stack.seconds
        while True:
            told = _json(self.stack.send("GET", f"/jobs/{job_id}"), 200)
            if told.get("status") == status:
                return told
            _expect(
                time.monotonic() < deadline,
                f"after {self.stack.seconds:.0f} s the job is {told.get('status')}, not {status}: {told.get('error')}",
            )
            time.sleep(1)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SmokeError(otherwise)


def _json(answer: Answer, status: int) -> dict[str, Any]:
    """Return the object in an answer, which must have a status."""
    text = answer.body.decode(errors="replace")
    _expect(answer.status == status, f"the answer is {answer.status}, not {status}: {text[:300]}")
    try:
        told = json.loads(text)
    except ValueError:
        raise SmokeError(f"the answer is no JSON: {text[:300]}") from None
    _expect(isinstance(told, dict), f"the answer is no object: {text[:300]}")
    return dict(told)


def main() -> int:
    """Check a stack; exit status 1 if it does not do what it promises."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("--stack", help="make's STACK: the deployed stack; without it one is started on this machine")
    parser.add_argument("--token", default="", help="make's TOKEN: with ApiAuth=cognito, an ID token of a user")
    chosen = parser.parse_args()
    if chosen.stack:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            stack = deployed(chosen.stack, chosen.token, boto3.client)
        except (StackError, BotoCoreError, ClientError) as error:
            print(error, file=sys.stderr)
            return 1
        return 0 if Smoke(stack).run() else 1
    from local.stack import local_stack

    with local_stack() as stack:
        return 0 if Smoke(stack).run() else 1


if __name__ == "__main__":
    sys.exit(main())
