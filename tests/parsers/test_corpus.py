"""Public captures: what tshark counted in them, and what we count.

The folder's ``INDEX.tsv`` says for each file what tshark 4.0 showed of it: counts of packets,
requests, chunks, ..., or how many fields equal ours when both decodings are laid side by side. Each
row is held to what it says. Where our records say something else, it stands in ``DIFFERENCES``
with its reason.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.beside import rows, unexplained, without_pyshark
from support.corpus import captures_at_hand, captures_folder
from support.http1 import of
from support.stored import packets
from support.talk import decoded

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
)

pytestmark = pytest.mark.slow

INDEX = captures_at_hand()
COUNTED = [name for name, evidence in INDEX.items() if re.match(r"frames \d", evidence)]
FIELDS_EQUAL = re.compile(r"tshark [\d.]+: ([\d,]+) fields equal")
COMPARED = [name for name, evidence in INDEX.items() if FIELDS_EQUAL.fullmatch(evidence)]
Counts = dict[str, Any]

ENCRYPTED = "TLS is recognised and not decrypted: tshark used the keys"
DIFFERENCES: dict[str, tuple[Counts, str]] = {
    "grpc_web.pcapng.gz": (
        {"responses": Counter({"200": 8, "304": 1}), "chunks": 195},
        "two responses are unfinished: tshark waits for their ends, and their chunks are here",
    ),
    "entity_gap.pcap": (
        {"responses": Counter({"200": 1})},
        "1,448 bytes of the body are missing: tshark shows no response, here it is with its gap",
    ),
    "tcp-badsegments.pcap": (
        {"requests": Counter({"GET": 1})},
        "bytes of the request's head are missing: tshark shows none, here is what is whole of it",
    ),
    "linux_new_test.pcap": (
        {"responses": Counter({"404": 3, "200": 1, "201": 1})},
        "the capture stops before the body of the last response, whose head is whole",
    ),
    "tls12-dsb.pcapng": (
        {"requests": Counter(), "responses": Counter(), "codings": Counter()},
        ENCRYPTED,
    ),
    "tls-fragmented-over-tcp-segmented.pcapng.gz": (
        {"requests": Counter(), "responses": Counter()},
        ENCRYPTED,
    ),
    "http1.pcapng": ({"requests": Counter(), "responses": Counter()}, ENCRYPTED),
}
PROTOCOLS = {
    "http2-data-reassembly.pcap": {"tls": 1},
    "tls12-dsb.pcapng": {"tls": 2},
    "tls-fragmented-over-tcp-segmented.pcapng.gz": {"tls": 1},
    "http1.pcapng": {"tls": 2},
    "packet-h2-14_headers.pcapng": {"http/2": 1},
    "http2_sample.pcapng": {"http/2": 1},
    "http2_deflate.pcap": {"http/2": 1},
    "Server_Streaming.pcapng": {"http/2": 1},
    "grpc_web.pcapng.gz": {"http/1.1": 5, "http/2": 4, "unknown": 2},
    "websocket-ping__input.pcap": {"websocket": 1, "unknown": 1},
    "tcp-badsegments.pcap": {"http/1.1": 1},
}


def about(table: dict[str, Any], name: str) -> Any:
    """The entry of a table whose key ends this file's name, or None."""
    return next((entry for end, entry in table.items() if name.endswith("__" + end)), None)


def listed(evidence: str, label: str) -> Counter[str]:
    """``GETx2,POSTx8`` after ``label`` as a count of each."""
    found = re.search(rf"{label} ([^ ;]+x\d+)", evidence)
    pairs = (item.rpartition("x") for item in found[1].split(",")) if found else ()
    return Counter({value: int(count) for value, _, count in pairs})


def number(evidence: str, pattern: str) -> int:
    found = re.search(pattern, evidence)
    return int(found[1]) if found else 0


