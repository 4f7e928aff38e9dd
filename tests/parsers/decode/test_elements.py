"""From the wire to the records of elements: media types, places, runs, what is not declared."""

from __future__ import annotations

import gzip
from base64 import b64encode
from itertools import pairwise

import pytest
from support.framed import aws_message, aws_string, grpc_frame
from support.talk import Talk, kinds

from parsers.decode.elements import boundary_of, element_decoder, names_elements
from parsers.json_lines.lines import JsonLinesDecoder
from parsers.json_lines.stream import JsonStreamDecoder
from parsers.records import BodyElement, DataRecord, JsonLineRecord, PartRecord, Record

GET = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"


def answer(fields: bytes, *pieces: bytes, close: bool = True) -> list[Record]:
    """The records of a response, each piece of its body in a packet of its own."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
    for piece in pieces:
        talk.server(piece)
    if close:
        talk.close()
    return talk.tape.records()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def codes(records: list[Record]) -> list[str]:
    return [record.code for record in records if record.record == "diagnostic"]


CHUNKED = b"Transfer-Encoding: chunked\r\nContent-Type: "
AWS = aws_message([(b":event-type", 7, aws_string(b"chunk"))], b'{"p":1}')
STREAMS: list[tuple[bytes, list[bytes], str, list[str | None]]] = [
    (b"application/x-ndjson", [b"1\n2", b"2\n", b"3"], "json_line", ["1", "22", "3"]),
    (b"application/jsonl; charset=utf-8", [b"1\n"], "json_line", ["1"]),
    (b"application/json-seq", [b"\x1e1\n", b"\x1e{}\n"], "json_line", ["1", "{}"]),
    (b"application/json", [b'[{"a":1}', b",{}", b"]"], "json_line", ['{"a":1}', "{}"]),
    (b"application/json", [b'{"a":1}\n', b"{}\n"], "json_line", ['{"a":1}', "{}"]),
    (b"application/json", [b'{"a":', b"1}"], "json_line", []),
    (b"Multipart/Mixed; boundary=b", [b"--b\r\n\r\nx\r\n", b"--b--"], "part", ["x"]),
    (b'multipart/x-mixed-replace;boundary="b"', [b"--b\r\n\r\nx\r\n--b\r\n"], "part", ["x"]),
    (b"application/vnd.amazon.eventstream", [AWS[:9], AWS[9:]], "aws_event", ['{"p":1}']),
    (b"application/grpc-web+proto", [grpc_frame(0, b"m")], "grpc_message", ["m"]),
    (b"application/grpc+JSON", [grpc_frame(0, b"{}")], "grpc_message", ["{}"]),
    (b"application/grpc+thrift", [grpc_frame(0, b"m")], "grpc_message", ["m"]),
    (b"application/grpcs", [grpc_frame(0, b"m")], "grpc_message", []),
    (b"application/grpc-web-text", [b64encode(grpc_frame(0, b"m"))], "grpc_message", ["m"]),
    (b"text/plain", [b"1\n"], "json_line", []),
]


@pytest.mark.parametrize(("kind", "pieces", "record", "data"), STREAMS)
def test_the_media_type_says_what_content_is_a_stream_of(
    kind: bytes, pieces: list[bytes], record: str, data: list[str | None]
) -> None:
    chunks = [chunk(piece) for piece in pieces]
    for coded in (False, True):
        fields = CHUNKED + kind + b"\r\n"
        if coded:
            fields += b"Content-Encoding: gzip\r\n"
            chunks = [chunk(gzip.compress(b"".join(pieces), mtime=0))]
        records = answer(fields, *chunks, b"0\r\n\r\n")
        found = [one for one in records if isinstance(one, BodyElement)]
        assert [one.data for one in found] == data
        assert {one.record for one in found} <= {record}


def test_an_element_has_its_packets_and_its_place() -> None:
    records = answer(b"Content-Type: application/x-ndjson\r\n", b'{"a"', b":1}\n2\n", b"3\n")
    found = [one for one in records if isinstance(one, JsonLineRecord)]
    begin = next(one for one in records if one.record == "response").length
    places = [(one.offset - begin, one.length, one.index, one.size) for one in found]
    assert places == [(0, 8, 0, 7), (8, 2, 1, 1), (10, 2, 2, 1)]
    first, second, third = found
    assert first.first_packet < first.last_packet == second.first_packet < third.first_packet
    assert first.last_time == second.last_time


def test_a_part_has_its_header() -> None:
    data = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--"
    records = answer(CHUNKED + b"multipart/mixed; boundary=b\r\n", chunk(data), b"0\r\n\r\n")
    (part,) = (one for one in records if isinstance(one, PartRecord))
    assert part.headers == [("Content-Type", "text/plain")]


def test_a_body_without_framing_has_a_run_for_each_packet() -> None:
    for fields in (b"Content-Length: 6\r\n", b"Connection: close\r\n"):
        records = answer(fields, b"ab", b"cd\xff", b"f")
        runs = [one for one in records if isinstance(one, DataRecord)]
        assert [(one.size, one.data, one.encoding) for one in runs] == [
            (2, "ab", "utf-8"), (3, "Y2T/", "base64"), (1, "f", "utf-8"),
        ]  # fmt: skip
        for before, after in pairwise(runs):
            assert before.offset + before.length == after.offset
            assert before.last_packet < after.first_packet == after.last_packet
            assert before.last_time < after.first_time
        assert kinds(records)[-2] == "body" or kinds(records)[-1] == "body"


def test_a_chunked_body_has_no_runs() -> None:
    assert "data" not in kinds(answer(CHUNKED + b"text/plain\r\n", chunk(b"x"), b"0\r\n\r\n"))


def test_a_long_run_is_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.decode.runs.MAX_DATA_RUN", 4)
    records = answer(b"Content-Length: 10\r\n", b"0123456789")
    assert [one.data for one in records if isinstance(one, DataRecord)] == ["0123", "4567", "89"]


def test_elements_go_on_after_a_hole() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n1\n2")
    talk.lose("server", 5)
    talk.server(b"3\n4\n")
    talk.close()
    records = talk.tape.records()
    assert [one.data for one in records if isinstance(one, JsonLineRecord)] == ["1", "4"]
    assert "json-resynchronised" in codes(records)


def test_requests_have_elements_too_but_no_events() -> None:
    fields = [(b"Content-Type", b"application/x-ndjson")]
    assert isinstance(element_decoder(fields, "content-length", "client"), JsonLinesDecoder)
    assert element_decoder([(b"Content-Type", b"text/event-stream")], "chunked", "client") is None


def test_counted_json_was_there_before_it_was_sent() -> None:
    fields = [(b"Content-Type", b"application/json; charset=utf-8")]
    assert element_decoder(fields, "content-length", "server") is None
    assert isinstance(element_decoder(fields, "close", "server"), JsonStreamDecoder)


@pytest.mark.parametrize(
    ("parameters", "boundary"),
    [
        (b"boundary=b", b"b"),
        (b' charset=x; Boundary="a b"', b"a b"),
        (b'boundary="a\\"b"', b'a"b'),
        (b"boundary=--frame; x=y", b"--frame"),
        (b"xboundary=b", b""),
        (b"", b""),
    ],
)
def test_boundary(parameters: bytes, boundary: bytes) -> None:
    assert boundary_of(parameters) == boundary


def test_names_elements() -> None:
    assert names_elements(b"Application/X-NDJSON; charset=utf-8")
    assert names_elements(b"multipart/mixed;boundary=b")
    assert not names_elements(b"application/json")
    assert not names_elements(b"")


def test_an_element_that_is_known_later_ends_where_its_last_byte_was() -> None:
    """What comes behind it in other packets, many of them, is not its own."""
    kinds_of_body = [
        (b"multipart/mixed; boundary=b", b"--b\r\n\r\nx", b"\r\n--b\r\n\r\ny"),
        (b"application/json", b'{"a":1}', b" " * 90 + b'\n{"b":2}'),
    ]
    for kind, element, behind in kinds_of_body:
        pieces = [chunk(bytes([byte])) for byte in behind]
        records = answer(CHUNKED + kind + b"\r\n", chunk(element), *pieces)
        found = next(one for one in records if isinstance(one, BodyElement))
        first_chunk = next(one for one in records if one.record == "chunk")
        assert found.first_packet == found.last_packet == first_chunk.last_packet
        assert found.last_time == first_chunk.last_time
