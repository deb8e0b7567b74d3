"""The table of routes. The routers, the 404 text, the local tools and the tests read it.

A new route needs four changes: a row here, its handler in the function's ``api.py``, its event in ``template.yaml``,
its words and errors in ``local/openapi``.
A GET needs a second event, for HEAD. A new path needs one more, for all other methods (`OTHER_METHODS`).
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path.

    Attributes
    ----------
    method : str
        In capital letters, or ``ANY``: each method that the path has no route for.
    path : str
        As API Gateway spells it: a parameter stands in braces.
    function : "analyze" or "jobs"
        The folder in functions/ whose handler answers. All methods of a path have the same function.
    is_open : bool
        The gateway asks for no credentials.
    """

    method: str
    path: str
    function: Literal["analyze", "jobs"]
    is_open: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def rule(self) -> str:
        """The path as Powertools spells it: ``<job_id>`` for ``{job_id}``."""
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def methods(self) -> list[str]:
        """The methods that the handler answers: HEAD is GET without the body."""
        return ["GET", "HEAD"] if self.method == "GET" else [self.method]

    def parameters(self, path: str) -> dict[str, str] | None:
        """Return the path parameters of a request, by name, or None if the request is for another path.

        A slash at the end of the path makes no difference.
        """
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path.rstrip("/"))) + "/?"
        found = re.fullmatch(pattern, path) if path else None
        return found.groupdict() if found else None


HEALTH: Final = Route("GET", "/", "analyze", is_open=True)
PAGE: Final = Route("GET", "/app", "jobs", is_open=True)
PROCESS_FRAME: Final = Route("POST", "/process-frame", "analyze")
UPLOADS: Final = Route("POST", "/uploads", "jobs")
PARTS: Final = Route("POST", "/uploads/{job_id}/parts", "jobs")
COMPLETE: Final = Route("POST", "/uploads/{job_id}/complete", "jobs")
JOB: Final = Route("GET", "/jobs/{job_id}", "jobs")
DELETE_JOB: Final = Route("DELETE", "/jobs/{job_id}", "jobs")
OPENAPI: Final = Route("GET", "/openapi.json", "jobs", is_open=True)

ROUTES: Final = (HEALTH, PAGE, PROCESS_FRAME, UPLOADS, PARTS, COMPLETE, JOB, DELETE_JOB, OPENAPI)
HEADS: Final = tuple(replace(route, method="HEAD") for route in ROUTES if "HEAD" in route.methods)
"""Each asks for the credentials that its GET asks for. The handler of the GET answers."""

PREFLIGHTS: Final = tuple(
    replace(route, method="OPTIONS", is_open=True) for route in {route.path: route for route in ROUTES}.values()
)
"""The requests that a browser sends before a request to another origin. The gateway answers them; no router does."""

OTHER_METHODS: Final = tuple(replace(route, method="ANY") for route in PREFLIGHTS)
"""The gateway passes them on, because its own answer to them is the same as to an unknown path. The router answers 405.

They ask for no credentials, so a router must answer no method that has no row of its own.
"""


def find(path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the first route that has a request's path, and the path parameters; None if no route has it."""
    for route in ROUTES:
        parameters = route.parameters(path)
        if parameters is not None:
            return route, parameters
    return None


def allowed(path: str) -> tuple[str, ...]:
    """Return the methods of a request's path, in the order of the alphabet; none if no route has the path."""
    matching = [route for route in (*ROUTES, *PREFLIGHTS) if route.parameters(path) is not None]
    return tuple(sorted({method for route in matching for method in route.methods}))


def sentence() -> str:
    """Return the sentence that names all routes to a caller who asked for another one."""
    *others, last = map(str, ROUTES)
    return f"The routes are {', '.join(others)} and {last}."
