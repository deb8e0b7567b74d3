"""Amazon DynamoDB behind `JobStore`."""

import json
from typing import Any, Final

from video_common import limits
from video_common.aws.clients import client, failures
from video_common.aws.interfaces import Begun
from video_common.errors import GaveUp, JobsUnavailable
from video_common.job import Job, JobStatus

_DAY: Final = 24 * 60 * 60
_OPTIONAL: Final = [name for name, field in Job.model_fields.items() if not field.is_required()]
_OURS: Final = "sequencer = :sequencer"
_NO_LEASE: Final = "(attribute_not_exists(lease_until) OR lease_until <= :updated_at OR holder = :caller)"
_OPEN: Final = f"(#status = :pending OR #status = :running AND {_NO_LEASE})"
_KEPT: Final = ("created_at", "owner", "file_name")
"""Written once, when the record is made."""
_UNDELETED: Final = "(attribute_not_exists(#status) OR #status <> :deleted OR updated_at < :revives_since)"
_NEW: Final = f"{_UNDELETED} AND (attribute_not_exists(sequencer) OR sequencer < :sequencer)"
"""The other ways to begin compare the sequencer, which a tombstone does not have."""
_GIVEN_UP: Final = f"{_OURS} AND error_code = :gave_up"
_AGAIN: Final = f"{_OURS} AND {_OPEN}"
_HELD: Final = f"{_OURS} AND #status = :running AND holder = :caller"
_ENDED: Final = f"{_OURS} AND #status IN (:running, :status) AND holder = :caller"
"""Also where the end is written already: boto3 repeats a write whose answer was lost."""
_ERROR_CODE: Final = "error_code"
"""An attribute of its own, since a condition cannot look into the error's JSON."""


class DynamoJobStore:
    """One item a job, in a table whose key is ``job_id``; ``delete_at`` is its time to live."""

    def __init__(self, table: str) -> None:
        self._table = table

    def create(self, job: Job) -> None:
        """See `JobStore.create`."""
        self._write("put_item", Item=_item(job), ConditionExpression="attribute_not_exists(job_id)")

    def get(self, job_id: str) -> Job | None:
        """See `JobStore.get`."""
        with _failures():
            answer = client("dynamodb").get_item(
                TableName=self._table, Key={"job_id": {"S": job_id}}, ConsistentRead=True
            )
        return _job(answer["Item"]) if "Item" in answer else None

    def begin(self, job: Job, *, is_redriven: bool = False, revives_since: int | None = None) -> tuple[Begun, Job]:
        """See `JobStore.begin`."""
        deleted = {":deleted": {"S": JobStatus.DELETED}, ":revives_since": {"N": str(revives_since or 0)}}
        states = {":pending": {"S": JobStatus.PENDING}, ":running": {"S": JobStatus.RUNNING}}
        changed = self._change(job, _NEW, deleted)
        if changed is None and is_redriven:
            changed = self._change(job, _GIVEN_UP, {":gave_up": {"S": GaveUp.code}})
        changed = changed or self._change(job, _AGAIN, states | _caller(job), is_again=True)
        if changed:
            return Begun.RUN, changed
        stored = self.get(job.job_id)
        if stored is not None and stored.status is JobStatus.DELETED:
            return Begun.DELETED, stored
        if stored is None or stored.sequencer is None or job.sequencer is None:
            raise JobsUnavailable("The job's record changed meanwhile. Try again.")
        if stored.sequencer != job.sequencer:
            return Begun.OLDER, stored
        return (Begun.DONE if stored.has_ended else Begun.BUSY), stored

    def renew(self, job: Job) -> bool:
        """See `JobStore.renew`."""
        written = self._write(
            "update_item",
            Key={"job_id": {"S": job.job_id}},
            UpdateExpression="SET lease_until = :until",
            ConditionExpression=_HELD,
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":until": {"N": str(job.lease_until)},
                ":sequencer": {"S": job.sequencer},
                ":running": {"S": JobStatus.RUNNING},
                **_caller(job),
            },
        )
        return written is not None

    def finish(self, job: Job) -> bool:
        """See `JobStore.finish`."""
        if job.status is JobStatus.PENDING:
            # A worker that failed must not undo what another one has done since this one lost its lease.
            return self._change(job, _HELD, {":running": {"S": JobStatus.RUNNING}, **_caller(job)}) is not None
        return self._change(job, _ENDED, {":running": {"S": JobStatus.RUNNING}, **_caller(job)}) is not None

    def delete(self, job: Job) -> None:
        """See `JobStore.delete`."""
        request: dict[str, Any] = {"ConditionExpression": "attribute_exists(job_id)"}
        if not job.key:
            request = {
                "ConditionExpression": "#status = :deleted",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {":deleted": {"S": JobStatus.DELETED}},
            }
        self._write("put_item", Item=_item(job), **request)

    def _change(self, job: Job, condition: str, values: dict[str, Any], *, is_again: bool = False) -> Job | None:
        """Write a job, but what stays as it was created. Return what is stored then, None if nothing is written.

        With ``is_again`` the runs are added to those that are stored.
        """
        item = _item(job)
        del item["job_id"]
        kept = {name: f"if_not_exists(#{name}, :{name})" for name in _KEPT}
        if is_again and "runs" in item:
            kept["runs"] = "if_not_exists(#runs, :none) + :runs"
            values = values | {":none": {"N": "0"}}
        sets = [f"#{name} = {kept.get(name, f':{name}')}" for name in item]
        gone = [name for name in (*_OPTIONAL, _ERROR_CODE) if name not in item and name not in _KEPT]
        names = {f"#{name}": name for name in (*item, *gone)}
        removes = f" REMOVE {', '.join(f'#{name}' for name in gone)}" if gone else ""
        written = self._write(
            "update_item",
            Key={"job_id": {"S": job.job_id}},
            UpdateExpression=f"SET {', '.join(sets)}{removes}",
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": value for name, value in item.items()} | values,
            ReturnValues="ALL_NEW",
        )
        return None if written is None else _job(written["Attributes"])

    def _write(self, operation: str, **request: Any) -> dict[str, Any] | None:
        """Do a conditional write, and return DynamoDB's answer; None if the condition does not hold."""
        dynamodb = client("dynamodb")
        with _failures():
            try:
                answer: dict[str, Any] = getattr(dynamodb, operation)(TableName=self._table, **request)
            except dynamodb.exceptions.ConditionalCheckFailedException:
                return None
        return answer


def _caller(job: Job) -> dict[str, Any]:
    return {":caller": {"S": job.holder or "nobody"}}


def _failures() -> Any:
    return failures(JobsUnavailable("The job's record could not be read or written. Try again."))


def _item(job: Job) -> dict[str, Any]:
    kept_days = 0 if job.status is JobStatus.DELETED else limits.JOB_KEPT_AFTER_EXPIRY_DAYS
    item: dict[str, Any] = {"delete_at": {"N": str(job.expires_at + kept_days * _DAY)}}
    if job.error is not None:
        item[_ERROR_CODE] = {"S": job.error["code"]}
    for name, value in job.model_dump(mode="json", exclude_none=True).items():
        if isinstance(value, dict):
            item[name] = {"S": json.dumps(value)}
        else:
            item[name] = {"N": str(value)} if isinstance(value, int) else {"S": value}
    return item


def _job(item: dict[str, Any]) -> Job:
    plain: dict[str, Any] = {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}
    if "error" in plain:
        plain["error"] = json.loads(plain["error"])
    return Job.model_validate(plain)
