"""What is not asked for is not made: what is left is the same, in the same order."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.stored import name
from support.talk import Talk, Tape

from parsers import OrderedCapture, PacketDecoder, decode_batches, decode_capture
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Record,
    ResponseRecord,
    SseEventRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from parsers.wants import EVERYTHING, KINDS, Wants

STORED = sorted((ROOT / "fixtures").glob("*/*.pcapng"))
CHOICES: list[set[type[Record]]] = [
    {ChunkRecord},
    {SseEventRecord},
    {WebSocketFrameRecord, BodyRecord},
    {WebSocketMessageRecord, DiagnosticRecord},
    {DataRecord, ConnectionRecord, ResponseRecord},
]


def decoded(path: Path, wants: Wants = EVERYTHING) -> list[Record]:
    with path.open("rb") as stream:
        return [record for batch in decode_batches(stream, wants=wants) for record in batch]


@pytest.mark.parametrize("path", STORED, ids=name)
def test_each_choice_is_what_it_leaves_of_all(path: Path) -> None:
    records = decoded(path)
    for kinds in CHOICES:
        wanted = decoded(path, Wants(frozenset(kinds)))
        assert wanted == [record for record in records if type(record) in kinds]


@pytest.mark.parametrize("path", STORED, ids=name)
def test_opened_records_that_are_not_asked_for_have_no_rows(path: Path) -> None:
    def rows(wants: Wants) -> list[Record]:
        with path.open("rb") as stream:
            batches = decode_batches(stream, shows_records=True, wants=wants)
            return [record for batch in batches for record in batch]

    def is_content(record: Record) -> bool:
        is_opened = isinstance(record, TlsRecordRecord) and record.decrypted == "yes"
        return is_opened and record.content_type == "application_data"

    every, wanted = rows(EVERYTHING), rows(Wants(opened=False))
    assert [one for one in wanted if not is_content(one)] == [
        one for one in every if not is_content(one)
    ]
    left = {one.connection for one in wanted if is_content(one)}
    assert left == {one.connection for one in every if is_content(one)}
    assert sum(map(is_content, wanted)) == len(left)


def test_content_that_is_not_asked_for_is_not_unfolded() -> None:
    """Of bodies without elements: all other records are the same."""
    content = gzip.compress(b"plain text", mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(content)
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(head + content)
    sizes = []
    for wants in (EVERYTHING, Wants(contents=False)):
        decoder = PacketDecoder(wants=wants)
        records = decoder.receive(talk.tape.packets) + decoder.finish()
        bodies = [one for one in records if isinstance(one, BodyRecord)]
        sizes.append([one.decoded_size for one in bodies])
        others = [one for one in records if not isinstance(one, BodyRecord)]
        assert others == [one for one in talk.tape.records() if not isinstance(one, BodyRecord)]
    assert sizes == [[len(b"plain text")], [len(content)]]


def test_a_digest_that_is_not_shown_is_not_made() -> None:
    path = next(path for path in STORED if path.parent.name == "sse")
    with_digests, without = decoded(path), decoded(path, Wants(digests=False))
    assert len(with_digests) == len(without)
    for one, other in zip(with_digests, without, strict=True):
        if isinstance(one, BodyRecord):
            assert isinstance(other, BodyRecord)
            assert (len(one.sha256), other.sha256) == (64, "")
        else:
            assert one == other


def test_the_names_are_those_of_the_records() -> None:
    assert all(kind.record == named for named, kind in KINDS.items())
    assert KINDS["sse_event"] is SseEventRecord
    assert Wants().takes(ChunkRecord)
    assert Wants(frozenset({ChunkRecord})).also(BodyRecord).takes(BodyRecord)
    assert Wants().also(BodyRecord) == EVERYTHING


def test_bodies_of_requests_alone_have_digests_where_these_alone_are_wanted() -> None:
    tape = Tape()
    talk = Talk(tape).open()
    talk.client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    talk.client(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    talk.client(b"2\r\nhi\r\n0\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", b"i")
    talk.close()
    capture = OrderedCapture(BytesIO(tape.file()))
    wants = Wants(digests=False, request_digests=True)
    bodies = [
        one
        for records in decode_capture(capture, wants=wants)
        for one in records
        if isinstance(one, BodyRecord)
    ]
    assert [(one.sender, bool(one.sha256)) for one in bodies] == [
        ("client", True), ("server", False), ("client", True), ("server", False),
    ]  # fmt: skip
