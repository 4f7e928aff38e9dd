"""Captures made to be laid beside Wireshark, and the rows that come of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest

from parsers.decode.capture import decode
from parsers.records import Record
from wireproof.wireshark import side_by_side
from wireproof.wireshark.compare import UNEXPLAINED, Row
from wireproof.wireshark.decoded import Decoded
from wireproof.wireshark.elements import Element
from wireproof.wireshark.locate import Tshark, find_tshark
from wireproof.wireshark.parts import Segments
from wireproof.wireshark.pdml import read_elements
from wireproof.wireshark.segments import TsharkSegment, read_segments

from .talk import Talk

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


def answered(*pieces: bytes) -> bytes:
    """A capture of one exchange: each piece of the response is a segment."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(*pieces)
    talk.close()
    return talk.tape.file()


def upgraded(*frames: bytes, extensions: bytes = b"") -> bytes:
    """A capture of a WebSocket on which the server sends frames."""
    talk = Talk().open()
    talk.client(
        b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        + extensions
        + b"\r\n"
    )
    talk.server(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" + extensions + b"\r\n"
    )
    talk.server(*frames)
    talk.close()
    return talk.tape.file()


def deflated(data: bytes) -> bytes:
    """A message as permessage-deflate sends it (RFC 7692 section 7.2.1)."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def rows(capture: Path) -> list[Row]:
    """Every row of a comparison."""
    with side_by_side.compare(capture, find_tshark()) as comparison:
        return list(comparison.rows())


def rows_of(tmp_path: Path, data: bytes) -> list[Row]:
    """Every row of a comparison of a capture that is in memory."""
    path = tmp_path / "made.pcapng"
    path.write_bytes(data)
    return rows(path)


def unexplained(found: Iterable[Row]) -> list[tuple[str, str, str]]:
    """(verdict, element, field) of each row that is not explained."""
    return [(row.verdict, row.element, row.field) for row in found if row.verdict in UNEXPLAINED]


def explained(found: Iterable[Row]) -> set[str]:
    """Names of the explanations that were needed."""
    return {row.explanation.name for row in found if row.explanation is not None}


def tamper(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Record]], list[Record]]) -> None:
    """Let our decoder say something else; what tshark says is asked once for each capture."""
    true = side_by_side.decode_stream
    monkeypatch.setattr(side_by_side, "read_segments", _segments)
    monkeypatch.setattr(side_by_side, "read_elements", lambda *asked: deepcopy(_elements(asked[1])))
    monkeypatch.setattr(
        side_by_side, "decode_stream", lambda stream, **_: iter(change(list(true(stream))))
    )


@cache
def _segments(tshark: Tshark, capture: Path) -> list[TsharkSegment]:
    return list(read_segments(tshark, capture))


@cache
def _elements(capture: Path) -> list[Element]:
    tshark = find_tshark()
    segments = Segments(_segments(tshark, capture))
    with capture.open("rb") as stream:
        ports = Decoded(enumerate(decode(stream))).ports
    clients = {stream: client for stream, (client, _) in ports.items()}
    return list(read_elements(tshark, capture, segments, clients))


def without_pyshark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask tshark directly, which takes a third of the time."""
    monkeypatch.setattr(side_by_side, "can_ask", lambda capture: False)
