"""Every number that the service promises. Code, tests and documents use these."""

from typing import Final

# -- What AWS allows (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) ------------------------------
LAMBDA_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""A synchronous invocation's event, and its response, in bytes."""

RESPONSE_ENVELOPE_BYTES: Final = 16 * 1024
"""Of a response, for what is not its body: status and headers."""

GATEWAY_SECONDS: Final = 29
"""How long API Gateway waits for an answer, from the arrival of the request."""

# -- What the template gives the functions ----------------------------------------------------------------------------
API_SECONDS: Final = 28
"""One second less than the gateway waits, so that the function ends before the caller is gone."""

WORKER_SECONDS: Final = 900
"""The longest that Lambda allows."""

# -- What a caller may send ------------------------------------------------------------------------------------------
MAX_POST_VIDEO_BYTES: Final = 4_500_000
"""Decoded video bytes of a POST. As base64 6,000,000 characters: what remains of the payload is for headers."""

MAX_UPLOAD_VIDEO_BYTES: Final = 5_000_000_000
"""A video object in the uploads bucket; a presigned POST cannot carry more than 5 GB."""

MAX_PIXELS: Final = 8192 * 4320
"""Width times height of a frame: 8K. A decoded frame of this size takes 106 MB as BGR."""

MAX_ANALYZED_PIXELS: Final = 3840 * 2160
"""Width times height at which a frame is analyzed: about 150 MB for each frame in progress, one frame per vCPU."""

MAX_FRAMES: Final = 1_000_000
"""Pictures in a video: 4.6 hours at 60 a second."""

MAX_JOB_FRAMES: Final = 6_000_000
"""Pictures in a video that is analyzed in segments: 27 hours at 60 a second. To plan them takes 1.2 GB of the
decoder's 1.5 GB."""

MAX_FRAME_RATE: Final = 1_000
"""Frames a second; a file that claims more is not believed."""

MAX_UNREADABLE_START: Final = 300
"""Pictures that may fail before the first one that can be decoded."""

LOOK_WITHOUT_KEYFRAME: Final = 32
"""Pictures that are decoded to see which ones are shown, if a file begins without a keyframe."""

MAX_VIDEO_TRACKS: Final = 8
"""Video tracks in an MP4. Opening a file decodes the beginning of each; a camera with several lenses writes four."""

MAX_BOXES: Final = 1_000_000
"""Boxes in an MP4, elements in a Matroska, chunks in an AVI: a fragment a second for 55 hours. Reading the sizes of so
many takes three seconds."""

MAX_HEADER_BYTES: Final = 128 * 1024 * 1024
"""Of an MP4's header, to be kept in memory while it is read: that of two days."""

MAX_SAMPLED_FRAMES: Final = 100_000
"""Frames analyzed of one video. Later frames are left out and the Result says ``truncated``."""

MAX_CONTENT_TYPE_CHARACTERS: Final = 200
"""An upload's content type with its parameters, as a browser reports it."""

MAX_FILE_NAME_CHARACTERS: Final = 255
"""Of a file's own name, which the job, the Result and the completion event repeat."""

MAX_OPTIONS_BYTES: Final = 1_000
"""Options that travel with an object: S3 allows 2 KB of metadata."""

# -- The process that decodes -----------------------------------------------------------------------------------------
MEMORY_MB: Final = 3_008
"""Memory of a function in the template, by default."""

DECODER_MEMORY_BYTES: Final = MEMORY_MB * 1024 * 1024 // 2
"""The other half is for the frames in analysis, 150 MB each, and for the models."""

DECODER_OPEN_FILES: Final = 16
"""It opens three pipes and the video."""

DECODER_PIPE_BYTES: Final = 1024 * 1024
"""Size of the pipe for its answers: it holds one picture of the default size. Linux allows this size to every user."""

RANGE_BYTES: Final = 8 * 1024 * 1024
"""What is fetched of an object at a time at most. S3 advises ranges of 8 to 16 MB."""

FIRST_RANGE_BYTES: Final = 64 * 1024
"""What is fetched after a jump. Each range that follows without another jump is twice as large."""

INDEX_RANGE_BYTES: Final = 512 * 1024
"""The largest range while an index is read, which may end anywhere in a range."""

MAX_SLICE_BYTES: Final = 64 * 1024 * 1024
"""Of the packed list of a segment's packets: of an hour some 100 kB."""

MAX_SEGMENTS: Final = 10_000
"""Segments of a video: a list of them is some megabytes."""

MAX_SLICES_BYTES: Final = 256 * 1024 * 1024
"""Of the lists of all segments' packets together. They are in memory while a video is planned."""

DECODER_BEAT_SECONDS: Final = 1
"""How often a working decoder reports progress, even when it has no picture to send."""

DECODER_SILENT_SECONDS: Final = 15
"""A decoder that is silent for this long has stopped: half of a POST's time, and many times what a picture takes."""

DECODER_CPU_SECONDS: Final = 900
"""Processor time for each decoder thread: as long as a function can run. The end for a decoder without a parent."""

# -- Jobs ------------------------------------------------------------------------------------------------------------
UPLOAD_SECONDS: Final = 900
"""How long an upload may begin after it was asked for."""

UPLOAD_IN_PARTS_SECONDS: Final = 24 * 60 * 60
"""How long an upload in parts may take. The bucket deletes the parts of one that takes longer."""

MULTIPART_BYTES: Final = 100_000_000
"""A larger file is uploaded in parts, if its size is given."""

PART_BYTES: Final = 16 * 1024 * 1024
"""Of an upload in parts: each part but the last one has so many bytes, or more in a very large file."""

