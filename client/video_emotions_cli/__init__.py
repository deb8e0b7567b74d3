"""The command line ``video-emotions``. docs/cli.md describes it for its users.

::

    main.py       the command: arguments -> videos -> Results -> what was asked for; exit codes
    options.py    a flag for each option of the service
    files.py      which videos, and where their outputs go
    batch.py      several videos at the same time, answers in order
    local.py      a video -> Result on this computer       remote.py   ... by a deployment
    outputs.py    Result -> JSON, CSV, WebVTT, a report    drawing.py  ... -> a copy of the video with boxes
    summary.py    Result -> what people read               failures.py errors -> texts and exit codes
"""
