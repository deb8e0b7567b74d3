"""docs/performance.svg: the seconds on docs/performance.md as bars. Pure, but for `main`."""

import re
from typing import Final

from benchmarks.page import PAGE

NAMES: Final = {
    "seed": "Flask app",
    "exact at 0.5": "at its scale, 0.5",
    "exact": "by default",
    "keyframes": "keyframes only",
    "floor": "decoding alone",
}
CLIPS: Final = {"A": "1080p, 60 s", "B": "1080p from a phone, 60 s", "C": "360p, 20 s"}
COLOURS: Final = {"seed": "#9a9a9a", "floor": "#c9c9c9"}
OURS: Final = "#2f6fb0"
WIDTH: Final = 720
LEFT, RIGHT, ROW, GAP = 150, 70, 22, 34


def seconds_on(page: str) -> dict[str, dict[str, float]]:
    """Return each clip's subjects and their median seconds, as they stand on the page."""
    found = re.findall(r"^\| (\w+) \| ([\w. ]+) \| ([\d.]+) \| [\d.]+ \| [\d.]+ \| \d+ \|$", page, re.MULTILINE)
    return {clip: {subject: float(median) for of, subject, median in found if of == clip} for clip in CLIPS}


def chart(seconds: dict[str, dict[str, float]]) -> str:
    """Return the picture as SVG. Each clip has a scale of its own: its longest bar fills the width."""
    parts, y = [], 0
    for clip, by_subject in seconds.items():
        y += GAP
        parts.append(f'<text x="{LEFT}" y="{y - 10}" font-weight="bold">Clip {clip}: {CLIPS[clip]}</text>')
        longest = max(by_subject.values())
        for subject in (name for name in NAMES if name in by_subject):
            value = by_subject[subject]
            length = max(2, round((WIDTH - LEFT - RIGHT) * value / longest))
            colour = COLOURS.get(subject, OURS)
            parts += [
                f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{NAMES[subject]}</text>',
                f'<rect x="{LEFT}" y="{y + 2}" width="{length}" height="{ROW - 4}" fill="{colour}"/>',
                f'<text x="{LEFT + length + 6}" y="{y + 15}">{value:.2f} s</text>',
            ]
            y += ROW
    height = y + 12
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13" role="img">\n<title>Seconds for a video, by clip</title>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def main() -> None:
    """Draw what stands on the page."""
    PAGE.with_suffix(".svg").write_text(chart(seconds_on(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
