"""A video in, one aggregated result out.

The way of the data, one module a step::

    event -> VideoRequest -> file -> VideoInfo -> Frame -> Face -> scores -> Report -> Result -> response

    handler.py         the Lambda entry point: tells API events from uploads, nothing else
    api.py             the HTTP routes                  uploads.py  uploaded objects, by SQS or S3, each once
                                                        worker.py   an upload's way through its job
    pipeline.py        the eight steps, in order
    video_request.py 1 event -> VideoRequest
    workspace.py     2 VideoRequest -> a file in a directory of its own, always removed
    probe.py         3 file -> VideoInfo, or the reason why it is refused   containers.py  what a file says of itself
    frames.py        4 file + VideoInfo -> Frame(index, time_ms, image)     decoder.py     the only place of PyAV
    faces.py         5 Frame -> Face(box, crop), largest first              search.py      where OpenCV's cascade looks
    emotions.py      6 crops -> scores, in batches; the only place of DeepFace
    aggregate.py     7 observations -> Report; pure, mergeable
    responses.py     8 Report -> Result                                     rendering.py   Result -> text, by format
    settings.py        the only place that reads the environment
    telemetry.py       logs, metrics, and the milliseconds of each step
    parallel.py        frames ahead, and several at once                    boxes.py       rectangles in a picture

Colours are BGR, images ``uint8`` of shape (height, width, 3), times milliseconds, unless a docstring says otherwise.
"""

__version__ = "1.0.0"
