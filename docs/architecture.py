"""Draw the picture of docs/architecture.md, and write its tables: ``python docs/architecture.py``.

Strategy: nothing is told here that the source does not say. A package's wings are its folders; a
module beside them stands for itself. A wing's floor is one above the highest that it imports,
imports within functions included, so that every arrow points down; if that cannot be, there is a
circle, and ValueError names it. Captions are the first sentences of docstrings. Arrows that follow
from others are left out, and those to the modules that a package shares, as nearly all use them.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_suffix(".md")
PICTURE = Path(__file__).with_suffix(".svg")
TABLES = "## Every wing\n"
"""What stands below this heading is written here; what stands above it, by hand."""
PACKAGES = ("wireproof", "capture", "server", "parsers")

Graph = dict[str, set[str]]


@cache
def modules() -> dict[str, Path]:
    """Return the file of each module of ours, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(name: str) -> set[str]:
    """Return the modules of ours that a module imports when it runs, wherever it does so."""
    path = modules()[name]
    tree = ast.parse(path.read_text())
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in _running(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            full = {f"{source}.{alias.name}" for alias in node.names}
            found |= {dotted if dotted in modules() else source for dotted in full}
    return found & modules().keys() - {name}


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from _running(node)


def wing_of(module: str) -> str:
    """Return ``parsers.http1`` for what lies in that folder; a module beside folders is its own."""
    return ".".join(module.split(".")[:2])


@cache
def wings() -> Graph:
    """Return what each wing imports of the others; a package's ``__init__`` is its face."""
    found: Graph = {wing_of(module): set() for module in modules()}
    for module in modules():
        found[wing_of(module)] |= {wing_of(other) for other in imports_of(module)}
    return {wing: others - {wing} for wing, others in found.items()}


def floors(graph: Graph) -> dict[str, int]:
    """Return the floor of each wing, from 0; raise ValueError if they import in a circle."""
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(f"a circle: {' imports '.join(reversed(error.args[1]))}") from error
    found: dict[str, int] = {}
    for wing in order:
        found[wing] = 1 + max((found[other] for other in graph[wing]), default=-1)
    return found


@cache
def first_sentence(module: str) -> str:
    """Return what a module says first of itself."""
    said = ast.get_docstring(ast.parse(modules()[module].read_text())) or ""
    return " ".join(said.split("\n\n")[0].split()).replace("``", "`").rstrip(".")


# --- the tables ---


def tables() -> str:
    """Return a table for each wing: its files, and what each says that it is."""
    found = TABLES
    for package in reversed(PACKAGES):
        found += f"\n### `{package}/`: {first_sentence(package)}\n"
        beside = [name for name in modules() if name.count(".") == 1 and not _is_folder(name)]
        found += _table(package, [name for name in beside if name.startswith(f"{package}.")])
        for wing in filter(_is_folder, modules()):
            if wing.startswith(f"{package}."):
                inside = [name for name in modules() if folder_of(name) == wing and name != wing]
                found += f"\n#### `{wing.replace('.', '/')}/`: {first_sentence(wing)}\n"
                found += _table(wing, inside)
    return found


def folder_of(module: str) -> str:
    """Return the folder in which a module lies, of a folder itself: wings may have rooms."""
    return module if _is_folder(module) else module.rpartition(".")[0]


def _is_folder(module: str) -> bool:
    return modules()[module].name == "__init__.py"


def _table(wing: str, names: list[str]) -> str:
    found = "\n| file | what it is |\n|---|---|\n"
    for name in names:
        file = modules()[name].relative_to(ROOT / wing.replace(".", "/")).as_posix()
        found += f"| `{file}` | {first_sentence(name).replace('|', chr(92) + '|')} |\n"
    return found


def page() -> str:
    """Return the page with its tables written anew."""
    return PAGE.read_text().partition(TABLES)[0] + tables()


# --- the picture ---

WIDTH = 1240
MARGIN = 20
STRIP = 150
"""For the words beside the house that say what flows."""
GAP = 14
RISE = 34
"""Between floors, for the arrows."""
LINE = 15
LONGEST_ROW = 5
READ_FIRST = ("files", "net", "http1", "sse", "websocket")
"""The wings of a floor that stand to the left, in the order in which data flows through them."""
COLOURS = {"wireproof": "#2563a8", "capture": "#8a5a14", "server": "#6d3a8c", "parsers": "#1d7348"}
FLOW = {
    "parsers": (
        "bytes of a file", "packets", "connections", "byte streams", "messages", "events", "records"
    ),
    "wireproof": ("exchanges", "verdicts", "views"),
}  # fmt: skip
STYLE = """
text { font-family: system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif; }
.title { font-size: 14px; font-weight: 600; fill: #16202b; }
.caption { font-size: 11.5px; fill: #44505c; }
.house { font-size: 19px; font-weight: 700; }
.says { font-size: 13px; fill: #44505c; }
.flow { font-size: 13px; fill: #16202b; text-anchor: middle; }
"""


@dataclass
class Box:
    """A wing on the picture, or several modules that a package shares."""

    wing: str
    title: str
    caption: str
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    lines: list[str] = field(default_factory=list)

    def place(self, x: float, y: float, width: float) -> None:
        self.x, self.y, self.width = x, y, width
        self.lines = textwrap.wrap(self.caption, int((width - 16) / 6.3))
        self.height = 30 + LINE * len(self.lines)

    def svg(self, colour: str) -> str:
        found = (
            f'<rect x="{self.x:.0f}" y="{self.y:.0f}" width="{self.width:.0f}"'
            f' height="{self.height:.0f}" rx="6" fill="#fff" stroke="{colour}"/>\n'
            + _text(self.x + 10, self.y + 19, "title", self.title)
        )
        for number, line in enumerate(self.lines):
            found += _text(self.x + 10, self.y + 37 + LINE * number, "caption", line)
        return found


@dataclass
class House:
    """A package: the boxes of its floors, the uppermost first."""

    package: str
    rows: list[list[Box]]
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0

    def place(self, x: float, y: float, width: float) -> None:
        self.x, self.y, self.width = x, y, width
        at = y + 60
        for row in self.rows:
            each = (width - 2 * GAP - GAP * (len(row) - 1)) / len(row)
            each = min(each, 330.0) if row is not self.rows[-1] else each
            left = x + (width - each * len(row) - GAP * (len(row) - 1)) / 2
            for number, box in enumerate(row):
                box.place(left + number * (each + GAP), at, each)
            tallest = max(box.height for box in row)
            for box in row:
                box.height = tallest
            at += tallest + RISE
        self.height = at - RISE + GAP - y

    @property
    def boxes(self) -> dict[str, Box]:
        return {box.wing: box for row in self.rows for box in row}

    def svg(self) -> str:
        colour = COLOURS[self.package]
        found = (
            f'<rect x="{self.x:.0f}" y="{self.y:.0f}" width="{self.width:.0f}"'
            f' height="{self.height:.0f}" rx="10" fill="{colour}" fill-opacity="0.07"'
            f' stroke="{colour}" stroke-width="2"/>\n'
        )
        found += _text(self.x + 16, self.y + 27, "house", f"{self.package}/", fill=colour)
        caption = first_sentence(self.package).removeprefix("wireproof: ")
        for number, line in enumerate(textwrap.wrap(caption, int(self.width / 6.8))):
            found += _text(self.x + 16, self.y + 46 + LINE * number, "says", line)
        for start, end in self.arrows():
            found += _arrow(self.boxes[start], self.boxes[end], colour)
        return found + "".join(box.svg(colour) for box in self.boxes.values())

    def arrows(self) -> list[tuple[str, str]]:
        """Return who imports whom, without what follows from other arrows."""
        drawn = {wing: wings()[wing] & self.boxes.keys() for wing in self.boxes if wing in wings()}
        return [
            (wing, other)
            for wing, others in drawn.items()
            for other in sorted(others)
            if not any(other in _below(drawn, between) for between in others - {other})
        ]


def _below(graph: Graph, wing: str) -> set[str]:
    """Return all that a wing imports, however indirectly."""
    found = set(graph[wing])
    for other in graph[wing]:
        found |= _below(graph, other)
    return found


def house(package: str) -> House:
    """Return a package with a box on the right floor for each wing."""
    own = [wing for wing in wings() if wing.startswith(f"{package}.") and not _is_door(wing)]
    folders = {wing for wing in own if _is_folder(wing)}
    graph = {wing: wings()[wing] & set(own) for wing in own}
    floors(graph)  # which raises ValueError for a circle
    shared = {wing for wing in own if wing not in folders and not _below(graph, wing) & folders}
    above = {wing: others - shared for wing, others in graph.items() if wing not in shared}
    level = floors(above)
    rows = [
        [_box(wing) for wing in some]
        for floor in sorted(set(level.values()), reverse=True)
        for some in _rows([wing for wing in above if level[wing] == floor])
    ]
    return House(package, [*rows, [_shared(package, sorted(shared))]] if shared else rows)


def _rows(wings: list[str]) -> Iterator[list[str]]:
    """Yield the wings of a floor in rows that are not too long for their captions."""
    first = [f"parsers.{name}" for name in READ_FIRST]
    wings = sorted(wings, key=lambda wing: first.index(wing) if wing in first else len(first))
    count = -(-len(wings) // LONGEST_ROW)
    size = -(-len(wings) // max(count, 1))
    for start in range(0, len(wings), size or 1):
        yield wings[start : start + size]


def _is_door(wing: str) -> bool:
    """Return whether a module only lets people in: ``python -m``."""
    return wing.endswith(".__main__")


def _box(wing: str) -> Box:
    said = re.sub(r" ?\([^)]*\)", "", first_sentence(wing).replace("`", ""))
    return Box(wing, _title(wing), said)


def _shared(package: str, wings: list[str]) -> Box:
    """Return one box for the modules beside the folders, on which all of these may stand."""
    return Box(f"{package}.*", f"{package}/*.py", ",  ".join(map(_title, wings)))


def _title(wing: str) -> str:
    return wing.partition(".")[2] + ("/" if _is_folder(wing) else ".py")


def picture() -> str:
    """Return the picture as SVG."""
    left, width = MARGIN + STRIP, WIDTH - 2 * MARGIN - STRIP
    houses = {package: house(package) for package in PACKAGES}
    y = 64.0
    houses["wireproof"].place(left, y, width)
    y += houses["wireproof"].height + RISE
    third = (width - RISE) * 0.62
    houses["capture"].place(left, y, third)
    houses["server"].place(left + third + RISE, y, width - third - RISE)
    middle = max(houses["capture"].height, houses["server"].height)
    houses["capture"].height = houses["server"].height = middle
    y += middle + RISE
    houses["parsers"].place(left, y, width)
    bottom = y + houses["parsers"].height
    drawn = "".join(found.svg() for found in houses.values())
    drawn += _between(houses) + _flow(houses)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + MARGIN:.0f}"'
        f' viewBox="0 0 {WIDTH} {bottom + MARGIN:.0f}">\n<title>How wireproof is built</title>\n'
        f'<style>{STYLE}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n'
        + _text(left, 30, "house", "How wireproof is built", fill="#16202b")
        + _text(
            left,
            50,
            "says",
            "Data flows up; arrows are imports, and point down. Nothing imports what is above it.",
        )
        + f"{drawn}</svg>\n"
    )


def _between(houses: dict[str, House]) -> str:
    """Return thick arrows between packages, where one imports the other."""
    found = ""
    for upper in PACKAGES:
        used = {
            other.split(".")[0] for wing, others in wings().items()
            if wing.split(".")[0] == upper for other in others
        } - {upper}  # fmt: skip
        for lower in sorted(used):
            above, below = houses[upper], houses[lower]
            if upper == "wireproof" and lower == "parsers":
                x = houses["capture"].x + houses["capture"].width + RISE / 2
            else:
                narrow = above if above.width < below.width else below
                x = narrow.x + narrow.width / 2
            y = above.y + above.height
            found += (
                f'<path d="M{x:.0f} {y:.0f} V{below.y - 9:.0f}" stroke="{COLOURS[upper]}"'
                f' stroke-width="4" fill="none"/>\n<path d="M{x - 8:.0f} {below.y - 11:.0f} h16'
                f' l-8 11 z" fill="{COLOURS[upper]}"/>\n'
            )
    return found


def _flow(houses: dict[str, House]) -> str:
    """Return what flows, from the bottom up, beside the packages in which it does."""
    x = MARGIN + STRIP / 2 - 8
    bottom = houses["parsers"].y + houses["parsers"].height
    found = (
        f'<path d="M{x} {bottom:.0f} V78" stroke="#c9d2da" stroke-width="10" fill="none"/>\n'
        f'<path d="M{x - 16} 82 h32 l-16 -22 z" fill="#c9d2da"/>\n'
    )
    for package, words in FLOW.items():
        place = houses[package]
        step = place.height / (len(words) + 1)
        for number, word in enumerate(words, 1):
            y = place.y + place.height - step * number
            found += f'<rect x="{x - 56}" y="{y - 15:.0f}" width="112" height="22" rx="11"'
            found += ' fill="#eef2f5"/>\n'
            found += _text(x, y, "flow", word)
    return found


def _arrow(start: Box, end: Box, colour: str) -> str:
    x, y = start.x + start.width / 2, start.y + start.height
    to = end.x + end.width / 2
    bend = RISE if end.y - y > RISE + 1 else RISE / 2
    return (
        f'<path d="M{x:.0f} {y:.0f} C{x:.0f} {y + bend:.0f} {to:.0f} {end.y - bend:.0f}'
        f' {to:.0f} {end.y - 5:.0f}" stroke="{colour}" stroke-opacity="0.55" stroke-width="1.4"'
        f' fill="none"/>\n<path d="M{to - 4:.0f} {end.y - 7:.0f} h8 l-4 7 z" fill="{colour}"/>\n'
    )


def _text(x: float, y: float, kind: str, text: str, *, fill: str | None = None) -> str:
    paint = f' fill="{fill}"' if fill else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}"{paint}>{escape(text)}</text>\n'


if __name__ == "__main__":
    PICTURE.write_text(picture())
    PAGE.write_text(page())
