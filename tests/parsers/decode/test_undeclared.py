"""Codings and framing that nothing declares: found by the first bytes, however they are cut."""

from __future__ import annotations

import gzip
import zlib

import pytest

from parsers.decode.undeclared import UndeclaredProbe
from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Data

TWICE = b"e\r\ndata: tick 0\n\n\r\n"
SSE = b"text/event-stream"


def probe(
    data: bytes, kind: bytes = SSE, codings: tuple[str, ...] = (), *, is_chunked: bool = True
) -> tuple[str, int, int] | None:
    """What is found in content at 100 of its stream: the same whole and byte by byte."""
    results = []
    for step in (len(data) or 1, 1, 3):
        looked = UndeclaredProbe(kind, codings, is_chunked=is_chunked)
        found: Diagnostic | None = None
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            content = [Data(100 + start, 100 + start + len(piece), piece, None)]
            found = found or (None if looked.is_over else looked.receive(content))
        results.append(None if found is None else (found.code, found.start, found.end))
    assert results[0] == results[1] == results[2]
    return results[0]


def test_chunked_twice() -> None:
    assert probe(TWICE) is None, "one chunk proves nothing"
    assert probe(TWICE * 2) == ("content-chunked-twice", 121, 122)
    assert probe(TWICE + b"0\r\n\r\n") == ("content-chunked-twice", 121, 122)
    assert probe(b"1;a=b\r\nx\r\n2\r\n") == ("content-chunked-twice", 112, 113)


def test_chunk_framing_that_is_not_declared() -> None:
    assert probe(TWICE * 2, is_chunked=False) == ("content-chunked-undeclared", 121, 122)


def test_coded_content_that_is_not_declared() -> None:
    coded = gzip.compress(b"data: x\n\n", mtime=0)
    assert probe(coded) == ("content-coding-undeclared", 102, 103)
    assert probe(b"\x28\xb5\x2f\xfdxx", b"application/json") == (
        "content-coding-undeclared", 103, 104,
    )  # fmt: skip
    assert probe(zlib.compress(b"data: x\n\n")) == ("content-coding-undeclared", 101, 102)
    assert probe("xڀ".encode()) is None, "78 da, and text"
    assert probe(coded, SSE, ("gzip",)) is None, "it is declared"
    assert probe(coded, b"application/octet-stream") is None, "a file may be gzip"
    assert probe(coded, b"") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"data: x\n\n",
        b"5\n",
        b"abc",
        b"5\r\nab\r\n5\r\n",
        b"face\r\n",
        b"\x1f\x8b",
        b"0\r\n\r\n",
    ],
)
def test_what_only_begins_so(data: bytes) -> None:
    assert probe(data) is None


def test_it_looks_no_further_than_it_must() -> None:
    looked = UndeclaredProbe(SSE, (), is_chunked=True)
    assert looked.receive([Data(0, 1, b"d", None)]) is None
    assert not looked.is_over, "d is a hexadecimal digit"
    assert looked.receive([Data(1, 2, b"a", None), Data(2, 3, b"t", None)]) is None
    assert looked.is_over
