"""What the sender of a file can do: the last sentences of errors about files."""

from typing import Final

CONVERT: Final = "Convert it to MP4 (H.264), then send the new file."
EXPORT: Final = "Export the video again, then send the new file."
