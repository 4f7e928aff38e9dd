"""HTTP/2 connections and header blocks of others, with what must come of them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from support.corpus import http2_vectors_at_hand
from support.http2 import SETTINGS, framed, of_steps

from parsers.diagnostics import Diagnostic
from parsers.http2.elements import END_HEADERS, HEADERS, HeaderBlock
from parsers.http2.frames import FrameDecoder
from parsers.http2.hpack import HeaderDecoder, HpackError
from parsers.records import (
    BodyRecord,
    DiagnosticRecord,
    GrpcMessageRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    StallRecord,
)

CONNECTIONS = {
    vector["id"]: vector
    for vector in http2_vectors_at_hand("h2")
    if not vector["expect"].get("midstream")
}
"""Those without a beginning are joined in the middle (test_http2_midstream), byte by byte too."""
STORIES = {vector["id"]: vector for vector in http2_vectors_at_hand("hpack")}
CUTS = pytest.mark.parametrize("byte_by_byte", [False, True], ids=["whole", "byte-by-byte"])
MULTIPLE = {"http2-frame-cut", "http2-stream-cut"}
"""Faults of the end of a vector, which ends where its fault was."""


def of(kind: type[Any], records: list[Record], stream_id: int, sender: str) -> list[Any]:
    return [
        one for one in records
        if isinstance(one, kind) and one.stream_id == stream_id and one.sender == sender
    ]  # fmt: skip


def pairs(head: Any) -> list[list[str]]:
    return [list(field) for field in head.headers]


def content(frames: list[Http2DataRecord]) -> bytes:
    """What DATA frames carried."""
    return b"".join(
        (one.data or "").encode() if one.encoding == "utf-8" else b64decode(one.data or "")
        for one in frames
    )


def is_tunnel(expected: dict[str, Any]) -> bool:
    """Whether what came after the heads is another protocol's, or nobody's: then it is no body."""
    request = expected["request"] or []
    return [":method", "CONNECT"] in request and expected["response"] is not None


def check_stream(
    stream_id: int,
    expected: dict[str, Any],
    records: list[Record],
    fault: DiagnosticRecord | None = None,
) -> None:
    """``fault`` is the error that ended what is expected."""
    requests = of(RequestRecord, records, stream_id, "client")
    requests += of(RequestRecord, records, stream_id, "server")
    if expected["request"] is not None:
        assert [pairs(one) for one in requests] == [expected["request"]]
    responses = of(ResponseRecord, records, stream_id, "server")
    heads = [*expected["informational"], expected["response"]]
    assert [pairs(one) for one in responses] == [one for one in heads if one is not None]
    for sender in ("client", "server"):
        frames = of(Http2DataRecord, records, stream_id, sender)
        if fault is not None and fault.code == "http2-stream-closed":  # shown, but of no body
            frames = [one for one in frames if one.offset != fault.offset]
        body = content(frames)
        wanted = expected[f"{sender}_body"]
        assert (len(body), sha256(body).hexdigest()) == (wanted["bytes"], wanted["sha256"])
        bodies = of(BodyRecord, records, stream_id, sender)
        # An empty one has a record only if a frame of DATA ended it.
        is_due = wanted["bytes"] > 0 and not is_tunnel(expected)
        assert len(bodies) == 1 if is_due else len(bodies) <= (not is_tunnel(expected))
        if bodies and bodies[0].content_encoding is None:
            assert (bodies[0].size, bodies[0].sha256) == (wanted["bytes"], wanted["sha256"])
        if bodies and bodies[0].content_encoding is None and fault is None:
            assert bodies[0].complete == expected["end"][sender]
            trailers = expected["trailers"][sender]
            found = bodies[0].trailers
            assert trailers == (None if found is None else [list(one) for one in found])
    if fault is None:  # what a malformed message ends with is its fault
        check_end(stream_id, expected, records)


def check_end(stream_id: int, expected: dict[str, Any], records: list[Record]) -> None:
    ended = expected["ended_by"]
    bodies = of(BodyRecord, records, stream_id, "server")
    if ended is None:
        ends = ("end-stream",) if expected["end"]["server"] else ("close", "capture-end")
        assert all(body.ended_by in ends for body in bodies)
        return
    word = ended.split()[0].strip(":").replace("_", "-")
    # A stream that was not answered has no body to end.
    assert [body.ended_by for body in bodies] == ([] if expected["response"] is None else [word])
    if word == "rst-stream":
        _, code, _, sender = ended.split()
        resets = of(Http2FrameRecord, records, stream_id, sender)
        assert [one.error_code for one in resets if one.type == "RST_STREAM"] == [code]


def errors_in(records: list[Record]) -> list[DiagnosticRecord]:
    return [one for one in records if isinstance(one, DiagnosticRecord) and one.severity == "error"]


@CUTS
@pytest.mark.parametrize("name", CONNECTIONS)
def test_connections(name: str, byte_by_byte: bool) -> None:
    vector = CONNECTIONS[name]
    expected = vector["expect"]
    talk, last = of_steps(vector["steps"], byte_by_byte=byte_by_byte)
    records = talk.records()
    found = errors_in(records)
    if not expected["errors"]:
        assert found == []
    for error in expected["errors"]:
        (fault,) = found
        assert fault.sender == error["sender"]
        start = last[error["step"] - 1] if error["step"] else 0
        assert start < fault.first_packet <= last[error["step"]] or error["code"].startswith("ENH")
        section = error["section"].removesuffix(" (excess)")
        rule = section if section.startswith("RFC") else f"RFC 9113 section {section}"
        assert fault.reference.replace(" section", "") == rule.replace(" section", "")
    for stream_id, stream in expected["streams"].items():
        check_stream(int(stream_id), stream, records, found[0] if found else None)
    check_control(expected, records)


def check_control(expected: dict[str, Any], records: list[Record]) -> None:
    stalls = [one for one in records if isinstance(one, StallRecord)]
    if "stalls" in expected:
        found = [(one.stream_id, one.window, one.seconds) for one in stalls]
        assert found == [
            (one["stream"], one["window"], pytest.approx(one["seconds"], abs=0.001))
            for one in expected["stalls"]
        ]
    frames = [one for one in records if isinstance(one, Http2FrameRecord)]
    for ping in expected.get("pings", []):
        rtts = [one.rtt for one in frames if one.ping == ping["data"] and one.ack]
        assert rtts == ([] if ping["rtt"] is None else [pytest.approx(ping["rtt"], abs=0.001)])
    for goaway in expected.get("goaway", []):
        (one,) = [frame for frame in frames if frame.type == "GOAWAY"]
        assert (one.sender, one.last_stream_id, one.error_code, one.debug) == (
            goaway["sender"], goaway["last"], goaway["code"], goaway["debug"],
        )  # fmt: skip
    for stream_id, grpc in expected.get("grpc", {}).items():
        for sender in ("client", "server"):
            messages = of(GrpcMessageRecord, records, int(stream_id), sender)
            assert len(messages) == len(grpc[sender])
            body = content(of(Http2DataRecord, records, int(stream_id), sender))
            assert list(map(of_grpc, messages)) == list(prefixed(body))
        assert grpc_statuses(int(stream_id), records) == [str(grpc["status"])]


def prefixed(body: bytes) -> Iterator[tuple[bool, bytes]]:
    """Whether each message of gRPC is compressed, and what it says, by the lengths before them."""
    while body:
        size = int.from_bytes(body[1:5], "big")
        yield bool(body[0]), body[5 : 5 + size]
        body = body[5 + size :]


def of_grpc(record: GrpcMessageRecord) -> tuple[bool, bytes]:
    said = record.data or ""
    return record.compressed, said.encode() if record.encoding == "utf-8" else b64decode(said)


def grpc_statuses(stream_id: int, records: list[Record]) -> list[str]:
    """What a call ended with: in trailers, or in the head if there is nothing else."""
    heads = of(ResponseRecord, records, stream_id, "server")
    fields = [field for one in heads for field in one.headers]
    fields += [
        field
        for one in of(BodyRecord, records, stream_id, "server")
        for field in one.trailers or ()
    ]
    return [value for name, value in fields if name == "grpc-status"]


def through_frames(frames: FrameDecoder, stream_id: int, block: bytes) -> bytes:
    """Return the block that comes of a HEADERS frame that is read byte by byte."""
    frame = framed(HEADERS, END_HEADERS, stream_id, block)
    events = [event for pos in range(len(frame)) for event in frames.receive_data(frame[pos:][:1])]
    (found,) = [event for event in events if isinstance(event, HeaderBlock)]
    assert (found.stream_id, found.end) == (stream_id, frames.offset)
    assert not any(isinstance(event, Diagnostic) for event in events)
    return bytes(found.block)


@CUTS
@pytest.mark.parametrize("name", STORIES)
def test_header_blocks(name: str, byte_by_byte: bool) -> None:
    """All blocks of a story share a table: one decoder reads them in their order."""
    story = STORIES[name]
    decoder = HeaderDecoder()
    frames = FrameDecoder(0, "server", keep_data=True)
    frames.receive_data(SETTINGS)
    if (size := story.get("header_table_size")) is not None:
        decoder.allow(size)
        decoder.table.resize(size)
    for number, case in enumerate(story["cases"]):
        if case["wire"] is None:
            decoder.forget()
            continue
        if case.get("header_table_size") is not None:
            decoder.allow(case["header_table_size"])
        block = bytes.fromhex(case["wire"])
        if byte_by_byte:
            block = through_frames(frames, 2 * number + 1, block)
        if case.get("error"):
            with pytest.raises(HpackError):
                decoder.decode(block)
            continue
        found = [[name, value] for name, value, _ in decoder.decode(block)]
        assert found == [[name.encode(), value.encode()] for name, value in case["headers"]]
