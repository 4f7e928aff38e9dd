"""Where JSON lines go on after missing bytes: with the line that a frame begins with.

Strategy: a frame may begin amid a line. What stands from its beginning to the next LF is a line if
it is an object or an array: the end of one that began before closes a bracket that is not open
(RFC 8259 section 2), and the end of a string closes none. Only if no frame begins so, the LF has to
do: then the line that it ends is lost.
"""

from __future__ import annotations

from .value import WHITE_SPACE, fault_of

_OPENS = (b"{", b"[")
MAX_TRIALS = 4
"""Frames before the first LF that are tried: a line is rarely written in more than one."""


class LineSearch:
    """Keeps what comes until a line has ended."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._begins = [0]  # where frames begin in it
        self._from = 0  # where in it to look for LF
        self._is_over = False

    @property
    def waits(self) -> bool:
        """Whether no line has ended yet."""
        return not self._is_over

    def receive_frame(self, content: bytes, *, is_last: bool) -> int | None:
        self._held += content
        end = self._held.find(b"\n", self._from)
        if end < 0 and not is_last:
            self._from = len(self._held)
            if len(self._begins) < MAX_TRIALS and content:
                self._begins.append(self._from)
            return None
        self._is_over = True
        line = bytes(self._held if end < 0 else self._held[:end])
        return next((at for at in self._begins if is_container(line[at:])), None)


def count_lines(content: bytes) -> int:
    """Return of how many lines content is made, each of them one object or one array, and ended by
    LF; 0 if it is anything else.

    Two are JSON lines and nothing else: no JSON text goes on after its value (RFC 8259 section 2).
    """
    if not (content.startswith(_OPENS) and content.endswith(b"\n")):
        return 0
    lines = content[:-1].split(b"\n")
    return len(lines) if all(map(is_container, lines)) else 0


def is_container(line: bytes) -> bool:
    """Whether a line is one object or one array."""
    text = line.strip(WHITE_SPACE)
    return text.startswith(_OPENS) and fault_of(text) is None
