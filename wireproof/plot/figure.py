"""A timeline drawn with matplotlib: lanes of marks, cumulative bytes, a histogram of gaps.

Strategy: time runs to the right, in seconds or milliseconds since the request. Each lane has its
own scale: a mark is as high as its element is long, up for what the server sent, down for what the
client sent. Pauses that are far longer than usual are shaded and named, the end of the exchange is
a line that says what ended it. Drawn for 7 inches, the width of a page of a paper; of more marks
than can be told apart the largest are drawn, so that a picture of a million is no larger.

Text from the wire is escaped, and never read as mathematics.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..analysis.percentiles import percentile
from ..analysis.recorded import divided
from ..analysis.stalls import stall_limit
from ..analysis.verdict import Severity
from ..text.escape import escape
from ..text.wording import count, duration
from .timeline import Lane, Timeline
from .told import Label, Told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.0
"""Inches."""
DOTS = 200
"""An inch, in a PNG."""
LANE, BYTES, HISTOGRAM = 0.5, 0.85, 0.75
"""Heights of axes, in inches."""
TOP, GAP, MIDDLE, BOTTOM = 0.6, 0.11, 0.82, 0.42
"""Heights between them: above all, between lanes, above the histogram, below it."""
LEFT, RIGHT = 0.17, 0.985
"""Edges of the axes, in widths of the figure."""
LABEL = -0.095
"""Where the names of lanes end, in widths of the axes."""
CLIENT, SERVER, FAULT, GREY, INK = "#5a55c8", "#0a857d", "#b42318", "#8a94a0", "#17202a"
"""As on the page: docs/design.md says what each means."""
MANY = 2_000
"""Marks that can be told apart in the width of a lane: of more, the largest in each place show."""
MAX_TITLE = 80
MAX_VERDICT = 130
SEVERITY_COLOURS: dict[Severity, str] = {
    "ok": "#16704a",
    "note": "#566370",
    "warning": "#7f4b00",
    "error": FAULT,
}
LABEL_SIZE, LETTER = 5.5, 0.048
"""Of what elements say: points, and inches that a letter takes at most."""
SHORTEST_DRAWN = 1e-6
"""Seconds: a logarithmic scale has no place for none. What is said in figures stays as it is."""
AT_ONCE = 0.0005
"""Seconds within which all came at once, as in the inspector: gaps of it say nothing."""
MAX_STALLS = 4
"""Stalls that are named; the longest ones."""

STYLE: Any = {
    "font.size": 8,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "wireproof",  # the same file each time
}


def draw(timeline: Timeline, output: Any, form: str) -> None:
    """Draw a timeline to a path or a binary stream, as ``png`` or ``svg``."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # characters that the font has not
        lanes = list(timeline.lanes.items())
        heights = [LANE] * len(lanes) + [BYTES]
        page = _Page(Figure, sum(heights) + GAP * len(heights))
        scale = _Scale(timeline)
        axes = page.axes(heights)
        for axis, (name, lane) in zip(axes, lanes, strict=False):
            _draw_lane(axis, name, lane, scale)
        _draw_bytes(axes[-1], timeline, scale)
        for axis in axes:
            _draw_stalls(axis, timeline, scale)
            _draw_end(axis, timeline, scale)
        _name_stalls(axes[0], timeline, scale)
        _name_end(axes[0], timeline, scale)
        _draw_labels(axes, timeline, scale)
        axes[-1].set_xlabel(f"{scale.unit} since the request")
        _draw_gaps(page.last_axes(), timeline)
        page.title(_title(timeline), axes[-1])
        page.verdict(timeline.told)
        metadata = {"Date": None} if form == "svg" else {"Software": "wireproof"}
        page.figure.savefig(output, format=form, dpi=DOTS, metadata=metadata)


