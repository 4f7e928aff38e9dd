"""Bytes that never reached the client, beside those that the capture alone lacks."""

from __future__ import annotations

import pytest
from support.frames import ACK, FIN, PSH, RST, ipv4, tcp
from support.paced import STREAMED, verdict
from support.timed import LAST_CHUNK, Stream, chunk, event

from wireproof.analysis.verdict import Verdict

CLIENT, SERVER = (40_000, 8_000), (8_000, 40_000)


class Lossy:
    """A stream of five events, after which one is lost for good and four more come."""

    def __init__(self) -> None:
        self.stream = Stream(fields=STREAMED).events(5, every=0.02)
        self.acked = self.stream.talk._seq["server"]
        self.asked = self.stream.talk._seq["client"]
        self.stream.talk.lose("server", len(chunk(event(5))))
        for number in range(6, 10):
            self.stream.tape.wait(0.02)
            self.send(SERVER, PSH | ACK, self.sent, self.asked, chunk(event(number)))
            self.stream.talk.lose("server", len(chunk(event(number))))
            self.client(ACK)
        self.send(SERVER, PSH | ACK, self.sent, self.asked, LAST_CHUNK)

    @property
    def sent(self) -> int:
        return self.stream.talk._seq["server"]

    def send(self, ports: tuple[int, int], flags: int, seq: int, ack: int, data: bytes) -> None:
        segment = tcp(*ports, flags, seq=seq, ack=ack, payload=data)
        self.stream.tape.add(ipv4(segment))

    def client(self, flags: int, *, has_all: bool = False) -> None:
        self.send(CLIENT, flags, self.asked, self.sent if has_all else self.acked, b"")

    def ending(self) -> Verdict:
        found = verdict(self.stream, "ending")
        assert found is not None
        return found


@pytest.mark.parametrize(
    ("flags", "repeats", "named"),
    [(FIN | ACK, False, "FIN"), (FIN | ACK, True, "FIN"), (RST | ACK, True, "RST")],
)
def test_a_client_that_left_could_read_what_came_before_the_hole(
    flags: int, repeats: bool, named: str
) -> None:
    lossy = Lossy()
    lossy.stream.tape.wait(3.0)
    if repeats:
        lossy.client(ACK)
    lossy.client(flags)
    found = lossy.ending()
    assert (found.answer, found.severity) == ("aborted", "warning")
    assert "never arrived" in found.summary
    assert "no more than 5 events" in found.summary
    assert f"it left ({named}" in found.summary
    assert [(one.code, one.sure) for one in found.causes] == [("loss", "certain")]
    assert found.numbers["whole"] is False


def test_one_that_waits_still_has_not_got_it() -> None:
    lossy = Lossy()
    lossy.stream.tape.wait(3.0)
    lossy.client(ACK)
    found = lossy.ending()
    assert found.answer == "open"
    assert "later the capture ended" in found.summary


def test_what_was_acknowledged_is_missing_in_the_capture_alone() -> None:
    lossy = Lossy()
    lossy.stream.tape.wait(3.0)
    lossy.client(ACK, has_all=True)
    lossy.client(FIN | ACK, has_all=True)
    assert lossy.ending().answer == "unknowable"


def test_a_capture_without_the_clients_packets_does_not_say_what_it_had() -> None:
    """A RST need not acknowledge anything (RFC 9293 section 3.10.7.1)."""
    lossy = Lossy()
    lossy.stream.tape.wait(3.0)
    lossy.client(RST | ACK)
    assert lossy.ending().answer == "unknowable"
    silent = Lossy()
    silent.stream.tape.wait(3.0)
    silent.send(SERVER, FIN | ACK, silent.sent, silent.asked, b"")
    assert silent.ending().answer == "unknowable"


def test_what_was_lost_a_moment_ago_may_come_yet() -> None:
    lossy = Lossy()
    lossy.stream.tape.wait(0.3)
    lossy.client(FIN | ACK)
    assert lossy.ending().answer == "unknowable"
