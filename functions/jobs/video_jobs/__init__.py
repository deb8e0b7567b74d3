"""The small functions beside the one that analyzes: they answer for uploads and jobs, and end jobs that failed.

::

    GET /app               -> the page, which is for people
    POST /uploads          options -> a job, and the form with which its video is uploaded
    GET /jobs/{job_id}     -> where the job is; its result, or its error
    DELETE /jobs/{job_id}  -> nothing is left of its video, its results and what its record says
    GET /openapi.json      -> the description of the API: the file openapi.json
    a dead letter          -> its job is FAILED (gave_up), and the message is parked
    a deployment           -> new versions of all functions are tried before their first call

    handler.py    the Lambda entry point for HTTP         dead_letters.py   the one for dead letters
    api.py        the routes                              giving_up.py      what becomes of a dead letter
    service.py    what they do                            pre_traffic.py    the one for deployments
    callers.py    who calls                               rehearsal.py      what a new version must do
    page.py       the page and its headers; page.html is built by `make web`
    settings.py   the only place that reads the environment
"""
