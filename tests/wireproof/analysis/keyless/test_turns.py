"""Requests and answers by their records' sizes; and what only looks like content."""

from __future__ import annotations

from typing import Any

import pytest
from support.sealed import ACKS, FLIGHT, HTTP2, TICKETS, Line, events, sealed, tls

from wireproof.analysis.keyless.turns import may_be_http2, turns_of

H1: dict[str, Any] = {"alpn_offered": ["http/1.1"]}
TLS12: dict[str, Any] = {"version": "TLSv1.2", "cipher": "TLS_RSA_WITH_AES_128_GCM_SHA256"}
MIDSTREAM: dict[str, Any] = {
    "version": None, "cipher": None, "alpn_offered": [], "client_hello_time": None,
    "server_hello_time": None,
}  # fmt: skip


def contents(lines: list[Line], **changed: Any) -> list[list[int]]:
    """The contents of each answer."""
    return [
        [one.size - 17 for one in turn.records] for turn in turns_of(tls(**changed), sealed(lines))
    ]


def test_http2() -> None:
    lines = [*FLIGHT, *HTTP2, *ACKS, *events(116, 49, 47, 50, 35), ("server", 250, 9)]
    assert contents(lines) == [[116, 49, 47, 50, 35]]


def test_http11() -> None:
    request: list[Line] = [("client", 3, 81)]
    lines = [*FLIGHT, TICKETS[0], *request, TICKETS[1], *events(80, 24, 24), ("server", 200, 5)]
    assert contents(lines, **H1) == [[80, 24, 24]]


@pytest.mark.parametrize(
    "early",
    [
        [],  # no ticket
        [("server", 2.5, 130)],  # one, as Go sends it before the client's Finished is there
        TICKETS,
        [("server", 4, 233)] * 4,
    ],
)
def test_tickets_are_none(early: list[Line]) -> None:
    asked: list[Line] = [("client", 3, 64), ("client", 3, 43)]
    lines = [*FLIGHT, *early[:1], *asked, *early[1:], ("server", 4, 49), *events(90, 40, 41)]
    assert contents(lines) == [[90, 40, 41]]


def test_answers_of_equal_size_are_no_tickets() -> None:
    lines: list[Line] = [*FLIGHT, ("client", 3, 81), *events(*[120] * 9)]
    assert contents(lines, **H1) == [[120] * 9]
    lines = [*FLIGHT, ("client", 3, 81), *events(120, 120)]
    assert contents(lines, **H1) == [[120] * 2]


@pytest.mark.parametrize("settings", [9, 15, 51, 9 + 13, 15 + 9, 27 + 13 + 9])
def test_settings_are_none(settings: int) -> None:
    asked: list[Line] = [("client", 3, 64), ("client", 3, 43), ("server", 4, settings)]
    assert contents([*FLIGHT, *asked, *events(90, 40, 41)]) == [[90, 40, 41]]


def test_settings_with_more_in_their_record_are_an_answer() -> None:
    asked: list[Line] = [("client", 3, 64), ("client", 3, 43), ("server", 4, 49 + 130)]
    assert contents([*FLIGHT, *asked, *events(40, 41)]) == [[179, 40, 41]]


def test_a_preface_alone_asks() -> None:
    """With the first request in one record, or in HTTP/1.1, which has none."""
    assert contents([*FLIGHT, ("client", 3, 64), *events(90, 40, 41)]) == [[90, 40, 41]]


@pytest.mark.parametrize(
    "control",
    [
        [("client", 120, 13)],  # WINDOW_UPDATE
        [("client", 120, 26)],  # two of them
        [("client", 120, 17), ("server", 121, 17)],  # PING, and its answer
        [("client", 120, 9)],  # SETTINGS, acknowledged
        [("client", 120, 5)],  # KeyUpdate
        [("server", 120, 5)],
        [("server", 120, 13)],
        [("server", 120, 17), ("client", 121, 17)],
    ],
)
def test_control_neither_asks_nor_answers(control: list[Line]) -> None:
    lines = [*FLIGHT, *HTTP2, *events(90, 40, 41, 42)]
    assert contents(lines) == [[90, 40, 41, 42]]
    lines += control
    assert contents(sorted(lines, key=lambda line: line[1])) == [[90, 40, 41, 42]]


