"""``explain`` for people: a line for each exchange that is fine, a block for each that is not.

    error  GET /chat (exchange 3, packets 12-88): held until the end for 951 ms
      streaming  held; packets 12, 88
        cause    compressor-not-flushed: Content-Encoding is gzip, and there are 2 chunks
        do       flush the compressor after each event
      ending     whole: the last chunk came (packet 88)

Strategy: the headline is the gravest verdict; each question has a line, and where it has an answer
that is not "as it should be" what that rests on. Prose is broken at the width, never cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from rich.console import Console

from ...analysis.keyless.facts import TlsFacts
from ...analysis.outcomes import Outcome, Tally
from ...analysis.verdict import Severity, Verdict
from ...text.escape import escape
from ...text.wording import count
from ..lines import Line, Piece, filled, flow, words
from ..painter import Painter
from .words import (
    counted,
    details,
    fine,
    headline,
    is_cited,
    leading,
    packets,
    summary,
    title,
    tls_details,
)

STYLES: dict[Severity, str] = {
    "ok": "good",
    "note": "note",
    "warning": "warning",
    "error": "error",
}
TAG = 8
"""Cells of the severity before a headline."""
LABEL, INDENT = 11, 2
"""Cells of the question before its answer, and of what stands before it."""
MIN_ROOM = 20
"""Cells that prose has at least."""


class TableView:
    """Prints verdicts on a rich console; ``width`` overrides the console's."""

    def __init__(self, console: Console, width: int | None = None) -> None:
        self._painter = Painter(console, width)
        self._source = ""
        self._files = 0

    def begin(self, source: str) -> None:
        self._source = escape(source)

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        lines = outcome_lines(outcome, self._painter.width)
        first, tls = leading(outcome.verdicts), outcome.listed.tls
        if tls is not None:
            lines += _facts(tls, self._painter.width)
        if outcome.listed.severity != "ok" or tls is not None:
            for verdict in outcome.verdicts:
                is_said = verdict is first and verdict.severity != "ok"
                lines += _question(verdict, is_said, self._painter.width)
        self._print(lines)
        self._painter.flush()

    def end(self, tally: Tally) -> None:
        self._files += 1
        self._print([[(f"{self._source}: ", "faint"), (counted(tally), "title")]])

    def close(self, tally: Tally) -> None:
        if self._files > 1:
            text = f"{count(self._files, 'file')}, {counted(tally)}"
            self._print([[(text, "title")]])
        self._painter.flush()

    def _print(self, lines: list[Line]) -> None:
        self._painter.print(self._painter.paint(lines))


def outcome_lines(outcome: Outcome, width: int) -> list[Line]:
    """Return what came of an exchange in a line, or a few if it is not as it should be."""
    severity = outcome.listed.severity
    tag = (f"{severity:<{TAG}}", STYLES[severity])
    if severity != "ok":
        return _hanging(tag, [], headline(outcome), "title", width)
    return _hanging(tag, [], f"{title(outcome.listed)}: {fine(outcome.listed)}", "", width)


def _facts(tls: TlsFacts, width: int) -> list[Line]:
    """Return what is known of a TLS connection."""
    label = (" " * INDENT + f"{'tls':<{LABEL}}", "field")
    return _hanging(label, [], "; ".join(tls_details(tls)), "", width)


def _question(verdict: Verdict, is_said: bool, width: int) -> list[Line]:
    """Return an answer and what it rests on; ``is_said`` if the headline has its sentence."""
    label = (" " * INDENT + f"{verdict.question:<{LABEL}}", "field")
    cited = "" if is_cited(verdict) and not is_said else packets(verdict)
    parts = ["" if is_said else summary(verdict), cited]
    text = "; ".join(filter(None, parts))
    answer: Line = [(verdict.answer, STYLES[verdict.tone]), (":" if text else "", "")]
    lines = _hanging(label, [answer], text, "", width)
    if verdict.severity != "ok":
        for name, said in details(verdict):
            lines += _hanging(
                (f"{'':{2 * INDENT}}{name:<{LABEL - INDENT}}", "faint"), [], said, "", width
            )
    return lines


def _hanging(label: Piece, units: list[Line], text: str, style: str, width: int) -> list[Line]:
    """Return units and prose that begin after a label, and go on below their own beginning."""
    indent = len(label[0])
    room = max(width - indent, MIN_ROOM)
    below: Piece = (" " * indent, "")
    if not units and not style and (plain := filled(text, room)):  # as of all that is fine
        return [[below if number else label, (line, "")] for number, line in enumerate(plain)]
    lines = flow(chain(units, words(text, style, room)), room, " ")
    return [[below if number else label, *line] for number, line in enumerate(lines)] or [[label]]
