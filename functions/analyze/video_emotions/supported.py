"""What FFmpeg may open and decode."""

CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mjpeg", "mpeg4", "h263", "msmpeg4v2", "msmpeg4v3", "prores")
"""Codecs whose decoding is tested; FFmpeg's hundreds of others are attack surface."""
DECODER_NAMES = {"libdav1d": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9", "msmpeg4": "msmpeg4v3"}
"""FFmpeg's decoders that are named after a library, and the codec that people know."""
OPEN_OPTIONS = {
    "format_whitelist": "mov,matroska,webm,avi,mpegts,flv",
    "protocol_whitelist": "file",
    "codec_whitelist": ",".join((*CODECS, *DECODER_NAMES)),  # opening a file decodes the beginning of its tracks
}
