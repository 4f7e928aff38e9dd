"""The files of the page: a fixed table, so that no path of a request ever reaches a file system."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

HTML, SCRIPT, STYLE, ICON = (
    "text/html; charset=utf-8",
    "text/javascript; charset=utf-8",
    "text/css; charset=utf-8",
    "image/svg+xml",
)
MODULES = (
    "dom.js",
    "format.js",
    "columns.js",
    "wiretables.js",
    "source.js",
    "store.js",
    "rows.js",
    "json.js",
    "lanes.js",
    "filter.js",
    "tally.js",
    "widths.js",
    "connections.js",
    "legs.js",
    "compare.js",
    "answer.js",
    "reader.js",
    "ruler.js",
    "overlays.js",
    "marks.js",
    "path.js",
    "ends.js",
    "trips.js",
    "pointer.js",
    "held.js",
    "timeline.js",
    "gaps.js",
    "elements.js",
    "streams.js",
    "windows.js",
    "response.js",
    "panels.js",
    "hexdump.js",
    "opened.js",
    "bytes.js",
    "curl.js",
    "take.js",
    "seek.js",
    "find.js",
    "keys.js",
    "theme.js",
    "main.js",
)
"""Our own scripts, each after those that it imports."""
ENTRY = "index.html"
FLEET_ENTRY = "fleet.html"
"""The page of a data set, which has a script and a style of its own."""
STYLES = (
    "base.css",
    "answer.css",
    "lists.css",
    "timeline.css",
    "panels.css",
    "bytes.css",
    "help.css",
    "narrow.css",
    "carried.css",
)
"""Our own style sheets, in the order in which a later one outweighs an earlier one."""
ICON_FILE = "icon.svg"
LIBRARY = "vendor/uplot/uPlot.iife.min.js"
LIBRARY_STYLE = "vendor/uplot/uPlot.min.css"
TYPES = {
    ENTRY: HTML,
    ICON_FILE: ICON,
    **dict.fromkeys(STYLES, STYLE),
    LIBRARY: SCRIPT,
    LIBRARY_STYLE: STYLE,
    **dict.fromkeys(MODULES, SCRIPT),
    FLEET_ENTRY: HTML,
    "fleet.js": SCRIPT,
    "fleet.css": STYLE,
}
"""Every file that is served, and its type."""


@cache
def page_file(name: str) -> bytes:
    """Return a file of the page. ``name`` must be one of TYPES; raises KeyError for any other."""
    if name not in TYPES:
        raise KeyError(name)
    return files(__package__).joinpath("page", *name.split("/")).read_bytes()
