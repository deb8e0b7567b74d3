"""A reliability diagram as SVG: how often answers are right, by how sure the model says it is."""

from collections.abc import Sequence
from typing import Final

_SIDE: Final = 240
_LEFT: Final = 46
_TOP: Final = 28
_FACES: Final = _TOP + _SIDE + 104
"""Where the bars of faces by confidence stand, below the diagram."""

_MOST: Final = 60
"""Height of the highest of these bars."""

_STYLE: Final = (
    "text{font:11px sans-serif;fill:#24292f}.bar{fill:#4477aa}.gap{fill:#ee6677;fill-opacity:.45}"
    ".line{stroke:#57606a;fill:none}.back{fill:#fff}"
)


def reliability(title: str, rows: Sequence[tuple[int, float, float]]) -> str:
    """Return the picture.

    Parameters
    ----------
    title : str
    rows : sequence of (int, float, float)
        For each bin of the largest probability: faces, mean probability, part that is right. See
        `layers.models.train.measures.reliability`.
    """
    width = _SIDE / len(rows)
    most = max(count for count, _, _ in rows)
    parts = []
    for place, (count, sure, right) in enumerate(rows):
        x = _LEFT + place * width
        low, high = sorted((sure, right))
        parts += [
            _rectangle("bar", x, width, _y(right), _SIDE * right),
            _rectangle("gap", x, width, _y(high), _SIDE * (high - low)),
            _rectangle("bar", x, width, _FACES - _MOST * count / most, _MOST * count / most),
        ]
    ticks = "".join(
        f'<text x="{_LEFT - 6}" y="{_y(part) + 4:.0f}" text-anchor="end">{part:.1f}</text>'
        f'<text x="{_LEFT + part * _SIDE:.0f}" y="{_TOP + _SIDE + 14}" text-anchor="middle">{part:.1f}</text>'
        for part in (0, 0.5, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _SIDE + 20} {_TOP + _SIDE + 124}" role="img">'
        f"<title>{title}: accuracy by confidence</title><style>{_STYLE}</style>"
        f'<rect class="back" width="100%" height="100%"/><text x="{_LEFT}" y="18">{title}</text>'
        f"{''.join(parts)}{ticks}"
        f'<path class="line" d="M{_LEFT} {_TOP}v{_SIDE}h{_SIDE}"/>'
        f'<path class="line" stroke-dasharray="4 3" d="M{_LEFT} {_TOP + _SIDE}L{_LEFT + _SIDE} {_TOP}"/>'
        f'<text x="{_LEFT + _SIDE / 2:.0f}" y="{_TOP + _SIDE + 30}" text-anchor="middle">confidence</text>'
        f'<text x="12" y="{_TOP + _SIDE / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 12 {_TOP + _SIDE / 2:.0f})">part that is right</text>'
        f'<text x="{_LEFT}" y="{_TOP + _SIDE + 118}">faces: {sum(count for count, _, _ in rows):,}</text></svg>\n'
    )


def _y(part: float) -> float:
    return _TOP + _SIDE * (1 - part)


def _rectangle(kind: str, x: float, width: float, top: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x + 0.5:.1f}" y="{top:.1f}" width="{width - 1:.1f}" height="{height:.1f}"/>'
