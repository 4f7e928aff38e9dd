"""``hops`` for people: the answer, a line for each hop, and the delays of the worst one.

    The hop between 127.0.0.1:9000 and 127.0.0.1:8000 held 14 of 16 events until the end, ...
      cause    proxy-buffer: it lets go of all when its source has ended
      do       turn response buffering off ...

    Hop  Between                                  Elements    Median       p90       Max  Verdict
      1  127.0.0.1:9000 and 127.0.0.1:8000              16  381.4 ms  ...

Strategy: what a reader came for stands first; what it rests on follows, and is bounded.
"""

from __future__ import annotations

from itertools import chain, islice

from rich.console import Console

from ...analysis.hops.figures import clock_text
from ...analysis.hops.report import Judged, Passed, Report
from ...analysis.verdict import Severity
from ...text.escape import escape
from ...text.wording import count, duration
from ..lines import Line, Piece, fit, flow, words
from ..painter import Painter
from ..verdicts.words import details
from .words import answer, cause_codes, delays, leg_name, request_line

STYLES: dict[Severity, str] = {
    "ok": "good",
    "note": "note",
    "warning": "warning",
    "error": "error",
}
MAX_ROWS = 40
"""Exchanges that have rows of their own."""
BETWEEN, NUMBER, TIME = 33, 8, 9
"""Widths in cells."""
INDENT = 11


class HopsTable:
    """Prints a report on a rich console; ``width`` overrides the console's."""

    def __init__(self, console: Console, elements: int, width: int | None = None) -> None:
        self._painter = Painter(console, width)
        self._elements = elements

    def show(self, report: Report) -> None:
        """Print all of it."""
        width = self._painter.width
        worst = report.worst
        lines = _prose([], answer(report), "title", width)
        if worst is not None:
            lines += _details(worst, width)
        lines.append([])
        lines += _rows(report, width)
        if worst is not None and self._elements:
            lines += _delays(worst, self._elements, width)
        self._painter.print(self._painter.paint(lines))
        self._painter.flush()


def _details(judged: Judged, width: int) -> list[Line]:
    """Return why, what to do, and what it rests on, but for what stands below its row."""
    below = {clock_text(judged.hop), *(change.summary for change in judged.hop.changes)}
    lines: list[Line] = []
    for label, said in details(judged.verdict):
        if said in set(map(escape, below)):
            continue
        lines += _prose([(f"  {label:<{INDENT - 2}}", "faint")], said, "", width)
    return lines


def _prose(label: Line, text: str, style: str, width: int) -> list[Line]:
    """Return prose after a label, broken at the width, going on below its own beginning."""
    indent = sum(len(piece) for piece, _ in label)
    room = max(width - indent, INDENT)
    below: Piece = (" " * indent, "")
    lines = flow(words(text, style, room), room, " ")
    return [[*(label if number == 0 else [below]), *line] for number, line in enumerate(lines)]


def _rows(report: Report, width: int) -> list[Line]:
    heading = (
        f"{'Hop':>3}  {'Between':<{BETWEEN}} {'Elements':>{NUMBER}} {'Median':>{TIME}} "
        f"{'p90':>{TIME}} {'Max':>{TIME}}  Verdict"
    )
    lines: list[Line] = [fit([(heading, "heading")], width)]
    chosen = sorted(report.passed, key=lambda passed: not _is_fault(passed))
    for passed in islice(chosen, MAX_ROWS):
        if len(report.passed) > 1:
            lines.append(fit([(request_line(passed.way.legs), "start-line")], width))
        for judged in passed.hops:
            lines += _row(judged, width)
    if len(report.passed) > MAX_ROWS:
        left = count(len(report.passed) - MAX_ROWS, "exchange")
        lines.append([(f"and {left} more: --format json has all", "note")])
    if report.alone:
        lines.append([(f"{count(report.alone, 'exchange')} seen on one leg only", "faint")])
    return lines


def _is_fault(passed: Passed) -> bool:
    return any(judged.verdict.is_fault for judged in passed.hops)


def _row(judged: Judged, width: int) -> list[Line]:
    hop, verdict = judged
    down = hop.down
    times = [duration(down.part(part)) if len(down) else "" for part in (0.5, 0.9, 1.0)]
    between = "the network" if hop.is_path else f"{hop.near.server} and {hop.far.server}"
    numbers = f"{len(down):>{NUMBER},} " + " ".join(f"{time:>{TIME}}" for time in times)
    codes = cause_codes(judged)
    said = f"{verdict.answer}{', ' if codes else ''}{codes}"
    if len(said) > width - BETWEEN - NUMBER - 3 * TIME - 11:
        said = verdict.answer  # rather than a code that is cut
    first: Line = [
        (f"{hop.number:>3}  ", "faint"),
        (f"{between:<{BETWEEN}} ", ""),
        (f"{numbers}  ", ""),
        (said, STYLES[verdict.severity]),
    ]
    legs = f"     {leg_name(hop.near)} and {leg_name(hop.far)}; {escape(clock_text(hop))}"
    below = [_prose([(" " * 5, "")], legs.strip(), "faint", width)]
    below += [
        _prose([(" " * 5, ""), ("changed ", "faint")], escape(change.summary), "faint", width)
        for change in hop.changes
    ]
    return [fit(first, width), *chain.from_iterable(below)]


def _delays(judged: Judged, elements: int, width: int) -> list[Line]:
    hop = judged.hop
    shown = delays(hop, elements)
    if not shown:
        return []
    title = f"Hop {hop.number}, element by element"
    lines: list[Line] = [[], [(title, "title")]]
    heading = f"{'Element':>7} {'Came':>9}  {'in packet':>9} {'left in':>9} {'added':>9}"
    lines.append(fit([(heading, "heading")], width))
    before = -1
    for one in shown:
        if one.element > before + 1 and before >= 0:
            lines.append([("      …", "faint")])
        before = one.element
        text = (
            f"{one.element:>7} {duration(one.came):>9}  {one.came_packet:>9} "
            f"{one.left_packet:>9} {duration(one.added):>9}"
        )
        lines.append(fit([(text, "")], width))
    return lines
