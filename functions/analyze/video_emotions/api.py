"""The HTTP routes, for REST APIs (v1 events) and HTTP APIs (v2 events). Entry point: parse, call, map."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import (
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    CORSConfig,
    Response,
)
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Router
from aws_lambda_powertools.utilities.typing import LambdaContext

from video_common.errors import RouteNotFound, VideoEmotionsError
from video_emotions import __version__, requests, responses
from video_emotions.pipeline import Pipeline
from video_emotions.telemetry import logger


class Api:
    """Answers API Gateway events; every error leaves as problem+json."""

    def __init__(self, pipeline: Pipeline) -> None:
        router = _routes(pipeline)
        cors = CORSConfig(allow_origin=pipeline.settings.cors_allow_origin, allow_headers=["Content-Type"])
        self._rest = _with_problems(APIGatewayRestResolver(cors=cors), router)
        self._http = _with_problems(APIGatewayHttpResolver(cors=cors), router)

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer an event of either version with a proxy response."""
        resolver = self._http if event.get("version") == "2.0" else self._rest
        return resolver.resolve(event, context)


def _routes(pipeline: Pipeline) -> Router:
    router = Router()

    @router.get("/")
    def health() -> Response[str]:
        body = {"status": "ok", "version": __version__, "model": pipeline.model.facts.model_dump(mode="json")}
        return responses.ok(json.dumps(body))

    @router.post("/process-frame")
    def process_frame() -> Response[str]:
        result = pipeline.analyze(requests.from_http(router.current_event))
        return responses.ok(responses.result_json(result))

    return router


def _with_problems(resolver: ApiGatewayResolver, router: Router) -> ApiGatewayResolver:
    resolver.include_router(router)

    def request_id() -> str:
        return str(resolver.current_event["requestContext"]["requestId"])

    @resolver.exception_handler(VideoEmotionsError)
    def known(error: VideoEmotionsError) -> Response[str]:
        log = logger.error if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else logger.info
        log(error.detail, code=error.code, exc_info=error.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
        return responses.problem(error, request_id())

    @resolver.not_found
    def not_found(_error: Exception) -> Response[str]:
        return responses.problem(RouteNotFound("The routes are GET / and POST /process-frame."), request_id())

    @resolver.exception_handler(Exception)
    def unknown(_error: Exception) -> Response[str]:
        logger.exception("unexpected error")
        message = "Something went wrong on our side. Quote the request_id if you report it."
        return responses.problem(VideoEmotionsError(message), request_id())

    return resolver
