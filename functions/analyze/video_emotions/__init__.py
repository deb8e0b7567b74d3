"""A video in, one aggregated result out.

The flow of the data, one module for each step::

    event -> file -> probe -> plan -> frames -> faces -> emotions -> aggregate -> response

    handler.py         the Lambda entry point: separates API events from uploads, nothing else
    api.py             the HTTP routes                  uploads.py  uploaded objects, by SQS or S3, each once
                                                        worker.py   an upload's way through its job
                                                        lease.py    the worker's sign of life in the job's record
    pipeline.py        the nine steps, in order
    video_request.py 1 event -> VideoRequest
    workspace.py     2 VideoRequest -> a file in a directory of its own, always removed
    reader.py          steps 3 to 5 from outside: each file in a process of its own, which runs child.py
    probe.py         3 file -> VideoInfo, PacketIndex, or why it is rejected  sniffing.py    what a file is
                                                                              containers.py  is its end missing?
    plan.py          4 VideoInfo, PacketIndex, Options -> Plan                packets.py     what a file's packets say
                                                                              bitstream.py   where pictures begin
    frames.py        5 file -> VideoInfo, Plan, Frame(index, time_ms, image)  decoder.py     the only place of PyAV
                                                                              picture.py     one decoded picture
    faces/           6 Frame -> Face(box, crop), largest first                display.py     upright, in square pixels
                                                                              tones.py       from HDR to SDR
    emotions.py      7 crops -> scores, in batches; the only place of DeepFace
    observe.py         steps 6 and 7 frame by frame: find, cut, score in batches
    aggregate.py     8 observations -> Report; pure, mergeable                advice.py      what a caller could try
    responses.py     9 Report -> Result                                       rendering.py   Result -> text, by format
    segmented.py       a long video: plan, segments, merge            outline.py     what these pass on
    long_videos.py     the same in AWS     executions.py  what the state machine asks for
    pool.py            the same on a computer, in processes           slices.py      a part that can be decoded alone
    segments.py        where a plan is cut                            remote_file.py a file that the parent fetches
    read_ahead.py      the next range in advance                      tasks.py       what a child can be asked for
    tabulated.py       an MP4's packets, from its header              sample_tables.py  its tables
    av_packets.py      PyAV's packets                                 supported.py   what FFmpeg may open
    deadline.py        how long an analysis may take    pace.py         frames, while there is time for them
    watchdog.py        ends the job of a worker that is stuck
    settings.py        the only place that reads the environment
    telemetry.py       logs, metrics, and the milliseconds of each step
    child_process.py   a child as its parent sees it                          wire.py        what the two say
    answers.py         the child's answers, checked                           facts.py       what its parent knows
    sandbox.py         what the child may use and reach                       seccomp.py     its filter of system calls
    tables.py          what an MP4 claims to hold                             encryption.py  are pictures encrypted?
    supported.py       what FFmpeg may open                                   memory.py      what decoding may use
    progress.py        signs of progress
    parallel.py        frames ahead, and several at the same time             boxes.py       rectangles in a picture
    remedies.py        what the sender of a file can do

Colors are BGR, images ``uint8`` of shape (height, width, 3), times milliseconds, unless a docstring says otherwise.
"""

__version__ = "1.0.0"
