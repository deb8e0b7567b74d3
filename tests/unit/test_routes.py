"""The table of routes: it, both routers and the template agree, and a path finds its route."""

from typing import Any

import pytest
from aws_lambda_powertools.event_handler.api_gateway import Router

import video_emotions.api
import video_jobs.api
from tests.template_info import api_events
from video_common.routes import HEADS, OTHER_METHODS, PREFLIGHTS, ROUTES, Route, allowed, find

LOGICAL_IDS = {"analyze": "AnalyzeApi", "jobs": "Jobs"}
"""The template's function for each of the table's."""
TABLE = (*ROUTES, *HEADS)
DEPLOYED = {route: name for route, name in api_events().items() if not route.startswith("ANY ")}


def routers() -> dict[str, Router]:
    """Return the router of each function."""
    unused: Any = None  # nothing is called, so they need no pipeline and no jobs
    return {"analyze": video_emotions.api._routes(unused), "jobs": video_jobs.api._routes(unused)}


def registered(routers: dict[str, Router]) -> dict[str, str]:
    """Return the function that answers each of Powertools' routes."""
    return {
        f"{method} {rule}": function
        for function, router in routers.items()
        for rule, methods, *_ in router._routes
        for method in methods
    }


def disagreements(table: tuple[Route, ...], routers: dict[str, Router], template: dict[str, str]) -> set[str]:
    """Return the routes that are not the same in the table, the routers and the template."""
    answered = {f"{route.method} {route.rule}": route.function for route in table}
    deployed = {str(route): LOGICAL_IDS[route.function] for route in table}
    differences = (answered.items() ^ registered(routers).items()) | (deployed.items() ^ template.items())
    return {route for route, _ in differences}


def test_the_table_the_routers_and_the_template_agree():
    assert disagreements(TABLE, routers(), DEPLOYED) == set()


def test_each_path_passes_its_other_methods_to_its_function():
    assert {route: name for route, name in api_events().items() if route not in DEPLOYED} == {
        str(route): LOGICAL_IDS[route.function] for route in OTHER_METHODS
    }
    assert {route.path for route in OTHER_METHODS} == {route.path for route in ROUTES}


@pytest.mark.parametrize("missing", TABLE, ids=str)
def test_a_route_that_is_missing_somewhere_is_seen(missing):
    # Given a table, a router or a template without one of the routes
    table = tuple(route for route in TABLE if route != missing)
    shorter = routers()
    routes = shorter[missing.function]._routes
    (rule, methods, *more), handler = next(
        (key, handler) for key, handler in routes.items() if key[0] == missing.rule and missing.method in key[1]
    )
    del routes[(rule, methods, *more)]
    routes[(rule, tuple(method for method in methods if method != missing.method), *more)] = handler
    template = {route: name for route, name in DEPLOYED.items() if route != str(missing)}
    # Then each of them disagrees with the other two
    assert disagreements(table, routers(), DEPLOYED) == {str(missing), f"{missing.method} {missing.rule}"}
    assert disagreements(TABLE, shorter, DEPLOYED) == {f"{missing.method} {missing.rule}"}
    assert disagreements(TABLE, routers(), template) == {str(missing)}


def test_a_route_of_another_function_is_seen():
    moved = {**DEPLOYED, "GET /": "Jobs"}
    assert disagreements(TABLE, routers(), moved) == {"GET /"}


def test_all_methods_of_a_path_have_one_function():
    # `find` goes by the path alone.
    assert len({(route.path, route.function) for route in ROUTES}) == len({route.path for route in ROUTES})


def test_each_path_has_one_preflight_that_needs_no_credentials():
    assert {(route.method, route.path, route.is_open) for route in PREFLIGHTS} == {
        ("OPTIONS", route.path, True) for route in ROUTES
    }
    assert len(PREFLIGHTS) == len({route.path for route in ROUTES})


def test_head_asks_for_the_credentials_of_get():
    open_gets = {route.path: route.is_open for route in ROUTES if route.method == "GET"}
    assert {route.path: route.is_open for route in HEADS} == open_gets


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", ("GET", "HEAD", "OPTIONS")),
        ("/app/", ("GET", "HEAD", "OPTIONS")),
        ("/process-frame", ("OPTIONS", "POST")),
        ("/uploads/", ("OPTIONS", "POST")),
        ("/jobs/0123", ("DELETE", "GET", "HEAD", "OPTIONS")),
        ("/jobs", ()),
        ("/process-video", ()),
    ],
)
def test_a_path_has_its_methods(path, methods):
    assert allowed(path) == methods


@pytest.mark.parametrize(
    ("path", "route", "parameters"),
    [
        ("/", "GET /", {}),
        ("/uploads", "POST /uploads", {}),
        ("/uploads/", "POST /uploads", {}),
        ("/process-frame/", "POST /process-frame", {}),
        ("/openapi.json", "GET /openapi.json", {}),
        ("/jobs/0123", "GET /jobs/{job_id}", {"job_id": "0123"}),
        ("/jobs/0123/", "GET /jobs/{job_id}", {"job_id": "0123"}),
        ("/jobs/..%2Fa+b", "GET /jobs/{job_id}", {"job_id": "..%2Fa+b"}),
    ],
)
def test_a_path_finds_its_route(path, route, parameters):
    found = find(path)
    assert found is not None
    assert (str(found[0]), found[1]) == (route, parameters)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/app/page.js", "/jobs", "/jobs/", "/jobs/a/b", "/uploads//", "/uploadsX"),
        *("/process_frame", "/openapi_json", "//"),
    ],
)
def test_another_path_finds_none(path):
    assert find(path) is None
