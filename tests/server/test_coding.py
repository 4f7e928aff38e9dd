from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Iterable

import pytest
from starlette.requests import Request

from server import coding


async def _each(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _gzipped(pieces: list[bytes], *, flush: bool) -> list[bytes]:
    async def collect() -> list[bytes]:
        return [piece async for piece in coding.gzipped(_each(pieces), flush=flush)]

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZip", True),
        ("br, gzip;q=0.5", True),
        ("br , gzip ; q=1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("identity", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("br, *;q=0.1", True),
        ("gzipped", False),
    ],
)
def test_accepts_gzip(accept_encoding: str, accepted: bool) -> None:
    assert coding.accepts_gzip(accept_encoding) is accepted


PIECES = [b"one", b"two", b"", b"three" * 100]


def test_flushed_pieces_can_be_read_at_once() -> None:
    coded = _gzipped(PIECES, flush=True)
    reader = zlib.decompressobj(wbits=31)
    assert [reader.decompress(piece) for piece in coded] == [*PIECES, b""]
    assert reader.eof


def test_held_pieces_come_at_the_end() -> None:
    coded = _gzipped(PIECES, flush=False)
    reader = zlib.decompressobj(wbits=31)
    read = [reader.decompress(piece) for piece in coded]
    assert read == [b""] * len(PIECES) + [b"".join(PIECES)]


@pytest.mark.parametrize("flush", [False, True])
def test_gzip_is_the_same_each_time(flush: bool) -> None:
    first, second = (b"".join(_gzipped(PIECES, flush=flush)) for _ in range(2))
    assert first == second
    assert gzip.decompress(first) == b"".join(PIECES)


def _request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "headers": list(headers)})


@pytest.mark.parametrize(
    ("headers", "encoding"),
    [([], None), ([(b"accept-encoding", b"br")], None), ([(b"accept-encoding", b"gzip")], "gzip")],
)
def test_gzip_only_for_who_takes_it(headers: list[tuple[bytes, bytes]], encoding: str) -> None:
    response = coding.streamed_gzip(_request(*headers), _each(PIECES), "text/plain", flush=True)
    assert response.headers.get("Content-Encoding") == encoding
    assert response.headers["Vary"] == "Accept-Encoding"


def test_streams_ask_not_to_be_held_back() -> None:
    headers = coding.streamed(_each(PIECES), "text/plain").headers
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Vary" not in headers
