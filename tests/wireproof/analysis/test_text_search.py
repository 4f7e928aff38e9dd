"""In which exchanges a text was, wherever it stood and however it was cut."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from support.talk import Talk
from support.timed import Socket, Stream, chunk

from parsers.records import Record
from wireproof.analysis.text_search import TextSearch
from wireproof.open_exchanges import Key


def has(records: Iterable[Record], text: str) -> bool:
    search = TextSearch(text)
    for record in records:
        search.add(record)
    return search.take(Key(0, 0))


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        ("GET /chat", True),
        ("Host: 127.0.0.1", True),
        ("text/event-stream", True),
        ("token 3", True),
        ("token 4", False),
        ("TOKEN 3", False),
    ],
)
def test_heads_and_events_are_looked_through(text: str, is_in: bool) -> None:
    assert has(Stream().events(3, every=0.1).end().tape.records(), text) is is_in


@pytest.mark.parametrize("text", ["needle", "n", "ne", "dle", "naïve"])
def test_text_that_chunks_cut_is_found(text: str) -> None:
    stream = Stream(fields=b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n")
    content = "a needle, naïve".encode()
    for byte in content:
        stream.talk.server(chunk(bytes([byte])))
    assert has(stream.end().tape.records(), text)


def test_text_that_packets_cut_is_found_in_a_counted_body() -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", b"nee", b"dle")
    talk.close()
    assert has(talk.tape.records(), "needle")
    assert not has(talk.tape.records(), "needles")


def test_the_sides_are_apart() -> None:
    talk = Talk().open()
    talk.client(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnee")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ndle")
    assert not has(talk.tape.records(), "needle")


def test_messages_that_are_no_text_are_looked_through() -> None:
    socket = Socket()
    socket.talk.server(b"\x82\x08\xff needle")
    socket.talk.close()
    assert has(socket.tape.records(), "needle")


def test_what_is_over_is_forgotten() -> None:
    search = TextSearch("needle")
    for record in Stream().chunks([b"data: needle\n\n"], every=0.1).tape.records():
        search.add(record)
    assert search.take(Key(0, 0))
    assert not search.take(Key(0, 0))
    assert (search._tails, search._found) == ({}, set())
