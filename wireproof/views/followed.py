"""The bytes of a stream as text: each side's turns, and which packet brought what, and when.

Strategy: a heading for each packet, then its bytes by lines, with everything escaped that would not
print as itself. A character that two packets share is shown with the later one: three bytes are
kept for it, and nothing else.
"""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder

from parsers.records import Sender

from ..bytes.followed import Piece
from ..text.escape import escape
from ..text.wording import count
from .lines import Line
from .painter import Painter

MAX_CELLS = 4_096
"""Characters of one line that are printed; a longer one goes on in the next."""


class FollowedText:
    """Prints pieces of a stream."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._decoders: dict[tuple[int | None, Sender], IncrementalDecoder] = {}
        self._begun: float | None = None
        self._turn: tuple[int | None, Sender] | None = None

    def add(self, piece: Piece) -> None:
        """Print the next piece."""
        if self._begun is None:
            self._begun = piece.time
        turn = piece.exchange, piece.sender
        lines: list[Line] = [] if self._turn in (None, turn) else [[]]
        self._turn = turn
        lines.append(self._heading(piece, self._begun))
        if not piece.missing:
            text = self._decoder(turn).decode(piece.data)
            lines += [[(escape(line), "")] for line in _lines(text)]
        self._painter.print(self._painter.paint(lines))

    def close(self) -> None:
        """Print what is left of characters that never came whole."""
        for (_, sender), decoder in self._decoders.items():
            if rest := decoder.decode(b"", final=True):
                line = [(f"{sender}, at the end: ", sender), (escape(rest), "")]
                self._painter.print(self._painter.paint([line]))
        self._painter.flush()

    def _heading(self, piece: Piece, begun: float) -> Line:
        where = f"  packet {piece.packet}  {piece.time - begun:+.6f} s  "
        exchange = "" if piece.exchange is None else f"  exchange {piece.exchange}"
        line: Line = [(piece.sender, piece.sender), (exchange + where, "faint")]
        if piece.missing:
            return [*line, (f"{count(piece.missing, 'byte')} missing", "warning")]
        return [*line, (count(len(piece.data), "byte"), "faint")]

    def _decoder(self, turn: tuple[int | None, Sender]) -> IncrementalDecoder:
        if turn not in self._decoders:
            self._decoders[turn] = getincrementaldecoder("utf-8")("backslashreplace")
        return self._decoders[turn]


def _lines(text: str) -> list[str]:
    """Return text as lines, without the LF that ends each; a CR before it stays, to be seen."""
    found = text.split("\n")
    if not found[-1]:
        found.pop()
    return [
        line[start : start + MAX_CELLS]
        for line in found
        for start in range(0, max(len(line), 1), MAX_CELLS)
    ]
