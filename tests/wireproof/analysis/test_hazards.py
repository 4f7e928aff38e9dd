"""Legal bytes on which some clients stumble, and those that look like them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import pytest
from support.judged import causes, verdicts
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, LAST_CHUNK, Stream, chunk, event

from wireproof.analysis.hazard_table import HAZARDS

UTF8 = b"Content-Type: text/event-stream; charset=utf-8\r\n"
GZIP = b"Content-Encoding: gzip\r\n"


def found(pieces: Sequence[bytes], fields: bytes = UTF8 + CHUNKED) -> list[str]:
    stream = Stream(fields=fields).chunks(pieces, every=0.02).end()
    return [code for one in verdicts(stream.tape, "hazard") for code in causes(one)]


def data(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


CASES: dict[str, tuple[Sequence[bytes], list[str]]] = {
    "plain": ([data("hello"), data("world")], []),
    "several events a chunk": ([data("hello") + data("world")], []),
    "a character cut": (
        [data("北京")[:7], data("北京")[7:]],
        ["character-cut", "event-over-chunks"],
    ),
    "no character, but between two": ([data("北京")[:9], data("北京")[9:]], ["event-over-chunks"]),
    "CRLF": ([b"data: a\r\n\r\n"], ["crlf-line-ends"]),
    "CR": ([b"data: a\r\rdata: b\r\r"], ["crlf-line-ends"]),
    "CRLF cut": (
        [b"data: a\r", b"\n\r\n"],
        ["crlf-cut", "crlf-line-ends", "event-over-chunks"],
    ),
    "U+2028": ([data("a\u2028b")], ["line-separator"]),
    "NEL": ([data("a\u0085b")], ["line-separator"]),
    "VT": ([data("a\x0bb")], ["line-separator"]),
    "U+2028, escaped": ([data("a\\u2028b")], []),
    "U+2027": ([data("a\u2027b")], []),
    "two data lines": ([b"data: a\ndata: b\n\n"], ["multi-line-data"]),
    "a name alone": ([b"event: ping\n\n"], ["event-without-data"]),
    "an ID alone": ([b"id: 7\n\n"], []),
    "empty data": ([b"data:\n\n"], ["empty-data"]),
    "a comment": ([b": ping\n\n", data("a")], []),
    "a comment after an ID": ([event(1), b": ping\n\n"], ["comment-after-id"]),
    "no blank line": ([data("a"), b"data: b"], ["no-final-blank-line"]),
}


@pytest.mark.parametrize("name", CASES)
def test_each_hazard_is_found(name: str) -> None:
    pieces, codes = CASES[name]
    assert found(pieces) == codes


@pytest.mark.parametrize(
    ("fields", "text", "codes"),
    [
        (EVENT_STREAM, "✅", ["no-charset"]),
        (EVENT_STREAM, "ok", []),
        (UTF8, "✅", []),
    ],
)
def test_a_charset_is_missed_where_it_matters(fields: bytes, text: str, codes: list[str]) -> None:
    assert found([data(text)], fields + CHUNKED) == codes


def test_json_has_no_charset_to_name() -> None:
    for kind, codes in ((b"application/x-ndjson", []), (b"text/event-stream", ["no-charset"])):
        fields = b"Content-Type: " + kind + b"\r\n" + CHUNKED
        line = b'{"a": "\xc3\xa9"}\n' if not codes else data("é")
        assert found([line], fields) == codes


def test_members_of_a_coding_are_a_hazard() -> None:
    members = [gzip.compress(data("a")), gzip.compress(data("b"))]
    assert found(members, UTF8 + CHUNKED + GZIP) == ["coding-members"]
    assert found([gzip.compress(data("a") + data("b"))], UTF8 + CHUNKED + GZIP) == []


def test_bytes_of_a_coding_are_no_characters() -> None:
    compressed = gzip.compress(data("北京" * 20))
    pieces = [compressed[start : start + 7] for start in range(0, len(compressed), 7)]
    assert "character-cut" not in found(pieces, UTF8 + CHUNKED + GZIP)


def test_nothing_else_is_said_of_what_no_field_declares() -> None:
    assert found([gzip.compress(data("a") * 9)]) == ["coding-undeclared"]


def test_a_hazard_is_a_note_with_its_reports_and_packets() -> None:
    stream = Stream(fields=UTF8 + CHUNKED).chunks([data("a\u2028b")] * 3, every=0.02).end()
    [verdict] = verdicts(stream.tape, "hazard")
    assert verdict.severity == "note"
    assert verdict.numbers == {"line-separator": 3}
    assert verdict.packets == (6,)
    assert "florimondmanca/httpx-sse#34" in verdict.causes[0].summary


@pytest.mark.parametrize("code", HAZARDS)
def test_each_row_says_who_stumbles(code: str) -> None:
    row = HAZARDS[code]
    assert row.seen and row.who and row.remedy
    assert all("/" in report and "#" in report for report in row.reports)


def hazards(asked: bytes, *answer: bytes) -> list[str]:
    talk = Talk().open()
    talk.client(asked)
    talk.server(*answer)
    talk.close()
    return [code for one in verdicts(talk.tape, "hazard") for code in causes(one)]


OK = b"HTTP/1.1 200 OK\r\n"
GET = b"GET / HTTP/%s\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("version", "answer", "codes"),
    [
        (b"1.1", [OK + b"Content-Length: 3\r\n\r\nhello"], ["surplus"]),
        (b"1.1", [OK + b"Content-Length: 5\r\n\r\nhello"], []),
        (b"1.0", [OK + CHUNKED + b"\r\n", chunk(b"a"), LAST_CHUNK], ["chunked-to-http10"]),
        (b"1.1", [OK + CHUNKED + b"\r\n", chunk(b"a"), LAST_CHUNK], []),
        (
            b"1.1",
            [OK + UTF8 + CHUNKED + b"\r\n", *[chunk(chunk(data("a")))] * 3, LAST_CHUNK],
            ["chunked-twice"],
        ),
        (b"1.1", [OK + UTF8 + b"\r\n", *[chunk(data("a"))] * 3], ["chunks-undeclared"]),
    ],
)
def test_framing_that_clients_stumble_on(
    version: bytes, answer: Sequence[bytes], codes: list[str]
) -> None:
    assert hazards(GET % version, *answer) == codes
