"""What a new version must do before callers reach it. No AWS here.

====================  ===========================================================================================
version of            must
====================  ===========================================================================================
AnalyzeApi,           analyze all five frames of the sample, a face. Both run one handler, so the worker can be asked
AnalyzeUploads        over HTTP too: no bucket, queue or job is touched
Jobs                  answer that it has no such job: it reads the table
GiveUp                accept a batch of no dead letters
====================  ===========================================================================================
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from video_common.aws.interfaces import Functions
from video_common.errors import JobNotFound, VideoEmotionsError
from video_common.routes import JOB
from video_common.telemetry import logger

SAMPLE_FRAMES = 5


@dataclass(frozen=True)
class Rehearsal:
    """Asks new versions, by their ARNs. It asks all, whichever of them a deployment is about: none goes live alone."""

    functions: Functions
    analyze_versions: tuple[str, ...]
    jobs_version: str
    give_up_version: str

    def is_good(self) -> bool:
        """Report whether every version does what it must. The log has the others' names and what they answered."""
        sample = json.loads(Path(__file__).with_name("sample-event.json").read_text(encoding="utf-8"))
        analyze = {**sample, "multiValueQueryStringParameters": {"frame_interval": ["1"]}}
        checks = [(arn, analyze, _has_analyzed) for arn in self.analyze_versions]
        checks += [(self.jobs_version, _look_event(sample), _knows_no_job)]
        checks += [(self.give_up_version, {"Records": []}, _has_no_failures)]
        passed = [self._passes(*check) for check in checks]  # all of them, even if the first one fails
        return all(passed)

    def _passes(self, arn: str, event: Mapping[str, Any], is_right: Any) -> bool:
        try:
            answer = self.functions.invoke(arn, event)
        except VideoEmotionsError:
            logger.error("a new version fails", version=arn, exc_info=True)
            return False
        if not is_right(answer):
            logger.error("a new version answers wrongly", version=arn, answer=answer)
            return False
        return True


def _has_analyzed(answer: Mapping[str, Any]) -> bool:
    if answer.get("statusCode") != 200:
        return False
    result = json.loads(answer["body"])
    return bool(result["total_frames_analyzed"] == SAMPLE_FRAMES and result["frames_with_face"] >= 1)


def _knows_no_job(answer: Mapping[str, Any]) -> bool:
    return answer.get("statusCode") == JobNotFound.status and json.loads(answer["body"])["code"] == JobNotFound.code


def _has_no_failures(answer: Mapping[str, Any]) -> bool:
    return answer == {"batchItemFailures": []}


def _look_event(sample: Mapping[str, Any]) -> dict[str, Any]:
    job_id = "0" * 32
    asked = {**sample["requestContext"], "httpMethod": JOB.method, "resourcePath": JOB.path}
    return {
        **sample,
        "httpMethod": JOB.method,
        "resource": JOB.path,
        "path": JOB.path.format(job_id=job_id),
        "pathParameters": {"job_id": job_id},
        "requestContext": asked,
        "body": None,
        "isBase64Encoded": False,
    }
