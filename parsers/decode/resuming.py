"""Content that came after missing bytes, while it is not known whether an element begins in it.

Strategy: chunks and DATA frames nearly always begin where an element of their content does. So the
next ones after missing bytes are kept until they are whole, and looked at; what is kept is bounded
by MAX_RESYNCHRONISE. What is missing is told to the decoder of elements only if it has to be: where
whole elements are on both sides of a hole, whole elements are what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..http1.chunked import Data, MissingData
from ..limits import MAX_RESYNCHRONISE
from ..provenance import Decoder, Resumable


@cache
def resumes(kind: type[Decoder]) -> bool:
    """Whether decoders of this kind are Resumable.

    To ask each takes ten times as long as to read an event.
    """
    return all(hasattr(kind, name) for name in ("is_between", "is_lost", "search", "resume"))


class Resuming:
    """What is kept of one body; ``hole`` is what its decoder has not been told of yet."""

    __slots__ = ("hole", "pieces", "_search", "_size", "_looked_at")

    def __init__(self, elements: Resumable, hole: MissingData | None) -> None:
        self.hole = hole
        self.pieces: list[Data] = []
        """All that is kept, in order."""
        self._search = elements.search()
        self._size = 0
        self._looked_at = 0  # pieces of frames that were whole

    def add(self, content: Sequence[Data]) -> bool:
        """Keep content; return whether that is too much to be kept on."""
        self.pieces += content
        self._size += sum(len(piece.data) for piece in content)
        return self._size > MAX_RESYNCHRONISE

    def end_frame(self, *, is_last: bool) -> int | None:
        """Take note that a frame is whole; return how many bytes come before an element.

        None if none is certain.
        """
        pieces, self._looked_at = self.pieces[self._looked_at :], len(self.pieces)
        content = b"".join([piece.data for piece in pieces])
        return self._search.receive_frame(content, is_last=is_last)

    @property
    def waits(self) -> bool:
        """Whether what is kept may yet be told by what follows."""
        return self._search.waits

    def cut(self, place: int) -> tuple[list[Data], list[Data]]:
        """Return the pieces before so many bytes, and those after."""
        before: list[Data] = []
        for number, piece in enumerate(self.pieces):
            if place < len(piece.data):
                middle = piece.start + place
                if place:
                    before.append(Data(piece.start, middle, piece.data[:place], piece.chunk))
                rest = Data(middle, piece.end, piece.data[place:], piece.chunk)
                return before, [rest, *self.pieces[number + 1 :]]
            before.append(piece)
            place -= len(piece.data)
        return before, []
