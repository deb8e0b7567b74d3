"""The page at GET /app: one file, which ``make web`` builds from ``web/page``, and the headers that confine it."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from video_common.aws.interfaces import Signer
from video_common.errors import RouteNotFound
from video_jobs.settings import Settings

CONTENT_TYPE: Final = "text/html; charset=utf-8"

_INLINE: Final = re.compile(r"<(script|style)[^>]*>(.*?)</\1>", re.DOTALL)


def open_page(settings: Settings, signer: Signer) -> tuple[str, dict[str, str]]:
    """Return the page and the headers of its answer.

    Raises
    ------
    RouteNotFound
        The deployment has no page.
    TransientError
        The addresses of the buckets are not known.
    """
    if settings.page == "off":
        raise RouteNotFound("This deployment has no page. Its owner can turn it on with the parameter Page.")
    text = _text()
    upload = signer.upload(settings.uploads_bucket, "page", "", {})["url"]
    hosts = sorted({_origin(upload), _origin(signer.download(settings.results_bucket, "page"))})
    return text, {
        "Content-Security-Policy": _policy(text, hosts),
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


@cache
def _text() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def _policy(text: str, hosts: list[str]) -> str:
    """Allow the page's own scripts and styles, and connections to this API and the two buckets. Nothing else."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for name, content in _INLINE.findall(text):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[name].append(f"'sha256-{digest}'")
    directives = {
        "default-src": ["'none'"],
        "script-src": hashes["script"],
        "style-src": hashes["style"],
        "connect-src": ["'self'", *hosts],
        "img-src": ["data:"],
        "media-src": ["blob:"],
        **{name: ["'none'"] for name in ("base-uri", "form-action", "frame-ancestors")},
    }
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