MAX_PARTS: Final = 10_000
"""S3's limit."""

MAX_PART_URLS: Final = 100
"""Addresses of parts in one answer: some 150 kB."""

PART_URL_SECONDS: Final = 3600
"""How long a part's address can be used."""

RESULT_URL_SECONDS: Final = 300
"""How long the address of a large result can be fetched."""

MAX_INLINE_RESULT_BYTES: Final = 3_000_000
"""A larger result is returned as an address: as a string in a proxy response each of its bytes can become two."""

MIN_POLL_SECONDS: Final = 2
MAX_POLL_SECONDS: Final = 30
"""``Retry-After`` of a job that has not ended: a tenth of its age, within these limits. In segments: the upper one."""

JOB_KEPT_AFTER_EXPIRY_DAYS: Final = 30
"""How long a job that is over still answers 410 and not 404."""

DELIVERY_DAYS: Final = 14
"""How long a handled event is remembered: the longest that SQS keeps a message. A parked message can come back later;
then the job's record says what was done."""

DELETED_JOB_DAYS: Final = 32
"""How long a deleted job is remembered, without its content: four days that its message can wait in the queue, and
fourteen each as a dead letter and parked."""

MAX_RECEIVES: Final = 4
"""Deliveries of a message: the first one and three more."""

MAX_LOST_RUNS: Final = 3
"""Workers that may be lost with one video, such as by a time-out that nobody saw coming. No fourth one tries it."""

RETRY_SECONDS: Final = 30
"""Wait before the first retry of a temporary failure. Each further retry doubles it."""

LEASE_SECONDS: Final = 150
"""How long a job stays RUNNING without a word from its worker. One renewal may fail: two fit in."""

LEASE_RENEW_SECONDS: Final = 60
"""Between two renewals of a lease."""

# -- Options ---------------------------------------------------------------------------------------------------------
DEFAULT_FRAME_INTERVAL: Final = 30
MAX_FRAME_INTERVAL: Final = 1_000_000
MAX_VIDEO_MS: Final = 1_000_000_000
"""Milliseconds in ``start_ms``, ``end_ms`` and ``interval_ms``: eleven days."""

DEFAULT_LONG_SIDES: Final = (640, 960)
"""Pixels: without ``scale_factor`` a frame's longer side is shrunk to at most the first. Where no face is found there,
or only small ones, it is shrunk to at most the second. 960 is the Flask app's default on 1080p.
"""

MIN_SCALED_SIDE: Final = 2
"""Pixels: a scaled frame's side is never less, however small ``scale_factor`` is."""

# -- Segments of a long video ----------------------------------------------------------------------------------------
DECODE_PIXEL_SECONDS: Final = 1.5e-9
"""Processor time to decode a picture, for each of its pixels: H.264 at 1080p, 3 ms."""

CONVERT_PIXEL_SECONDS: Final = 2e-9
"""The same to convert and shrink a sampled one."""

ANALYZE_PIXEL_SECONDS: Final = 0.4e-6
"""The same to find and score its faces, for each pixel that is analyzed: the Haar cascade at 640 x 360, 92 ms."""

SEGMENT_SECONDS: Final = 300.0
"""Processor time of a segment in a function with ``MEMORY_MB``: long beside a cold start of 5 s, short beside the 900 s
of an invocation, even where no picture has a face and each takes 3.3 times as long."""

SEGMENT_MOST_SECONDS: Final = 1200.0
"""Processor time of a segment at most, in a function with ``MEMORY_MB``: 900 s on 1.7 vCPUs, with a fifth to spare for
slow machines."""

LONG_SECONDS: Final = 600
"""A video whose analysis should take more processor time is analyzed in segments, by default."""

PLANNED_BYTES: Final = 20_000_000
"""A smaller file is never planned, since nearly all of them end in time. One that does not is FAILED, `too_long`."""

POOL_SECONDS: Final = 60.0
"""Processor time of an analysis that is worth several processes on a computer. Their start takes 5 s."""

MAX_OBJECT_BYTES: Final = 50_000_000_000_000
"""A video that is analyzed in segments: the largest object of S3, 50 TB. Tested up to 160 GB."""

EXECUTION_SECONDS: Final = 24 * 60 * 60
"""How long an execution of the state machine may take."""

# -- Time ------------------------------------------------------------------------------------------------------------
FINISH_SECONDS: Final = 1.0
"""Between the last frame and the answer, without its text. Measured on two busy vCPUs (``benchmarks.finish``): frames
in progress end 0.8 s after the deadline at the latest, and most of them before it."""

FINISH_SHARE: Final = 0.03
"""Part of the time that is for the text besides. A timeline grows with the time of its analysis: 1,000 frames of 20
faces take 0.8 s, and 60,000 frames of 3 faces 14 s. That is more than 28 and 900 seconds can analyze."""

# -- Analysis --------------------------------------------------------------------------------------------------------
CENTRE_TOLERANCE: Final = 0.2
"""Eye contact: how far the face's center may be from the frame's, as a part of its width and of its height (seed)."""

PROBABILITY_UNITS: Final = 1_000_000
"""Probabilities leave the model as integers of 1e-6, so that sums are exact."""

FACE_BATCH: Final = 8
"""Faces per inference: larger batches are no faster, and each face waits as 0.6 MB (224 x 224 x 3 float32)."""

MAX_FACES_PER_FRAME: Final = 200
"""Faces scored in a frame, the largest ones. The Result counts the others in ``faces_left_out``."""

MAX_PEOPLE: Final = 1_000
"""People listed in a Result, 300 bytes each. The Result counts the others in ``people_left_out``."""
