"""The operating curve as an SVG: false alarms a month against what is seen the first night."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 880, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 600, 30, 370
_COLOURS = ("#1f5fa8", "#b3541e", "#2c7a4b", "#7a3b8f", "#8a6d00", "#a8324a", "#3a6b78")


def operating_curve(alarms: Sequence[float], curves: dict[str, Sequence[float]], chosen: float, title: str) -> str:
    """`alarms` (x: alert nights in 30) against each curve's rates of detection (y); a line marks what is chosen."""
    most = max(*alarms, chosen * 1.5)

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * value / most

    def y(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * value

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-weight="600">{escape(title)}</text>',
    ]
    for tick in (0, 0.25, 0.5, 0.75, 0.9, 1.0):
        colour = "#888" if tick == 0.9 else "#ddd"
        parts.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="{colour}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{100 * tick:.0f} %</text>')
    for tick in _ticks(most):
        parts.append(f'<text x="{x(tick):.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{tick:g}</text>')
    parts.append(
        f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 44}" text-anchor="middle">'
        "nights with a false alarm in 30, over all series</text>"
    )
    parts.append(
        f'<line x1="{x(chosen):.1f}" x2="{x(chosen):.1f}" y1="{_TOP}" y2="{_BOTTOM}" stroke="#444"'
        ' stroke-dasharray="4 4"/>'
    )
    parts.append(f'<text x="{x(chosen) + 6:.1f}" y="{_BOTTOM - 8}">as shipped</text>')
    for n, (name, rates) in enumerate(curves.items()):
        colour = _COLOURS[n % len(_COLOURS)]
        points = " ".join(f"{x(alarm):.1f},{y(rate):.1f}" for alarm, rate in zip(alarms, rates, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = _TOP + 20 + 22 * n
        parts.append(f'<rect x="{_RIGHT + 18}" y="{at - 9}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{_RIGHT + 36}" y="{at}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _ticks(most: float) -> list[float]:
    step = next(size for size in (0.25, 0.5, 1.0, 2.0, 5.0) if most / size <= 8 or size == 5.0)
    return [step * n for n in range(int(most / step) + 1)]