class _Page:
    """Places axes in inches from the top, so that all have the same left edge."""

    def __init__(self, figure: Any, height: float) -> None:
        self.height = TOP + height + MIDDLE + HISTOGRAM + BOTTOM
        self.figure = figure(figsize=(WIDTH, self.height))
        self._top = TOP

    def axes(self, heights: list[float]) -> list[Any]:
        """Return axes of these heights, one beneath the other, of one time."""
        found: list[Any] = []
        for height in heights:
            found.append(self._add(height, found[0] if found else None))
            self._top += height + GAP
        for axis in found[:-1]:
            axis.tick_params(axis="x", labelbottom=False, length=0)
        return found

    def last_axes(self) -> Any:
        """Return the axes at the bottom."""
        self._top += MIDDLE - GAP
        return self._add(HISTOGRAM, None)

    def title(self, text: str, legend_of: Any) -> None:
        """Write the title at the left, and at the right whose colour is which."""
        place = 1 - 0.16 / self.height
        self.figure.text(0.012, place, text, fontsize=9, va="center", parse_math=False)
        handles, labels = legend_of.get_legend_handles_labels()
        self.figure.legend(
            handles, labels, loc="center right", bbox_to_anchor=(RIGHT + 0.01, place), ncols=2,
            frameon=False, fontsize=8, handlelength=1.2, columnspacing=1.0,
        )  # fmt: skip

    def verdict(self, told: Told) -> None:
        """Write beneath the title what is said of the exchange, in the colour of its severity."""
        text = told.verdict
        if len(text) > MAX_VERDICT:
            text = text[:MAX_VERDICT] + "\u2026"
        self.figure.text(
            0.012, 1 - 0.33 / self.height, text, fontsize=7.5, va="center",
            color=SEVERITY_COLOURS[told.severity], parse_math=False,
        )  # fmt: skip

    def _add(self, height: float, beside: Any) -> Any:
        bottom = self.height - self._top - height
        place = (LEFT, bottom / self.height, RIGHT - LEFT, height / self.height)
        return self.figure.add_axes(place, sharex=beside)


class _Scale:
    """Turns times into places: seconds, or milliseconds where all is shorter than two seconds."""

    def __init__(self, timeline: Timeline) -> None:
        self.start = timeline.start
        self.length = max(timeline.end - timeline.start, 1e-6)
        is_short = self.length < 2
        self.unit = "ms" if is_short else "seconds"
        self.factor = 1000 if is_short else 1

    def __call__(self, time: float) -> float:
        return (time - self.start) * self.factor


def _title(timeline: Timeline) -> str:
    title = escape(timeline.title)
    if len(title) > MAX_TITLE:
        title = title[:MAX_TITLE] + "\u2026"
    found = timeline.top
    what = "" if found is None else f"  \u00b7  {len(found[1]):,} {found[0]}"
    return f"{title}{what} in {duration(timeline.end - timeline.start)}"


def sent_by(lane: Lane, sender: int) -> list[tuple[float, int]]:
    """Return time and size of what one side sent: 0 for the client, 1 for the server."""
    return [
        (time, size)
        for time, size, by in zip(lane.times, lane.sizes, lane.senders, strict=True)
        if by == sender
    ]


