"""application/grpc-web-text: length-prefixed messages in base64 (PROTOCOL-WEB.md).

Strategy: four characters are three bytes, and padding ends a piece that a server has encoded by
itself, after which the next one begins. What is decoded goes to :class:`GrpcDecoder` run by run;
a map from its offsets to those of the text gives its events their places.
"""

from __future__ import annotations

import re
from base64 import b64decode

from ..diagnostics import Diagnostic, diagnose, excerpt
from ..expressions import every
from ..provenance import Ending, Event, SourceMap
from .messages import GrpcDecoder, GrpcMessage

_QUANTUM = rb"[A-Za-z0-9+/]{4}"
# base64 (RFC 4648 section 4): whole quanta, then at most one that padding completes
_RUN = re.compile(every(_QUANTUM) + rb"(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_REST = re.compile(rb"[A-Za-z0-9+/]{2}=|[A-Za-z0-9+/]{0,3}")


class GrpcTextDecoder:
    """Decode length-prefixed messages in base64."""

    __slots__ = ("_messages", "_offset", "_rest", "_places", "_is_lost")

    def __init__(self, offset: int = 0) -> None:
        self._messages = GrpcDecoder()
        self._offset = offset  # of the first character of the rest
        self._rest = b""  # of a quantum that is not whole
        self._places: SourceMap[int] = SourceMap()  # where the run's last quantum ends
        self._is_lost = False

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next characters of the body and return the messages that they completed."""
        events: list[Event] = []
        data = self._rest + data
        pos = 0
        while not self._is_lost and (end := self._end_of_run(data, pos)) > pos:
            events += self._decode(data[pos:end], self._offset + end)
            pos = end
        self._rest = data[pos:]
        if self._is_lost:
            self._rest = b""
        elif (wrong := _first_wrong(self._rest)) is not None:
            place = self._offset + pos + wrong
            detail = excerpt(self._rest[wrong : wrong + 1])
            events.append(diagnose("grpc-base64-invalid", place, place + 1, detail))
            self._is_lost = True
            self._rest = b""
        self._offset += len(data) - len(self._rest)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Give up: what quantum the next character is in is not known."""
        start = self._offset
        self._offset += len(self._rest) + length
        self._rest = b""
        is_first, self._is_lost = not self._is_lost, True
        detail = f"{length:,} bytes are missing"
        lost = diagnose("grpc-framing-lost", start, self._offset, detail)
        return [lost] if is_first else []

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Say so if the content ends inside a message, or inside a quantum."""
        if self._is_lost:
            return []
        events = self._placed(self._messages.receive_eof(ending))
        if self._rest and ending != "capture-end":
            place = self._offset, self._offset + len(self._rest)
            detail = f"it ends with {excerpt(self._rest)}"
            events.append(diagnose("grpc-base64-invalid", *place, detail))
        return events

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open message, or the unfinished quantum, begins."""
        rest = (self._offset,) if self._rest else ()
        return (*(self._place(offset) for offset in self._messages.open_offsets), *rest)

    def _end_of_run(self, data: bytes, pos: int) -> int:
        found = _RUN.match(data, pos)
        return pos if found is None else found.end()

    def _decode(self, run: bytes, end: int) -> list[Event]:
        """Hand on what a run of whole quanta says, which ends at ``end``."""
        decoded = b64decode(run)
        # From its end a run is measured back in steps of four characters; so padding, which makes
        # its last step shorter, has a run of its own.
        padded = run.endswith(b"=")
        last = len(decoded) % 3 if padded else 0
        if len(decoded) > last:
            self._places.extend(len(decoded) - last, end - 4 * padded)
        if last:
            self._places.extend(last, end)
        events = self._placed(self._messages.receive_data(decoded))
        self._places.retain(self._messages.open_offsets)
        return events

    def _placed(self, found: list[Event]) -> list[Event]:
        events: list[Event] = []
        for event in found:
            start, end = self._place(event.start), self._place(event.end - 1) + 4
            if isinstance(event, GrpcMessage):
                events.append(
                    GrpcMessage(
                        start, end, event.index, event.compressed, event.size, event.data,
                        event.trailers,
                    )
                )  # fmt: skip
            else:
                assert isinstance(event, Diagnostic), event
                events.append(Diagnostic(start, end, event.code, event.summary))
        return events

    def _place(self, offset: int) -> int:
        """Return where the quantum begins that holds a decoded byte."""
        upto, end = self._places.at(offset)
        return end - (upto - offset + 2) // 3 * 4


def _first_wrong(rest: bytes) -> int | None:
    """Return the index of the character that no quantum can have, None if one may have begun."""
    begun = _REST.match(rest)
    length = 0 if begun is None else begun.end()
    return length if length < len(rest) else None
