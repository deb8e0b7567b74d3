"""Every number that is promised to somebody. Code, tests and documents take them from here."""

from typing import Final

# -- What AWS allows (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) ------------------------------
LAMBDA_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""A synchronous invocation's event, and its response, in bytes."""

RESPONSE_ENVELOPE_BYTES: Final = 16 * 1024
"""Of a response, for what is not its body: status and headers."""

# -- What a caller may send ------------------------------------------------------------------------------------------
MAX_POST_VIDEO_BYTES: Final = 4_500_000
"""Decoded video bytes of a POST. As base64 6,000,000 characters: what remains of the payload is for headers."""

MAX_UPLOAD_VIDEO_BYTES: Final = 5_000_000_000
"""A video object in the uploads bucket; a presigned POST cannot carry more than 5 GB."""

MAX_PIXELS: Final = 8192 * 4320
"""Width times height of a frame: 8K. A decoded frame of this size takes 106 MB as BGR."""

MAX_ANALYZED_PIXELS: Final = 3840 * 2160
"""Width times height at which a frame is analysed: 150 MB each while as many are looked at as there are vCPUs."""

MAX_FRAMES: Final = 1_000_000
"""Pictures in a video: 4.6 hours at 60 a second."""

MAX_UNREADABLE_START: Final = 300
"""Pictures that may fail before the first one that can be decoded."""

MAX_SAMPLED_FRAMES: Final = 100_000
"""Frames analysed of one video; what lies after them is left out and the Result says ``truncated``."""

MAX_OPTIONS_BYTES: Final = 1_000
"""Options that travel with an object: S3 takes 2 KB of metadata."""

# -- Jobs ------------------------------------------------------------------------------------------------------------
UPLOAD_SECONDS: Final = 900
"""How long an upload may begin after it was asked for."""

RESULT_URL_SECONDS: Final = 300
"""How long the address of a large result can be fetched."""

MAX_INLINE_RESULT_BYTES: Final = 3_000_000
"""A larger result is handed out as an address: as a string in a proxy response each of its bytes can become two."""

JOB_KEPT_AFTER_EXPIRY_DAYS: Final = 30
"""How long a job that is over still answers 410 and not 404."""

DELIVERY_DAYS: Final = 14
"""How long a handled event is remembered: the longest that SQS keeps a message. A parked message can come back later;
then the job's record says what was done."""

MAX_RECEIVES: Final = 4
"""Deliveries of a message: the first one and three more."""

RETRY_SECONDS: Final = 30
"""Wait before the first repetition of what failed for the time being; doubled at each one."""

LEASE_SECONDS: Final = 150
"""How long a job stays RUNNING without a word from its worker. One renewal may fail: two fit in."""

LEASE_RENEW_SECONDS: Final = 60
"""Between two renewals of a lease."""

# -- Options ---------------------------------------------------------------------------------------------------------
DEFAULT_FRAME_INTERVAL: Final = 30
MAX_FRAME_INTERVAL: Final = 1_000_000
MAX_VIDEO_MS: Final = 1_000_000_000
"""Milliseconds in ``start_ms``, ``end_ms`` and ``interval_ms``: eleven days."""

DEFAULT_LONG_SIDE: Final = 640
"""Pixels: without ``scale_factor`` a frame's longer side is shrunk to at most this."""

MIN_SCALED_SIDE: Final = 2
"""Pixels: a scaled frame's side is never less, however small ``scale_factor`` is."""

# -- Analysis --------------------------------------------------------------------------------------------------------
CENTRE_TOLERANCE: Final = 0.2
"""Eye contact: how far the face's centre may lie from the frame's, as a part of its width and of its height (seed)."""

PROBABILITY_UNITS: Final = 1_000_000
"""Probabilities leave the model as integers of 1e-6, so that sums are exact."""

FACE_BATCH: Final = 8
"""Faces per inference: larger batches are no faster, and each face waits as 0.6 MB (224 x 224 x 3 float32)."""

MAX_FACES_PER_FRAME: Final = 200
"""Faces scored in a frame, the largest ones. The Result counts the others in ``faces_left_out``."""