def test_small_elements_are_content() -> None:
    """Events of eight bytes are as long as a PING; nobody answers them."""
    assert contents([*FLIGHT, *HTTP2, *events(90, *[17] * 8)]) == [[90, *[17] * 8]]
    assert contents([*FLIGHT, *HTTP2, *events(90, *[13] * 8)]) == [[90, *[13] * 8]]


def test_pings_alone_are_none() -> None:
    pings: list[Line] = []
    for at in range(100, 600, 100):
        pings += [("server", at, 17), ("client", at + 1, 17)]
    assert contents([*FLIGHT, *HTTP2, *pings]) == []


def test_a_reset_is_no_element() -> None:
    assert contents([*FLIGHT, *HTTP2, *events(60, 18, 18, 18, 13)]) == [[60, 18, 18, 18]]


@pytest.mark.parametrize("last", [2, 9])
def test_what_ends_is_no_element(last: int) -> None:
    assert contents([*FLIGHT, *HTTP2, *events(90, 40, 41, last)]) == [[90, 40, 41]]


def test_several_requests() -> None:
    second: list[Line] = [("client", 500, 33)]
    lines = [*FLIGHT, *HTTP2, *events(90, 40, 41), *second, *events(24, 16, 15, start=510)]
    assert contents(lines) == [[90, 40, 41], [24, 16, 15]]


def test_a_request_in_several_records() -> None:
    upload: list[Line] = [("client", 3, 120), ("client", 4, 16_000), ("client", 5, 900)]
    (turn,) = turns_of(tls(**H1), sealed([*FLIGHT, *upload, *events(90, 40, 41)]))
    assert turn.asked is not None
    assert turn.asked.size == 917


def test_frames_of_a_websocket_ask_nothing_while_they_are_short() -> None:
    """A pong of six bytes does not part what the server sends."""
    lines = [*FLIGHT, ("client", 3, 200), *events(129, 40, 41, 42), ("client", 120, 6)]
    assert contents(sorted(lines, key=lambda line: line[1]), **H1) == [[129, 40, 41, 42]]


def test_early_data_asks() -> None:
    lines: list[Line] = [
        ("client", 0, 81), ("server", 1, 15), ("server", 1, 52), ("server", 1.5, 90),
        ("client", 2, 4), ("client", 2, 52), *events(40, 41),
    ]  # fmt: skip
    assert contents(lines, **H1, early_data=True) == [[90, 40, 41]]


def test_without_a_finished_that_can_be_told() -> None:
    """Padding hides it: then the server's flight is what came before the client's first record,
    and nothing is skipped that may be content."""
    lines: list[Line] = [("client", 3, 128), ("client", 3, 256), *events(512, 512, 512)]
    assert contents(lines, **H1) == [[512, 512, 512]]


def test_tls12() -> None:
    lines: list[Line] = [("server", 1, 33), ("client", 3, 57), ("client", 3, 40)]
    found = turns_of(
        tls(**TLS12, alpn="h2"), sealed([*lines, *events(116, 49, 49), ("server", 200, 9)], 24)
    )
    assert [[one.size - 24 for one in turn.records] for turn in found] == [[116, 49, 49]]


def test_joined_in_the_middle() -> None:
    """What asked is not there; nothing is taken for a handshake."""
    (turn,) = turns_of(tls(**MIDSTREAM), sealed(events(49, 52, 49, 47)))
    assert turn.asked is None
    assert [one.size - 17 for one in turn.records] == [49, 52, 49, 47]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        (H1, False),
        ({"alpn": "h2"}, True),
        ({"alpn": "http/1.1"}, False),
        (TLS12, False),
        (MIDSTREAM, True),
        ({"alpn_offered": []}, False),
    ],
)
def test_may_be_http2(changed: dict[str, Any], expected: bool) -> None:
    assert may_be_http2(tls(**changed)) is expected


def test_nothing() -> None:
    assert contents([]) == []
    assert contents(FLIGHT) == []
    assert contents([*FLIGHT, *HTTP2]) == []
