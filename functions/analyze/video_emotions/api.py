"""The HTTP routes, for REST APIs (v1 events) and HTTP APIs (v2 events). Entry point: parse, call, map."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.api_gateway import answer, arrived_ms, json_answer, problem_resolvers
from video_common.routes import HEALTH, PROCESS_FRAME
from video_emotions import __version__
from video_emotions.deadline import Deadline
from video_emotions.pipeline import Pipeline
from video_emotions.rendering import render_to_fit
from video_emotions.video_request import from_http


class Api:
    """Answers API Gateway events; every error leaves as problem+json."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._resolve = problem_resolvers(_routes(pipeline), pipeline.settings.cors_allow_origin)

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer an event of either version with a proxy response."""
        return self._resolve(event, context)


def _routes(pipeline: Pipeline) -> Router:
    router = Router()

    @router.route(HEALTH.rule, HEALTH.methods)
    def health() -> Response[str]:
        facts = pipeline.model.facts.model_dump(mode="json")
        return json_answer({"status": "ok", "version": __version__, "model": facts})

    @router.route(PROCESS_FRAME.rule, PROCESS_FRAME.methods)
    def process_frame() -> Response[str]:
        request = from_http(router.current_event)
        seconds_left = router.lambda_context.get_remaining_time_in_millis() / 1000
        deadline = Deadline.of_request(seconds_left, arrived_ms(router.current_event))
        body = render_to_fit(pipeline.analyze(request, deadline), request.format)
        return answer(body.text, body.content_type)

    return router
