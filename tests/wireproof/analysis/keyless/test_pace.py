"""Streamed or held, by sizes and times alone; and what only looks like either."""

from __future__ import annotations

import pytest
from support.sealed import EPOCH, FLIGHT, HTTP2, Line, answers, events, judged

from wireproof.analysis.verdict import Verdict


def pace(*lines: Line) -> Verdict:
    found = judged([*FLIGHT, *HTTP2, *lines])
    (verdict,) = [one for one in found.verdicts if one.question == "streaming"]
    return verdict


def test_streamed() -> None:
    found = pace(*events(116, 49, 47, 50, 35))
    assert (found.answer, found.severity, found.basis) == (
        "streamed", "ok", "tls record sizes and times",
    )  # fmt: skip
    assert found.summary == (
        "from record sizes and times alone, 5 records came one by one, typically 50.0 ms apart"
    )
    assert found.numbers["gap_median"] == pytest.approx(0.05)
    assert found.numbers["events"] == found.numbers["groups"] == 5
    assert found.evidence == (
        "application data records of 52 to 133 bytes in packets 11-15; the first of them holds the"
        " response's header, and may hold no more",
    )


def test_a_header_that_came_apart_is_no_element() -> None:
    found = pace(("server", 49.9, 90), *events(49, 47, 50, 35))
    assert found.numbers["events"] == 4
    assert found.evidence[0].endswith("the response's header came by itself")


def test_held() -> None:
    found = pace(("server", 500, 141))
    assert (found.answer, found.severity) == ("held", "note")
    assert [cause.code for cause in found.causes] == ["held-back", "not-a-stream"]
    assert {cause.sure for cause in found.causes} == {"possible"}
    assert "1 record came at once in packet 11, 497.0 ms after the request" in found.summary


def test_held_with_an_early_header() -> None:
    found = pace(("server", 6, 90), *[("server", 800.0, 16_384)] * 3)
    assert found.answer == "held"
    assert found.summary.endswith(
        "3 records came at once in packets 12-14, 797.0 ms after the request"
    ) or ("794.0 ms after what came before" in found.summary)


@pytest.mark.parametrize(
    "lines",
    [
        [("server", 60, 141)],  # nobody notices so short a wait
        [("server", 60, 141), ("server", 61, 200)],
        [*events(141, 200, start=400, apart=100)],
    ],
)
def test_too_few(lines: list[Line]) -> None:
    found = pace(*lines)
    assert (found.answer, [cause.code for cause in found.causes]) == (
        "undecided", ["too-few-events"],
    )  # fmt: skip


def test_at_once() -> None:
    found = pace(*events(*[16_384] * 6, start=20, apart=0.1))
    assert (found.answer, found.causes[0].code) == ("undecided", "no-waits")


def test_bursts() -> None:
    lines: list[Line] = []
    for at, many in ((300, 3), (600, 4), (900, 3), (1200, 2)):
        lines += [("server", at, 40 + number) for number in range(many)]
    found = pace(*lines)
    assert (found.answer, found.severity) == ("bursty", "note")
    assert found.numbers["period"] == pytest.approx(0.3)
    assert "in 4 bursts, typically 300.0 ms apart" in found.summary


def test_elements_of_several_records_each() -> None:
    """Always as many: a server that writes a chunk's size, its data and its end one by one."""
    lines: list[Line] = []
    for at in (300, 600, 900, 1200):
        lines += [("server", at, 30), ("server", at, 400), ("server", at, 41)]
    found = pace(*lines)
    assert found.answer == "streamed"
    assert "about " in found.summary
    assert found.numbers["gap_median"] == pytest.approx(0.3)


def test_several_requests_have_their_own_answers() -> None:
    second: list[Line] = [("client", 500, 33), ("server", 900, 60)]
    found = judged([*FLIGHT, *HTTP2, *events(90, 40, 41, 42), *second])
    assert answers(found) == ["streamed", "held"]
    assert [one.exchange for one in found.verdicts if one.question == "streaming"] == [0, 1]
    assert found.verdicts[0].summary.startswith("request 1 of 2: from record sizes")


