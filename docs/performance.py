"""Draw docs/performance.svg anew from docs/performance.md's table: ``python docs/performance.py``.

A bar for each workload: its processor time after, as a share of that before.
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).with_suffix(".md")
PICTURE = Path(__file__).with_suffix(".svg")
ROW = re.compile(r"(?m)^\| ?(\w*) \| [^|]+ \| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \|")
WIDTH, HEIGHT, LEFT = 300, 22, 70
"""Of a bar at 1.0, of a row, and of the names; in pixels."""


def rows() -> list[tuple[str, float]]:
    """Return the name of each workload, and its time after beside that before."""
    return [(found[1] or "start", float(found[4])) for found in ROW.finditer(PAGE.read_text())]


def picture() -> str:
    """Return the chart."""
    found = rows()
    height = HEIGHT * len(found) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="460" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="460" height="{height}" fill="#fff"/>',
    ]
    for index, (name, share) in enumerate(found):
        top = 5 + HEIGHT * index
        colour = "#2a7" if share <= 1 else "#c62"
        lines += [
            f'<text x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{name}</text>',
            f'<rect x="{LEFT}" y="{top + 3}" width="{share * WIDTH:.0f}" height="16" '
            f'fill="{colour}"/>',
            f'<text x="{LEFT + share * WIDTH + 6:.0f}" y="{top + 15}">{share:.2f}</text>',
        ]
    x = LEFT + WIDTH
    lines += [f'<line x1="{x}" y1="0" x2="{x}" y2="{height}" stroke="#333"/>', "</svg>"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture())
