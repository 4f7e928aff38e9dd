"""Switches of protocol: what is held behind a request for one, accepted or refused."""

from __future__ import annotations

import pytest
from support.cuts import byte_by_byte, events
from support.http1 import (
    GET,
    OK,
    SPLITS,
    SWITCHING,
    UPGRADE,
    codes,
    content,
    ends,
    joined,
    of,
    responses,
)

from parsers.http1 import states as http1_states
from parsers.http1.decoder import EndOfMessage, Request, RequestDecoder, Response

# --- switches of protocol ---


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (UPGRADE, "upgrade"),
        (UPGRADE.replace(b"websocket", b"h2c"), "upgrade"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "connect"),
    ],
)
def test_behind_a_request_to_switch_bytes_are_held(split, request_, why):
    decoder = RequestDecoder(3)
    found = events(decoder, request_ + b"\x81\x00" + GET, split)
    assert ends(found) == [(None, True)]
    assert of(Request, found)[0].asks_upgrade
    assert (decoder.paused, decoder.paused_for) == (True, why)
    assert decoder.release() == (3 + len(request_), b"\x81\x00" + GET)
    assert not decoder.paused
    assert decoder.receive_data(b"more") == []
    assert decoder.receive_gap(2) == []


def test_a_request_to_switch_has_its_body_first():
    decoder = RequestDecoder()
    data = UPGRADE[:-2] + b"Content-Length: 3\r\n\r\nabc"
    found = events(decoder, data + b"\x81\x00")
    assert content(found) == b"abc"
    assert decoder.release() == (len(data), b"\x81\x00")


@pytest.mark.parametrize("split", SPLITS)
def test_a_switch_that_is_refused(split):
    decoder = RequestDecoder()
    found = events(decoder, UPGRADE + GET + UPGRADE + GET, split, eof=False)
    found += decoder.resume()
    assert decoder.paused
    found += decoder.resume()
    assert not decoder.paused
    assert joined(found) == joined(
        event
        for start, data in (
            (0, UPGRADE),
            (len(UPGRADE), GET),
            (len(UPGRADE + GET), UPGRADE),
            (len(UPGRADE + GET + UPGRADE), GET),
        )
        for event in RequestDecoder(start).receive_data(data)
    )


def test_the_end_of_the_stream_waits_too():
    decoder = RequestDecoder()
    assert codes(events(decoder, UPGRADE + b"GET /")) == []
    assert codes(decoder.resume()) == ["http-message-cut"]


def test_gaps_among_held_bytes():
    decoder = RequestDecoder()
    decoder.receive_data(UPGRADE + b"abc")
    decoder.receive_gap(4)
    decoder.receive_data(b"def")
    decoder.receive_gap(1)
    start = len(UPGRADE)
    assert decoder.release() == (start, b"abc")
    assert decoder.release() == (start + 7, b"def")
    assert decoder.paused
    assert decoder.release() == (start + 11, b"")
    assert not decoder.paused


def test_gaps_among_held_bytes_of_a_switch_that_is_refused():
    decoder = RequestDecoder()
    decoder.receive_data(UPGRADE + GET[:5])
    decoder.receive_gap(4)
    decoder.receive_data(b"\r\n" + GET)
    decoder.receive_gap(1)
    found = decoder.resume()
    assert codes(found) == ["http-message-cut", "http-resynchronised"]
    assert of(Request, found)[0].start == len(UPGRADE) + 11


def test_a_gap_over_the_end_of_a_body_before_a_switch():
    decoder = RequestDecoder()
    decoder.receive_data(UPGRADE[:-2] + b"Content-Length: 3\r\n\r\na")
    found = decoder.receive_gap(5)
    assert ends(found) == [("content-length", False)]
    end = of(EndOfMessage, found)[0].end
    decoder.receive_data(b"xyz")
    assert decoder.release() == (end + 3, b"xyz")


def test_what_is_held_has_a_limit(monkeypatch):
    monkeypatch.setattr(http1_states, "MAX_HELD_UPGRADE", 4)
    decoder = RequestDecoder()
    found = events(decoder, UPGRADE + b"abcdefgh", byte_by_byte)
    assert codes(found) == ["http-upgrade-limit"]
    assert decoder.release() == (len(UPGRADE), b"abcd")
    assert decoder.release() == (len(UPGRADE) + 8, b"")


@pytest.mark.parametrize("split", SPLITS)
def test_the_preface_of_http_2(split):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    decoder = RequestDecoder(2)
    assert events(decoder, preface + b"\x00", split) == []
    assert decoder.paused_for == "http2"
    refused = RequestDecoder(2)
    events(refused, preface, split, eof=False)
    assert codes(refused.resume()) == [
        "http-version-unsupported",
        "http-host-invalid",
        "http-start-line-invalid",
    ]
    assert not refused.paused
    assert decoder.release() == (2, preface + b"\x00")


@pytest.mark.parametrize("split", SPLITS)
def test_responses_that_switch(split):
    for asked, head, why in (
        ((b"GET", True), SWITCHING, "upgrade"),
        (b"CONNECT", b"HTTP/1.1 200 OK\r\n\r\n", "connect"),
    ):
        decoder = responses(asked)
        found = events(decoder, head + b"\x81\x00", split)
        assert of(Response, found)[0].framing == "upgrade"
        assert ends(found) == [(None, True)]
        assert decoder.paused_for == why
        assert codes(found) == []
        assert decoder.release() == (len(head), b"\x81\x00")


@pytest.mark.parametrize("split", SPLITS)
def test_behind_a_refusal_the_next_request_is_awaited(split):
    decoder = responses((b"GET", True))
    found = events(decoder, OK + OK, split, eof=False)
    assert len(of(Response, found)) == 1
    assert (decoder.paused, decoder.paused_for) == (True, "refusal")
    decoder.expect(b"HEAD", False)
    found = decoder.resume()
    assert codes(found) == []
    assert ends(found) == [(None, True)]
    assert of(Response, found)[0].start == len(OK)


def test_a_refusal_that_closes_the_connection():
    decoder = responses((b"GET", True))
    head = b"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    events(decoder, head + b"x", eof=False)
    # It is said when it is known how much it is.
    assert codes(decoder.resume() + decoder.receive_eof()) == ["http-data-after-close"]


def test_a_switch_that_nobody_asked_for():
    decoder = responses((b"GET", False), (b"GET", False))
    found = events(decoder, SWITCHING + OK)
    assert codes(found) == ["http-upgrade-unasked"]
    assert not decoder.paused
    assert of(Response, found)[0].framing == "none"
    # Where the request was not captured, it is believed.
    decoder = responses()
    assert codes(events(decoder, SWITCHING + b"\x81\x00")) == ["http-response-unasked"]
    assert decoder.paused


# --- whole messages that another has read ---


def test_what_is_held_before_a_switch():
    decoder = RequestDecoder()
    assert (decoder.held, decoder.switch_offset) == ((0, 0), 0)
    size = len(UPGRADE)
    decoder.receive_data(UPGRADE)
    assert (decoder.held, decoder.switch_offset) == ((size, 0), size)
    decoder.receive_gap(2)
    decoder.receive_data(b"abc")
    assert (decoder.held, decoder.switch_offset) == ((size, 5), size + 2)
    assert decoder.open_offsets == (size,)
    decoder.release()
    assert decoder.held == (0, 0)
    assert decoder.open_offsets == ()
