"""The table of routes. The routers, the 404 text, the local tools and the tests read it.

A new route needs three changes: a row here, its handler in the function's ``api.py``, its event in ``template.yaml``.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path.

    Attributes
    ----------
    method : str
        In capital letters.
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

    def parameters(self, path: str) -> dict[str, str] | None:
        """Return the path parameters of a request, by name, or None if the request is for another path."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


HEALTH: Final = Route("GET", "/", "analyze", is_open=True)
PROCESS_FRAME: Final = Route("POST", "/process-frame", "analyze")
UPLOADS: Final = Route("POST", "/uploads", "jobs")
JOB: Final = Route("GET", "/jobs/{job_id}", "jobs")

ROUTES: Final = (HEALTH, PROCESS_FRAME, UPLOADS, JOB)
PREFLIGHTS: Final = tuple(
    Route("OPTIONS", path, function, is_open=True)
    for path, function in {route.path: route.function for route in ROUTES}.items()
)
"""The requests that a browser sends before a request to another origin. The gateway answers them; no router does."""


def find(path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the first route that has a request's path, and the path parameters; None if no route has it."""
    for route in ROUTES:
        parameters = route.parameters(path)
        if parameters is not None:
            return route, parameters
    return None


def sentence() -> str:
    """Return the sentence that names all routes to a caller who asked for another one."""
    *others, last = map(str, ROUTES)
    return f"The routes are {', '.join(others)} and {last}."
