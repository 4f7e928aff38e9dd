"""Our records as elements."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import pytest
from support.beside import CHUNKED, DEFLATE, GET, OK, answered, deflated, upgraded
from support.talk import Talk

from parsers.decode.capture import decode
from wireproof.wireshark.decoded import Decoded, payload
from wireproof.wireshark.elements import MAX_VALUE, Element, content


def elements(data: bytes, kind: str) -> list[Element]:

    return [
        found for found in Decoded(enumerate(decode(BytesIO(data)))).elements if found.kind == kind
    ]


def test_a_payload_is_text_bytes_or_a_digest() -> None:
    assert payload(None, None) == b""
    assert payload("é", "utf-8") == "é".encode()
    assert payload(b64encode(b"\xff").decode(), "base64") == b"\xff"
    assert content(b"abc") == "abc"
    assert content(b"\xff") == b"\xff"
    assert content(b"a" * MAX_VALUE) == "a" * MAX_VALUE
    assert str(content(b"a" * (MAX_VALUE + 1))).startswith("257 bytes, SHA-256 ")


def test_a_chunk_shares_the_facts_of_its_message() -> None:
    data = answered(CHUNKED + b"3\r\nabc\r\nzz\r\n")
    found = {
        element.kind: element for element in Decoded(enumerate(decode(BytesIO(data)))).elements
    }
    response, chunk = found["response"], found["chunk"]
    assert chunk.facts is response.facts
    assert "chunk-size-invalid" in response.facts.codes
    assert not response.facts.complete
    assert chunk.values["boundary"] == "\r\n"


@pytest.mark.parametrize(("line", "reason"), [(b"200 ", None), (b"200 Fine", "Fine")])
def test_an_empty_reason_phrase_is_none_to_tshark(line: bytes, reason: str | None) -> None:
    """Every answer of hypercorn has none (RFC 9112 section 4 lets it)."""
    data = answered(b"HTTP/1.1 " + line + b"\r\nContent-Length: 0\r\n\r\n")
    (response,) = elements(data, "response")
    assert response.values["reason"] == reason


def test_what_the_close_ends_the_fin_completes() -> None:
    (response,) = elements(answered(OK + b"\r\nab", b"c"), "response")
    assert response.values["frame"] == 7
    assert response.values["last_packet"] == 5


def test_a_capture_that_ends_before_the_fin_has_none() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK + b"\r\nab")
    (response,) = elements(talk.tape.file(), "response")
    assert response.values["frame"] == 5


def test_a_message_is_given_to_the_frame_that_completes_it() -> None:
    whole = deflated(b"hello")
    frames = elements(
        upgraded(
            bytes((0x41, 2)) + whole[:2],
            b"\0\1" + whole[2:3],
            bytes((0x80, len(whole) - 3)) + whole[3:],
            b"\x89\0\x8a\1x",
            b"\x88\0",
            extensions=DEFLATE,
        ),
        "websocket_frame",
    )
    first, middle, last, ping, pong, close = frames
    assert "message" not in first.values
    assert "continuation" not in first.values
    assert "continuation" in middle.values
    assert last.values["message"] == "hello"
    assert "continuation" not in last.values
    assert (last.facts.compressed, last.facts.fragments) == (True, 3)
    assert (ping.values["ping"], pong.values["pong"]) == (None, "x")
    assert (close.values["close_code"], close.values["close_reason"]) == (None, None)


def test_a_closed_connection_is_noted() -> None:

    found = Decoded(enumerate(decode(BytesIO(answered(CHUNKED + b"0\r\n\r\n")))))
    assert found.closed == {0: 8}
    assert found.ports == {0: (40_000, 8_000)}


def test_a_fault_before_any_element_is_passed_over() -> None:
    talk = Talk().open()
    talk.client(b"\r\n" + GET)
    talk.server(b"nonsense\r\n\r\n")
    talk.close()
    (request,) = elements(talk.tape.file(), "request")
    assert request.facts.codes == set()
    assert request.facts.gap is None
