"""DATA frames in one pass: what goes by that path, and what does not, is decoded as without it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fast_paths import with_and_without
from support.http2 import EVENTS, GET, Http2Talk, data, framed

from parsers.decode.fast_http2 import FastHttp2
from parsers.files.packets import Packet
from parsers.http2.elements import PREFACE, SETTINGS, WINDOW_UPDATE

EVENT = b"id: 1\nevent: t\ndata: a\n\n"
FIRST = 2 * (9 + len(EVENT))
"""Bytes of the first frames of both streams."""
ACK = framed(SETTINGS, 1, 0)
PIECES = {
    "an event": data(1, EVENT),
    "another stream": data(3, b"data: b\n\n"),
    "with CRLF": data(1, b"data: c\r\n\r\n"),
    "not ASCII": data(1, "data: \u00e9\n\n".encode()),
    "no UTF-8": data(1, b"data: \xff\n\n"),
    "an empty type": data(1, b"event: \ndata: d\n\n"),
    "a comment": data(1, b": ping\n\n"),
    "two events": data(1, b"data: e\n\ndata: f\n\n"),
    "half an event": data(1, b"data: g"),
    "its end": data(1, b"\n\n"),
    "padded": framed(0, 8, 1, b"\x02data: h\n\n\0\0"),
    "empty": data(1, b""),
    "the end": data(1, b"data: i\n\n", ends=True),
    "an unknown stream": data(9, EVENT),
    "a ping": framed(6, 0, 0, bytes(8)),
    "a frame of another type": framed(0x2A, 0, 1, EVENT),
    "the reserved bit": b"\0\0\x09\0\0\x80\0\0\1data: j\n\n",
    "a reset": framed(3, 0, 1, bytes(4)),
}


def events(pieces: list[bytes], window: int = 65_535, cuts: tuple[int, ...] = ()) -> list[Packet]:
    """Two event streams, and what the server sends in them: cut as told, else as given."""
    talk = Http2Talk()
    talk.say("client", PREFACE + framed(SETTINGS, 0, 0, b"\0\4" + window.to_bytes(4)) + ACK)
    talk.say("server", framed(SETTINGS, 0, 0) + ACK)
    for stream_id in (1, 3):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, EVENTS), data(stream_id, EVENT))
    if cuts:
        sent = b"".join(pieces)
        borders = sorted({0, len(sent), *(cut % len(sent) for cut in cuts)})
        pieces = [sent[a:b] for a, b in zip(borders, borders[1:], strict=False)]
    for piece in pieces:
        talk.say("server", piece)
        if window < 65_535:
            talk.say("client", framed(WINDOW_UPDATE, 0, 1, window.to_bytes(4)))
    return talk.packets()


@pytest.mark.parametrize("keep_data", [True, False])
@pytest.mark.parametrize("window", [65_535, 60])
@pytest.mark.parametrize("kind", PIECES)
def test_each_kind_of_frame_among_usual_ones(kind: str, window: int, keep_data: bool) -> None:
    usual = PIECES["an event"]
    given = events([usual, PIECES[kind], usual, PIECES["its end"], usual], window)
    with_and_without(FastHttp2, given, keep_data=keep_data, batch=1)


def test_usual_events_go_by_it() -> None:
    pieces = [PIECES["an event"], PIECES["another stream"]]
    taken = with_and_without(FastHttp2, events(pieces), keep_data=True, batch=1)[1]
    assert taken == FIRST + sum(map(len, pieces))


def test_what_meets_a_window_s_end_does_not() -> None:
    given = events([PIECES["an event"]], window=2 * len(EVENT))
    assert with_and_without(FastHttp2, given, keep_data=True, batch=1)[1] == FIRST


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(sorted(PIECES.values())), min_size=1, max_size=8),
    st.lists(st.integers(1, 400), max_size=5),
    st.sampled_from([30, 200, 65_535]),
)
def test_mixtures(pieces: list[bytes], cuts: list[int], window: int) -> None:
    with_and_without(FastHttp2, events(pieces, window, tuple(cuts)), keep_data=True, batch=1)
