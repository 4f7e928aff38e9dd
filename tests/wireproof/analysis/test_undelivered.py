"""Bytes that never reached the client, beside those that the capture alone lacks."""

from __future__ import annotations

import pytest
from support.frames import ACK, FIN, PSH, RST, ipv4, tcp
from support.paced import STREAMED, causes, verdict
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


class Unheard:
    """At the server: a stream of which the client acknowledges all but the last two events."""

    def __init__(self, *, again: int = 3, is_whole: bool = True, is_seen: bool = True) -> None:
        self.stream = Stream(fields=STREAMED).events(5, every=0.02)
        if is_seen:
            self.stream.talk.ack("client")
        self.acked = self.stream.talk._seq["server"]
        self.lost = self.stream.talk.frame("server", chunk(event(6)), PSH | ACK)
        self.sent_in = self.stream.tape.add(self.lost)
        self.stream.events(1, every=0.02)
        if is_whole:
            self.stream.talk.server(LAST_CHUNK)
        for number in range(again):
            self.stream.tape.wait(0.3 * 2**number)
            self.send_again()

    def send_again(self) -> None:
        self.stream.tape.add(self.lost)

    def client(self, flags: int) -> None:
        asked = self.stream.talk._seq["client"]
        self.stream.tape.add(ipv4(tcp(*CLIENT, flags, seq=asked, ack=self.acked)))

    def ending(self) -> Verdict:
        found = verdict(self.stream, "ending")
        assert found is not None
        return found


def test_what_is_sent_again_and_not_acknowledged_is_said() -> None:
    unheard = Unheard()
    found, packet = unheard.ending(), unheard.sent_in
    assert (found.answer, found.severity) == ("whole", "warning")
    assert "sent whole after 7 events" in found.summary
    assert f"(from packet {packet} on, sent again 3 times for 2.1" in found.summary
    assert [(one.code, one.sure) for one in found.causes] == [("path-vanished", "likely")]
    assert found.numbers["whole"] == "unknown"


@pytest.mark.parametrize(
    ("flags", "is_whole", "sure"),
    [(FIN | ACK, True, "certain"), (FIN | ACK, False, "certain"), (RST | ACK, True, "likely")],
)
def test_a_client_that_left_without_it(flags: int, is_whole: bool, sure: str) -> None:
    unheard = Unheard(is_whole=is_whole)
    unheard.client(flags)
    found = unheard.ending()
    assert (found.answer, found.severity) == ("aborted", "warning")
    assert [(one.code, one.sure) for one in found.causes] == [("loss", sure)]
    assert found.numbers["whole"] is False


@pytest.mark.parametrize(
    "how",
    [
        {"again": 0},  # the capture ends before its acknowledgement
        {"again": 1},  # which may cross what is sent again
        {"again": 2},  # for less than a second
        {"is_seen": False},  # nothing of the client's tells what it had
    ],
)
def test_what_no_one_can_know_is_not_said(how: dict[str, int]) -> None:
    unheard = Unheard(**how)  # type: ignore[arg-type]
    if not how.get("is_seen", True):
        unheard.stream.tape.packets = [
            one for one in unheard.stream.tape.packets if one[4][34:36] == b"\x1f\x40"
        ]
    assert (unheard.ending().answer, unheard.ending().severity) == ("whole", "ok")


def test_what_is_sent_after_the_client_left_is_not_lost_by_the_path() -> None:
    unheard = Unheard(again=0, is_whole=False)
    unheard.client(FIN | ACK)
    for number in range(4):
        unheard.stream.tape.wait(0.3 * 2**number)
        unheard.send_again()
    assert causes(verdict(unheard.stream, "ending")) == ["client-closed"]
    found = verdict(unheard.stream, "disconnect")
    assert found is None or found.answer != "half-close"


def test_a_capture_without_acknowledgements_does_not_say_what_is_missing() -> None:
    """As a filter for packets with payload leaves it."""
    unheard = Unheard()
    tape = unheard.stream.tape
    tape.packets = [one for one in tape.packets if one[3] > 54]
    assert (unheard.ending().answer, unheard.ending().severity) == ("whole", "ok")


def test_more_than_can_be_under_way_was_acknowledged_unseen() -> None:
    stream = Stream(fields=STREAMED).events(1, every=0.02)
    stream.talk.ack("client")
    last = b""
    for number in range(30):
        last = stream.talk.frame("server", chunk(event(number, "x" * 1_000)), PSH | ACK)
        stream.tape.add(last)
    stream.talk.server(LAST_CHUNK)
    for number in range(3):
        stream.tape.wait(0.3 * 2**number)
        stream.tape.add(last)
    found = verdict(stream, "ending")
    assert found is not None
    assert (found.answer, found.severity) == ("whole", "ok")


def test_a_keep_alive_is_nothing_that_was_sent_again() -> None:
    unheard = Unheard(again=0)
    unheard.stream.talk.ack("client")
    for _ in range(4):
        unheard.stream.tape.wait(1.0)
        before = unheard.stream.talk._seq["server"] - 1
        probe = tcp(*SERVER, ACK, seq=before, ack=unheard.stream.talk._seq["client"])
        unheard.stream.tape.add(ipv4(probe))
    assert unheard.ending().severity == "ok"
