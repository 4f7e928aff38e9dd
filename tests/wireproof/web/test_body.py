"""A body as it grew."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from support.answers import GET, asked, chunk, streamed
from support.talk import Talk

from wireproof.web import body as module

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def texts(answer: dict[str, Any]) -> list[str]:
    return [text for _, _, text, _ in answer["pieces"]]


def test_each_packet_has_its_piece() -> None:
    with asked(streamed(b"data: one\n\n", b"data: two\n\n")) as ask:
        answer = ask("body/0.0/server")
        assert texts(answer) == ["data: one\n\n", "data: two\n\n"]
        assert [packet for _, packet, *_ in answer["pieces"]] == [6, 7]
        assert (answer["more"], answer["binary"]) == (False, False)


def test_a_character_that_a_border_cuts_goes_to_the_piece_that_completes_it() -> None:
    whole = "größe".encode()
    with asked(streamed(whole[:3], whole[3:])) as ask:
        assert texts(ask("body/0.0/server")) == ["gr", "öße"]


def test_coded_content_is_decoded_as_it_came() -> None:
    coded = gzip.compress(b"hello, hello, hello")
    talk = Talk().open()
    talk.client(GET)
    talk.server(HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    talk.server(chunk(coded[:12]), chunk(coded[12:]), b"0\r\n\r\n")
    talk.close()
    with asked(talk) as ask:
        assert "".join(texts(ask("body/0.0/server"))) == "hello, hello, hello"


def test_a_body_without_chunks_is_cut_by_its_packets() -> None:
    talk = Talk().open()
    talk.client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc", b"def")
    talk.server(HEAD + b"Content-Length: 4\r\n\r\nwx", b"yz")
    talk.close()
    with asked(talk) as ask:
        assert texts(ask("body/0.0/server")) == ["wx", "yz"]
        assert texts(ask("body/0.0/client")) == ["abc", "def"]


def test_no_body_has_no_pieces() -> None:
    with asked(streamed(b"data: one\n\n")) as ask:
        assert texts(ask("body/0.0/client")) == []


def test_what_is_shown_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 20)
    with asked(streamed(*[b"data: %d\n\n" % number for number in range(9)])) as ask:
        answer = ask("body/0.0/server")
        assert answer["more"] is True
        assert len(answer["pieces"]) == 3


def test_bytes_that_are_no_text_are_said_to_be_none() -> None:
    with asked(streamed(b"\x00\xff\x00")) as ask:
        assert ask("body/0.0/server")["binary"] is True
