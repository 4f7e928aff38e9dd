"""Which moments of a stream count as what."""

from __future__ import annotations

import json

import pytest
from support.timed import Stream, chunk

from parsers.records import Record
from wireproof.analysis.judges import explain
from wireproof.analysis.latency.times import ASSUMED, Times, times_of


def times(records: list[Record]) -> Times | None:
    [explained] = explain(records)
    return times_of(explained.trace)


def test_of_a_stream_without_dialect_every_event_is_content() -> None:
    stream = Stream(thinking=0.5).events(3, every=0.2)
    stream.chunks(
        [b": keep-alive\n\n", b"event: ping\ndata: {}\n\n", b"data: [DONE]\n\n"], every=0.1
    )
    found = times(stream.end().tape.records())
    assert found is not None
    assert found.headers == pytest.approx(0.5, abs=0.01)
    assert found.contents == pytest.approx([0.7, 0.9, 1.1], abs=0.01)
    assert found.chunks == pytest.approx([0.7, 0.9, 1.1, 1.3], abs=0.01)
    assert (found.tokens, found.tokens_from) == (3, ASSUMED)
    assert found.tokens_per_event == 1.0
    assert found.end == pytest.approx(1.4, abs=0.01)


def test_a_request_counts_from_the_last_byte_of_its_body() -> None:
    body = json.dumps({"stream": True}).encode()
    stream = Stream(request=b"Content-Length: %d\r\n" % len(body))
    # The header is on the wire before the request's body is: a server may answer early.
    stream.tape.wait(1.0)
    stream.talk.client(body)
    found = times(stream.events(2, every=0.5).end().tape.records())
    assert found is not None
    assert found.upload == pytest.approx(1.0, abs=0.01)
    assert found.contents == pytest.approx([0.5, 1.0], abs=0.01)


def test_plain_text_in_chunks_is_measured_by_its_chunks() -> None:
    fields = b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
    stream = Stream(fields=fields).chunks([b"Hel", b"lo"], every=0.3)
    found = times(stream.end().tape.records())
    assert found is not None
    assert found.contents == pytest.approx([0.3, 0.6], abs=0.01), "the last chunk is none"
    assert found.tokens == len(found.chunks) == 2


def test_nothing_streamed_is_nothing_to_measure() -> None:
    stream = Stream(fields=b"Content-Length: 0\r\n")
    stream.talk.close()
    assert times(stream.tape.records()) is None
    assert chunk(b"") == b"0\r\n\r\n"
