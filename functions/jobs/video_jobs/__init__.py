"""Uploads asked for, jobs asked about, jobs given up: the small functions beside the one that analyses.

::

    POST /uploads          options -> a job, and the form with which its video is uploaded
    GET /jobs/{job_id}     -> where the job is; its result, or its error
    DELETE /jobs/{job_id}  -> nothing is left of its video, its results and what its record says
    a dead letter          -> its job is FAILED (gave_up), and the message is parked
    a deployment           -> new versions of all functions are tried before their first call

    handler.py    the Lambda entry point for HTTP         dead_letters.py   the one for dead letters
    api.py        the routes                              giving_up.py      what becomes of a dead letter
    service.py    what they do                            pre_traffic.py    the one for deployments
                                                          rehearsal.py      what a new version must do
    callers.py    who calls
    settings.py   the only place that reads the environment
"""
