"""Which frames a stream may get, and when (RFC 9113 section 5.1)."""

from __future__ import annotations

import pytest

from parsers.http2.elements import DATA, HEADERS, PRIORITY, RST_STREAM, WINDOW_UPDATE
from parsers.http2.streams import StreamStates


def states(*, is_partial: bool = False) -> StreamStates:
    found = StreamStates(0, is_partial=is_partial)
    found.begin(1)
    return found


def test_exchanges_are_numbered_as_streams_begin() -> None:
    found = StreamStates(4, is_partial=False)
    assert [found.begin(1).exchange, found.begin(5).exchange] == [4, 5]
    assert found.take_exchange() == 6
    assert found.begin(7).exchange == 7
    assert found.begin(9, exchange=0).exchange == 0


def test_a_stream_is_over_when_both_sides_have_ended_it() -> None:
    found = states()
    found.end(1, "client")
    assert 1 in found.open and not found.open[1].is_over
    assert found.violation("server", DATA, 1) is None
    assert found.violation("client", DATA, 1) == ("http2-stream-closed", "DATA of stream 1")
    found.end(1, "server")
    assert 1 not in found.open
    assert found.get(1) is not None


@pytest.mark.parametrize("kind", [PRIORITY, RST_STREAM, WINDOW_UPDATE])
def test_frames_that_may_come_after_the_end(kind: int) -> None:
    found = states()
    found.end(1, "client")
    found.end(1, "server")
    assert found.violation("client", kind, 1) is None


def test_what_was_on_its_way_when_a_stream_was_reset_is_no_fault() -> None:
    found = states()
    found.reset(1, "client")
    assert found.violation("server", DATA, 1) is None
    assert found.violation("client", DATA, 1) == ("http2-stream-closed", "DATA of stream 1")
    assert found.reset(1, "server") is None


@pytest.mark.parametrize(
    ("sender", "kind", "stream_id", "code"),
    [
        ("client", HEADERS, 3, None),
        ("client", HEADERS, 2, "http2-stream-id-invalid"),
        ("client", DATA, 3, "http2-stream-idle"),
        ("server", HEADERS, 3, "http2-stream-idle"),
        ("server", WINDOW_UPDATE, 3, "http2-stream-idle"),
        ("client", PRIORITY, 3, None),
    ],
)
def test_idle_streams(sender: str, kind: int, stream_id: int, code: str | None) -> None:
    fault = states().violation(sender, kind, stream_id)  # type: ignore[arg-type]
    assert (None if fault is None else fault[0]) == code
    assert states(is_partial=True).violation(sender, kind, stream_id) is None  # type: ignore[arg-type]


def test_a_new_stream_closes_lower_ones_that_were_idle() -> None:
    found = states()
    found.begin(5)
    assert found.violation("client", HEADERS, 3) == ("http2-stream-id-invalid", "3, after 5")


@pytest.mark.parametrize(("promised", "is_right"), [(2, True), (3, False), (0, False)])
def test_promised_streams_are_even(promised: int, is_right: bool) -> None:
    assert (states().promise_violation(promised) is None) == is_right


def test_promised_streams_rise() -> None:
    found = states()
    found.begin(4)
    assert found.promise_violation(2) is not None
    assert found.promise_violation(6) is None


def test_streams_are_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.http2.streams.MAX_CLOSED_STREAMS", 2)
    found = StreamStates(0, is_partial=False)
    for stream_id in (1, 3, 5):
        found.begin(stream_id)
        found.reset(stream_id, "client")
    assert found.get(1) is None
    assert found.get(5) is not None


def test_frames_of_a_stream_that_was_passed_over() -> None:
    """Streams are opened in order: one that never was is closed by a later one."""
    found = states()
    found.begin(5)
    assert found.violation("client", WINDOW_UPDATE, 3) is None
    assert found.violation("client", DATA, 3) == ("http2-stream-closed", "DATA of stream 3")
    assert found.end(3, "client") is None


def test_how_many_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.http2.streams.MAX_OPEN_STREAMS", 2)
    found = states()
    assert not found.is_full
    found.begin(3)
    assert found.is_full
