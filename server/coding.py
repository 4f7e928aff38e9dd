"""Streamed bodies, and gzip over them where the client takes it.

Strategy: one compressor per response. Flushed after each piece (Z_SYNC_FLUSH, RFC 1951 section
3.2.4) it lets the piece out at once, at the cost of some bytes; not flushed it holds nearly
everything until the end, which is how a stream comes to arrive all at once.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from starlette.requests import Request

STREAM_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would hold the stream back
    "X-Content-Type-Options": "nosniff",  # browsers hold text/plain back to guess what it is
}
_GZIP_WBITS = 16 + zlib.MAX_WBITS


def accepts_gzip(accept_encoding: str) -> bool:
    """Say whether an Accept-Encoding field allows gzip (RFC 9110 section 12.5.3)."""
    weights: dict[str, bool] = {}
    for element in accept_encoding.lower().split(","):
        coding, _, weight = element.partition(";")
        # weight = OWS ";" OWS "q=" qvalue; the qvalue 0 has up to three decimals
        weights[coding.strip()] = weight.strip() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return weights.get("gzip", weights.get("*", False))


async def gzipped(pieces: AsyncIterator[bytes], *, flush: bool) -> AsyncIterator[bytes]:
    """Yield ``pieces`` as one gzip member (RFC 1952); with ``flush`` each can be read at once."""
    compressor = zlib.compressobj(wbits=_GZIP_WBITS)
    async for piece in pieces:
        coded = compressor.compress(piece)
        yield coded + compressor.flush(zlib.Z_SYNC_FLUSH) if flush else coded
    yield compressor.flush()


def streamed(pieces: AsyncIterator[bytes], media_type: str) -> StreamingResponse:
    """Return a response that sends each piece as one chunk."""
    return StreamingResponse(pieces, media_type=media_type, headers=STREAM_HEADERS)


def streamed_gzip(
    request: Request, pieces: AsyncIterator[bytes], media_type: str, *, flush: bool
) -> StreamingResponse:
    """Return the same in gzip, if the client takes it."""
    headers = {**STREAM_HEADERS, "Vary": "Accept-Encoding"}
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        pieces = gzipped(pieces, flush=flush)
    return StreamingResponse(pieces, media_type=media_type, headers=headers)