def largest_marks(marks: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return the marks that can be told apart: of those in one place the largest."""
    if len(marks) <= MANY:
        return marks
    first = min(time for time, _ in marks)
    width = (max(time for time, _ in marks) - first) / MANY or 1.0
    largest: dict[int, tuple[float, int]] = {}
    for time, size in marks:
        place = int((time - first) / width)
        if place not in largest or size > largest[place][1]:
            largest[place] = time, size
    return [largest[place] for place in sorted(largest)]


def _draw_lane(axis: Axes, name: str, lane: Lane, scale: _Scale) -> None:
    """Draw a mark for each element: as high as it is long, up from the server."""
    both = len(set(lane.senders)) > 1
    for sender, colour, sign in ((1, SERVER, 1), (0, CLIENT, -1)):
        marks = largest_marks(sent_by(lane, sender))
        if not marks:
            continue
        places = [scale(time) for time, _ in marks]
        heights = [sign * size for _, size in marks]
        dense = len(marks) > MANY // 4
        axis.vlines(places, 0, heights, colors=colour, linewidth=0.6 if dense else 1.3)
        if not dense:
            axis.plot(places, heights, "o", color=colour, markersize=1.8)
    largest = max(lane.sizes, default=1) or 1
    axis.set_ylim(-1.15 * largest if both or 1 not in lane.senders else 0,
                  1.15 * largest if 1 in lane.senders else 0)  # fmt: skip
    axis.axhline(0, color=GREY, linewidth=0.6)
    axis.set_yticks([largest if 1 in lane.senders else -largest], [_bytes(largest)], fontsize=7)
    _name(axis, f"{name}\n{len(lane):,}")
    axis.spines["bottom"].set_visible(False)
    axis.tick_params(axis="x", length=0)
    axis.margins(x=0.02)


def _draw_bytes(axis: Axes, timeline: Timeline, scale: _Scale) -> None:
    """Draw how many bytes each side had sent by when."""
    from matplotlib.ticker import MaxNLocator

    lane = timeline.lanes.get("packets") or next(iter(timeline.lanes.values()), Lane())
    for sender, colour, name in ((1, SERVER, "server"), (0, CLIENT, "client")):
        sent = sorted(sent_by(lane, sender))
        if not sent:
            continue
        times, sizes = zip(*sent, strict=True)
        marks = largest_marks(list(zip(times, accumulate(sizes), strict=True)))
        places = [0.0, *(scale(time) for time, _ in marks), scale(timeline.end)]
        total = [0, *(size for _, size in marks), marks[-1][1]]
        axis.step(places, total, where="post", color=colour, linewidth=1.2, label=name)
        axis.fill_between(places, total, step="post", color=colour, alpha=0.08, linewidth=0)
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter(lambda value, _: _bytes(int(value)))
    axis.yaxis.set_major_locator(MaxNLocator(3))
    axis.tick_params(axis="y", labelsize=7)
    _name(axis, "bytes\nsent")


def _name(axis: Axes, text: str) -> None:
    axis.text(LABEL, 0.5, text, ha="right", va="center", transform=axis.transAxes)


class Stall(NamedTuple):
    """A pause that is far longer than usual."""

    first: float
    last: float
    is_recorded: bool
    """Whether nothing came in it: else the capture lacks what came."""


def stalls(timeline: Timeline) -> list[Stall]:
    """Return the longest pauses that are far longer than usual, in order."""
    found = timeline.top
    gaps = sorted(timeline.gaps())
    if found is None or len(found[1]) < 3 or not gaps:
        return []
    limit = stall_limit(gaps)
    times, missing = sorted(found[1].times), timeline.told.holes
    # Before the first and after the last there is no pause between two, but what was not recorded.
    around = sorted([timeline.head or timeline.start, *times, timeline.end])
    both = divided(times, missing)[0], divided(around, missing)[1]
    pauses = [
        Stall(first, last, is_recorded)
        for is_recorded, pairs in zip((True, False), both, strict=True)
        for first, last in pairs
        if last - first >= limit
    ]
    return sorted(sorted(pauses, key=lambda pause: pause[0] - pause[1])[:MAX_STALLS])


def _draw_stalls(axis: Axes, timeline: Timeline, scale: _Scale) -> None:
    for first, last, is_recorded in stalls(timeline):
        colour = "#f4b942" if is_recorded else GREY
        axis.axvspan(scale(first), scale(last), color=colour, alpha=0.22, linewidth=0)


def _name_stalls(axis: Axes, timeline: Timeline, scale: _Scale) -> None:
    for first, last, is_recorded in stalls(timeline):
        what = f"no {_thing(timeline)}" if is_recorded else "not recorded"
        text, colour = f"{what} for {duration(last - first)}", "#8a5a00" if is_recorded else INK
        axis.text((scale(first) + scale(last)) / 2, 0.96, text, fontsize=7, color=colour,
                  transform=axis.get_xaxis_transform(), ha="center", va="top")  # fmt: skip


def _things(timeline: Timeline) -> str:
    found = timeline.top
    return "" if found is None else found[0].removeprefix("SSE ")


def _thing(timeline: Timeline) -> str:
    return _things(timeline).removesuffix("s")


class Placed(NamedTuple):
    """A label, and which of its ends stands at its mark."""

    label: Label
    side: Literal["left", "right"]


def spaced(labels: Sequence[Label], scale: _Scale) -> list[Placed]:
    """Return labels that do not cover one another, from the left; each begins at its mark, but
    ends there where it would leave the picture."""
    room = scale.length / ((RIGHT - LEFT) * WIDTH)  # seconds in an inch
    edge = scale.start + scale.length
    found: list[Placed] = []
    free = float("-inf")
    for label in sorted(labels):
        width = room * (LETTER * len(label.text) + 2 * LETTER)
        is_within = label.time + width <= edge
        if (label.time if is_within else label.time - width) >= free:
            found.append(Placed(label, "left" if is_within else "right"))
            free = label.time + (width if is_within else 0)
    return found


def _draw_labels(axes: list[Any], timeline: Timeline, scale: _Scale) -> None:
    """Write what elements say above their marks, in the lane that the application sees."""
    top = timeline.top
    if top is None:
        return
    axis = axes[list(timeline.lanes).index(top[0])]
    for label, side in spaced(timeline.told.labels, scale):
        axis.text(
            scale(label.time), 0.99, label.text, fontsize=LABEL_SIZE, color=INK, ha=side,
            va="top", transform=axis.get_xaxis_transform(), parse_math=False, alpha=0.8,
            clip_on=True,
        )  # fmt: skip


def _draw_end(axis: Axes, timeline: Timeline, scale: _Scale) -> None:
    colour = GREY if timeline.is_whole else FAULT
    axis.axvline(scale(timeline.end), color=colour, linewidth=1, linestyle=(0, (3, 2)))


def _name_end(axis: Axes, timeline: Timeline, scale: _Scale) -> None:
    """Say what ended the exchange, above the line that marks it."""
    codes = list(dict.fromkeys(code for _, code in timeline.errors))[:2]
    said = ", ".join(filter(None, [escape(timeline.ended), *codes]))
    axis.text(scale(timeline.end), 1.02, said, ha="right", va="bottom", fontsize=7,
              color=INK if timeline.is_whole else FAULT, transform=axis.get_xaxis_transform(),
              parse_math=False)  # fmt: skip


def _draw_gaps(axis: Axes, timeline: Timeline) -> None:
    """Draw how long it took from one element to the next, on a logarithmic scale."""
    ordered = sorted(timeline.gaps())
    gaps = [max(gap, SHORTEST_DRAWN) for gap in ordered]
    _name(axis, f"gaps of\n{_things(timeline)}")
    if len(gaps) < 2:
        axis.text(0.5, 0.5, "too few elements for gaps", ha="center", va="center", color=GREY,
                  transform=axis.transAxes)  # fmt: skip
        axis.set_xticks([])
        axis.set_yticks([])
        return
    if sum(ordered) <= AT_ONCE:
        said = f"all {len(gaps) + 1:,} {_things(timeline)} at once"
        axis.text(0.5, 0.5, said, ha="center", va="center", color=FAULT, transform=axis.transAxes)
        axis.set_xticks([])
        axis.set_yticks([])
        return
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    first, last = min(gaps) / 1.3, max(gaps) * 1.3
    if last < 10 * first:  # a decade at least, so that regular is seen to be regular
        middle = (first * last) ** 0.5
        first, last = middle / 3.2, middle * 3.2
    axis.hist(gaps, bins=np.geomspace(first, last, 41).tolist(), color=SERVER, alpha=0.75)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: duration(value))
    axis.xaxis.set_minor_formatter(lambda value, _: "")
    axis.tick_params(labelsize=7)
    axis.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    marks = [
        (name, percentile(ordered, part))
        for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    ]
    for height, (name, exact) in enumerate(marks):
        value = max(exact, SHORTEST_DRAWN)
        top = 1.04 + 0.14 * height  # so that names do not cover one another
        axis.plot([value, value], [0, top], color=INK, linewidth=0.8, linestyle=":", clip_on=False,
                  transform=axis.get_xaxis_transform())  # fmt: skip
        axis.text(value, top, f" {name}", transform=axis.get_xaxis_transform(), ha="left",
                  va="center", fontsize=7)  # fmt: skip
    said = ", ".join(f"{name} {duration(exact)}" for name, exact in marks)
    axis.set_xlabel(f"{count(len(gaps), 'gap')}: {said}, longest {duration(ordered[-1])}")


def _bytes(size: int) -> str:
    """Return a size for an axis: ``512 B``, ``1.5 kB``."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} B"