def tsharks(evidence: str) -> Counts:
    return {
        "packets": number(evidence, r"frames (\d+)"),
        "connections": number(evidence, r"tcp streams (\d+)"),
        "requests": listed(evidence, "HTTP req"),
        "responses": listed(evidence, "resp"),
        "chunks": number(evidence, r"chunk_size fields (\d+)"),
        "last chunks": number(evidence, r"of them (\d+) last-chunk"),
        "frames": listed(evidence, "opcodes"),
        "close codes": listed(evidence, "close"),
        "codings": listed(evidence, "enc"),
    }


def ours(count: int, records: list[Record]) -> Counts:
    """The same of our records; of HTTP, messages of HTTP/1 are counted, as tshark's ``http`` is."""
    records = [one for one in records if getattr(one, "stream_id", None) is None]
    chunks = of(ChunkRecord, records)
    frames = of(WebSocketFrameRecord, records)
    bodies = of(BodyRecord, records)
    return {
        "packets": count,
        "connections": len(of(ConnectionRecord, records)),
        "requests": Counter(record.method for record in of(RequestRecord, records)),
        "responses": Counter(str(record.status) for record in of(ResponseRecord, records)),
        "chunks": len(chunks),
        "last chunks": len([chunk for chunk in chunks if not chunk.size]),
        "frames": Counter(str(frame.opcode) for frame in frames),
        "close codes": Counter(str(frame.close_code) for frame in frames if frame.close_code),
        "codings": Counter(body.content_encoding for body in bodies if body.content_encoding),
    }


@pytest.mark.parametrize("name", COUNTED)
def test_what_tshark_counted(name: str) -> None:
    there = packets(captures_folder() / name)
    records = decoded(there)
    # Blocks that are no packets have numbers too, as in Wireshark.
    found, expected = ours(there[-1][0], records), tsharks(INDEX[name])
    differing, reason = about(DIFFERENCES, name) or ({}, "")
    assert found == expected | differing, reason
    if differing:
        assert found != expected, "no longer different: take it out of the table"
    protocols = about(PROTOCOLS, name)
    if protocols is not None:
        assert Counter(record.protocol for record in of(ConnectionRecord, records)) == protocols


@pytest.mark.tshark
@pytest.mark.parametrize("name", COMPARED)
def test_fields_that_are_equal_beside_tshark(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records gain fields, so there may be more of them than the row says, never fewer."""
    without_pyshark(monkeypatch)
    found = rows(captures_folder() / name)
    assert unexplained(found) == []
    evidence = FIELDS_EQUAL.fullmatch(INDEX[name])
    assert evidence is not None
    equal = [row for row in found if row.verdict == "equal"]
    assert len(equal) >= int(evidence[1].replace(",", ""))


def test_every_row_gives_evidence_that_is_read() -> None:
    assert sorted([*COUNTED, *COMPARED]) == sorted(INDEX)


def test_every_file_of_the_folder_is_listed() -> None:
    beside = {".keys", ".tsv", ".md"}
    there = {path.name for path in captures_folder().iterdir() if Path(path).suffix not in beside}
    assert there == set(INDEX)


@pytest.mark.parametrize("ending", [*DIFFERENCES, *PROTOCOLS])
def test_the_tables_speak_of_files_that_exist(ending: str) -> None:
    captures_folder()  # skips where there are none
    assert len([name for name in INDEX if name.endswith("__" + ending)]) == 1


def test_evidence_is_read_as_it_is_written() -> None:
    evidence = (
        "frames 18; tcp streams 1; HTTP req GETx1; resp 101x1,200x2; chunk_size fields 7 (of them"
        " 2 last-chunk); ws frames 7 opcodes 0x1,10x1,2x2; close 1000x2; enc gzipx6"
    )
    assert tsharks(evidence) == {
        "packets": 18,
        "connections": 1,
        "requests": {"GET": 1},
        "responses": {"101": 1, "200": 2},
        "chunks": 7,
        "last chunks": 2,
        "frames": {"0": 1, "10": 1, "2": 2},
        "close codes": {"1000": 2},
        "codings": {"gzip": 6},
    }