def after_a_pause(*client: Line) -> list[Line]:
    """A response that stood for a second, and came at once after it."""
    return [*events(*[16_384] * 2, start=20, apart=0.1), *client,
            *events(*[16_384] * 9, start=1024, apart=0.1)]  # fmt: skip


def test_a_window_of_http2_may_have_been_waited_for() -> None:
    """RFC 9113 section 6.9: what came right after a record as long as WINDOW_UPDATE."""
    found = pace(*after_a_pause(("client", 1020, 13)))
    assert found.answer == "held"
    assert [cause.code for cause in found.causes] == ["held-back", "not-a-stream", "client-window"]
    assert {cause.sure for cause in found.causes} == {"possible"}
    assert "as long as WINDOW_UPDATE, in packet 13" in found.causes[-1].summary


@pytest.mark.parametrize(
    "client",
    [
        (),
        (("client", 30, 13),),  # a window that was opened long before
        (("client", 1020, 17),),  # PING
        (("client", 1030, 13),),  # what came was already on its way
    ],
)
def test_no_window_was_opened_before_the_pause_ended(client: tuple[Line, ...]) -> None:
    codes = [cause.code for cause in pace(*after_a_pause(*client)).causes]
    assert codes == ["held-back", "not-a-stream"]


def test_http1_has_no_windows_of_its_own() -> None:
    lines = [*FLIGHT, ("client", 3, 74), *after_a_pause(("client", 1020, 13))]
    found = judged(lines, alpn="http/1.1").verdicts[0]
    assert [cause.code for cause in found.causes] == ["held-back", "not-a-stream"]


def test_waits_that_the_client_ends_are_not_said_to_be_the_source_s() -> None:
    lines: list[Line] = []
    for at in range(200, 1200, 200):
        lines += [("client", at - 2, 13), *events(*[16_384] * 4, start=at, apart=0.1)]
    found = pace(*lines)
    assert (found.answer, found.severity) == ("undecided", "note")
    assert [cause.code for cause in found.causes] == ["client-window"]
    assert "which side caused the waits is unknown" in found.summary


def closed(packet: int, start: float, seconds: float, sender: str = "client") -> dict[str, object]:
    """A TCP window of 0, as connections list it; ``start`` in milliseconds."""
    return {
        "sender": sender, "packet": packet, "time": EPOCH + start / 1000, "opened_by": packet + 1,
        "seconds": seconds,
    }  # fmt: skip


def test_a_closed_window_of_tcp_needs_no_key() -> None:
    lines = [*FLIGHT, *HTTP2, *after_a_pause()]
    found = judged(lines, windows=[closed(12, 30, 0.9)]).verdicts[0]
    assert (found.answer, found.severity, found.packets) == ("client-slow", "warning", (12,))
    assert [(cause.code, cause.sure) for cause in found.causes] == [
        ("client-zero-window", "certain")
    ]
    assert found.numbers["closed"] == pytest.approx(0.9)
    assert found.summary == (
        "the client did not read: its TCP window was closed for 900.0 ms of 1.022 s"
    )


@pytest.mark.parametrize(
    "window",
    [closed(12, 30, 0.05), closed(12, 30, 0.9, "server"), closed(12, 2000, 0.9)],
    ids=["short", "the server's", "afterwards"],
)
def test_a_window_that_held_nothing(window: dict[str, object]) -> None:
    lines = [*FLIGHT, *HTTP2, *after_a_pause()]
    assert answers(judged(lines, windows=[window])) == ["held"]


def test_without_what_asked() -> None:
    """Nobody knows how long the first element took."""
    found = judged(
        [("server", 500, 49), ("server", 501, 49)],
        version=None, cipher=None, client_hello_time=None, server_hello_time=None,
    )  # fmt: skip
    assert answers(found) == ["undecided"]
    assert found.answers[0].first is None
