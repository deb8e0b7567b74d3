"""The HTTP routes, for REST APIs (v1 events) and HTTP APIs (v2 events). Entry point: parse, call, map."""

from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.api_gateway import (
    RETRY_AFTER,
    answer,
    json_answer,
    json_text,
    no_content,
    problem_resolvers,
    query_of,
)
from video_common.options import parse_members
from video_common.routes import COMPLETE, DELETE_JOB, JOB, OPENAPI, PAGE, PARTS, UPLOADS
from video_common.schema import JSON_CONTENT_TYPE
from video_jobs.callers import caller_of
from video_jobs.page import CONTENT_TYPE, open_page
from video_jobs.service import CONTENT_TYPE_MEMBER, Jobs

_DESCRIPTION: Final = Path(__file__).with_name("openapi.json")
"""A link to ``docs/openapi.json``. ``sam build`` copies the file itself into the zip."""

_EXAMPLE = f'{{"{CONTENT_TYPE_MEMBER}": "video/mp4", "frame_interval": 30}}'
_PARTS_EXAMPLE = '{"first": 1, "count": 100}'


class Api:
    """Answers API Gateway events; every error leaves as problem+json."""

    def __init__(self, jobs: Jobs, cors_allow_origin: str) -> None:
        self._resolve = problem_resolvers(_routes(jobs), cors_allow_origin)

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer an event of either version with a proxy response."""
        return self._resolve(event, context)


def _routes(jobs: Jobs) -> Router:
    router = Router()

    @router.route(PAGE.rule, PAGE.methods)
    def page() -> Response[str]:
        text, headers = open_page(jobs.settings, jobs.signer)
        return answer(text, CONTENT_TYPE, headers)

    @router.route(UPLOADS.rule, UPLOADS.methods)
    def ask() -> Response[str]:
        event = router.current_event
        text = json_text(event)
        members = parse_members(text, _EXAMPLE) if text else {}
        return json_answer(jobs.ask(members, query_of(event), caller_of(event)))

    @router.route(PARTS.rule, PARTS.methods)
    def parts(job_id: str) -> Response[str]:
        event = router.current_event
        text = json_text(event)
        members = parse_members(text, _PARTS_EXAMPLE) if text else {}
        return json_answer(jobs.parts(job_id, members, caller_of(event)))

    @router.route(COMPLETE.rule, COMPLETE.methods)
    def complete(job_id: str) -> Response[str]:
        return json_answer(jobs.complete(job_id, caller_of(router.current_event)))

    @router.route(JOB.rule, JOB.methods)
    def look(job_id: str) -> Response[str]:
        told = jobs.look(job_id, caller_of(router.current_event))
        pause = jobs.pause(told)
        return json_answer(told, {RETRY_AFTER: str(pause)} if pause else {})

    @router.route(DELETE_JOB.rule, DELETE_JOB.methods)
    def delete(job_id: str) -> Response[str]:
        jobs.delete(job_id, caller_of(router.current_event))
        return no_content()

    @router.route(OPENAPI.rule, OPENAPI.methods)
    def describe() -> Response[str]:
        return answer(_DESCRIPTION.read_text(encoding="utf-8"), JSON_CONTENT_TYPE)

    return router
