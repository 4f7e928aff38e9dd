"""What a hop does to what the client sends."""

from __future__ import annotations

import pytest
from support.clocks import CLOCKS, Clocks, one_clock
from support.legs import Pieces, Side, far_of, later, tokens
from support.timed import HANDSHAKE, SWITCHING
from support.websocket_frames import frame

QUICK = 0.0003
FAR = tokens(24)


def socket(pieces: Pieces, sent: Pieces, *, is_far: bool = False) -> Side:
    """A WebSocket on one side of a proxy."""
    side = (far_of if is_far else Side)([(time, frame(0x81, data)) for time, data in pieces])
    side.handshake, side.is_chunked = (HANDSHAKE, SWITCHING), False
    side.sent = [(time, frame(0x81, data, key=b"abcd")) for time, data in sent]
    return side


@pytest.mark.parametrize("clocks", CLOCKS)
def test_what_the_client_sends_may_be_held_as_well(clocks: Clocks) -> None:
    said = [(time + 0.01, b"said %d" % at) for at, (time, _) in enumerate(FAR)]
    heard = [(max(time, 0.31 + 0.5 * int(time / 0.5 + 0.4)), data) for time, data in said]
    [judged] = clocks(socket(later(FAR, QUICK), said), socket(FAR, heard, is_far=True)).hops
    verdict = judged.verdict
    assert (verdict.answer, verdict.numbers["pattern"]) == ("holds", "timer"), verdict.summary
    assert "from the client" in verdict.summary


@pytest.mark.parametrize("clocks", CLOCKS)
def test_what_the_client_sends_may_be_lost_as_well(clocks: Clocks) -> None:
    said = [(time + 0.01, b"said %d" % at) for at, (time, _) in enumerate(FAR)]
    heard = later(said[:7] + said[8:-1], QUICK)
    [judged] = clocks(socket(later(FAR, QUICK), said), socket(FAR, heard, is_far=True)).hops
    assert judged.verdict.answer == "loses"
    assert judged.hop.losses.unheard == [7]
    assert "1 of 24 messages from the client: number 8" in judged.verdict.summary


def test_a_request_that_is_collected_is_held() -> None:
    body = [(at * 0.1, b"part %d " % at) for at in range(1, 9)]
    whole = [(0.81, b"".join(data for _, data in body))]
    near, far = Side(later(FAR, 1.0 + QUICK)), far_of(later(FAR, 1.0), asked=0.805)
    for side, sent in ((near, body), (far, whole)):
        side.answered = 1.01
        side.request = b"Transfer-Encoding: chunked\r\n"
        side.sent = [(time, b"%x\r\n%s\r\n" % (len(data), data)) for time, data in sent]
        side.sent.append((side.sent[-1][0], b"0\r\n\r\n"))
    [judged] = one_clock(near, far).hops
    verdict = judged.verdict
    assert (verdict.answer, [cause.code for cause in verdict.causes]) == (
        "holds",
        ["proxy-buffers-request"],
    ), verdict.summary
    assert verdict.numbers["request_held"] == pytest.approx(0.8, abs=0.02)
