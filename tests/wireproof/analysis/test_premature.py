"""Why a client or a server may have ended a response early, beside what looks alike."""

from __future__ import annotations

import pytest
from support.frames import ACK, FIN
from support.paced import causes, verdict
from support.timed import Stream


@pytest.mark.parametrize(
    ("fins", "answered", "expected"),
    [(2, False, False), (3, False, True), (5, False, True), (3, True, False)],
)
def test_a_fin_that_is_sent_again_and_again_shows_that_the_path_is_gone(
    fins: int, answered: bool, expected: bool
) -> None:
    """What comes back, be it an acknowledgement alone, shows that the path is there."""
    stream = Stream().events(4, every=0.07)
    stream.tape.wait(20.0)
    frame = stream.talk.frame("client", flags=FIN | ACK)
    for _ in range(fins):
        stream.tape.add(frame)
        stream.tape.wait(0.3)
    if answered:
        stream.talk.ack("server")
    codes = ["path-vanished"] * expected + ["client-timeout", "client-closed"]
    assert causes(verdict(stream, "ending")) == codes
