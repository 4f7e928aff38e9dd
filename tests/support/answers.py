"""What the inspector answers about packets made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parsers import KeyLog, decode_stream
from parsers.records import Record
from wireproof.web.api import Answers
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index
from wireproof.web.paths import bundled

from .talk import Talk


class Asked:
    """An index of a tape, and its answers as Python has them."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.answers = Answers(index)

    def __call__(self, path: str) -> Any:
        answer = self.answers.answer(path)
        assert answer is not None, path
        return json.loads(answer)


def paths(index: Index) -> list[str]:
    """Return every path that the page may ask for of a capture that has been read."""
    return [path for _, some in bundled(index, Answers(index).hops) for path in some]


@contextmanager
def asked(talk: Talk, batch: int = 7) -> Iterator[Asked]:
    """Index a tape in batches of packets."""
    index = Index("by-hand.pcapng")
    packets = talk.tape.packets
    for start in range(0, len(packets), batch):
        index.receive(packets[start : start + batch])
    index.finish([])
    try:
        yield Asked(index)
    finally:
        index.close()


GET = b"GET /events HTTP/1.1\r\nHost: api.example\r\n\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def streamed(*events: bytes) -> Talk:
    """An event stream, one event a chunk, one chunk a segment."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE)
    for event in events:
        talk.server(chunk(event))
    talk.server(b"0\r\n\r\n")
    talk.close()
    return talk


@contextmanager
def read(path: Path, *, has_keys: bool = True) -> Iterator[Asked]:
    """Index a stored capture, with the keys beside it."""
    index = Index(path.name)
    keylog = KeyLog.open(path.with_suffix(".keys")) if has_keys else None
    with path.open("rb") as stream:
        FileFeed(index, stream, keylog=keylog).read_all()
    try:
        yield Asked(index)
    finally:
        index.close()


def stored_records(path: Path) -> list[Record]:
    """All records of a stored capture, those of TLS too, with the keys beside it."""
    keylog = KeyLog.open(path.with_suffix(".keys"))
    with path.open("rb") as stream:
        return list(decode_stream(stream, shows_records=True, keylog=keylog))
