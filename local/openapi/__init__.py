"""The description of the API: OpenAPI 3.1, made of the table of routes, the Pydantic models and the error tree.

::

    make openapi            write docs/openapi.json
    make openapi-check      compare it with the code, and with docs/openapi.released.json
    make openapi-examples   record docs/examples.json from `make serve`, then write docs/openapi.json
    make contract-http      compare the examples with `make serve`, then run schemathesis against it

    document.py    the whole document                     schemas.py      models -> JSON Schema, with their docstrings
    operations.py  the words for each route               problems.py     the errors of each route
    recording.py   requests and their real answers        containment.py  is each value of a schema one of another?
    breaking.py    what breaks callers                    fuzzing.py      schemathesis; its hooks are in fuzz_hooks.py
"""
