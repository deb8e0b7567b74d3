"""Uploads asked for, jobs asked about: the small function beside the one that analyses.

::

    POST /uploads        options -> a job, and the form with which its video is uploaded
    GET /jobs/{job_id}   -> where the job is; its result, or its error

    handler.py    the Lambda entry point
    api.py        the routes
    service.py    what they do
    settings.py   the only place that reads the environment
"""
