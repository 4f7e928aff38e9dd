"""How a connection begins and ends: FIN, RST, who closed it, and answers to its SYN."""

from __future__ import annotations

import pytest
from support.segments import ACK, CLIENT, FIN, FIRST, ISN, RST, SERVER, SYN, Wire, established

from parsers import limits
from parsers.net.tcp import Connection, Direction


class TestEnds:
    """FIN, RST, and neither."""

    def close(self, wire: Wire) -> None:
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
        wire.send(SERVER, 5002, b"", ACK, ack=FIRST + 1)

    def test_fin_both_ways(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
        assert wire.closed == []
        wire.send(SERVER, 5002, b"", ACK, ack=FIRST + 1)
        assert wire.closed == wire.opened
        connection = wire.closed[0]
        assert (connection.close, connection.closed_by) == ("fin", connection.second)
        assert (wire.sink().ending, wire.peer_sink().ending) == ("close", "close")

    def test_a_half_closed_connection_goes_on(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"GET", FIN | ACK)
        wire.send(SERVER, 5001, b"data", ack=FIRST + 4)
        assert (wire.sink().data, wire.sink().ending) == (b"GET", "close")
        assert (wire.peer_sink().data, wire.peer_sink().ending) == (b"data", None)
        wire.table.end()
        assert wire.peer_sink().ending == "capture-end"
        assert wire.closed[0].close == "fin"

    def test_a_reset_ends_both_directions(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"data", ack=FIRST)
        wire.send(SERVER, 5005, b"", RST | ACK, ack=FIRST)
        connection = wire.closed[0]
        assert (connection.close, connection.closed_by) == ("reset", connection.second)
        assert (wire.sink().ending, wire.peer_sink().ending) == ("reset", "reset")
        assert wire.peer_sink().data == b"data"

    def test_a_reset_that_the_peer_expects_is_taken(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"lost in the capture"[:0], ack=FIRST)
        wire.send(CLIENT, FIRST, b"", ACK, ack=5020)
        wire.send(SERVER, 5020, b"", RST)
        assert wire.closed[0].close == "reset"

    def test_a_refused_connection(self) -> None:
        wire = Wire()
        wire.send(CLIENT, ISN, flags=SYN)
        wire.send(SERVER, 0, flags=RST | ACK, ack=FIRST)
        assert wire.closed[0].close == "refused"
        assert wire.closed[0].closed_by is wire.closed[0].second

    def test_a_reset_after_both_fins_changes_nothing(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5002)
        wire.send(SERVER, 5002, b"", RST)
        assert wire.closed[0].close == "fin"

    def test_left_open(self) -> None:
        wire = established()
        wire.table.end()
        assert (wire.closed[0].close, wire.closed[0].closed_by) == ("open", None)
        assert wire.sink().ending == "capture-end"

    def test_a_late_packet_is_not_a_new_connection(self) -> None:
        wire = established()
        self.close(wire)
        wire.send(CLIENT, FIRST + 1, b"", ACK, ack=5002)
        assert len(wire.opened) == 1
        assert wire.closed[0].packets == 6


class Judged(Wire):
    """Asks of each connection who closed it, when it is over."""

    def __init__(self) -> None:
        super().__init__()
        self.closers: list[Direction | None] = []

    def _close(self, connection: Connection) -> list:
        self.closers.append(connection.proven_closed_by)
        return super()._close(connection)


class TestProvenCloser:
    """Who closed, where bytes are missing that the first FIN acknowledges."""

    @pytest.mark.parametrize(
        ("acked", "size", "closer"),
        [(1, None, None), (9, 8, "client"), (8, 8, "server")],
        ids=["the byte may be a FIN", "a FIN was acknowledged", "it closed after the bytes"],
    )
    def test_bytes_that_a_fin_acknowledged(
        self, acked: int, size: int | None, closer: str | None
    ) -> None:
        """The server's FIN acknowledges ``acked`` bytes; then the client's ``size``, and a FIN."""
        wire = Judged()
        wire.handshake(ISN)
        client, connection = wire.direction(), wire.opened[0]
        wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST + acked)
        if size is not None:
            wire.send(CLIENT, FIRST, bytes(size), FIN | ACK, ack=5002)
        wire.table.end()
        found = {None: None, "client": client, "server": connection.second}[closer]
        assert wire.closers == [found]

    @pytest.mark.parametrize("goes_on", [False, True])
    def test_a_direction_that_was_not_captured_may_have_closed_before(self, goes_on: bool) -> None:
        """Unless it went on after the FIN."""
        wire = Judged()
        wire.send(CLIENT, ISN, b"", SYN)
        wire.send(CLIENT, FIRST, b"", ACK, ack=5001)
        wire.send(CLIENT, FIRST, b"", FIN | ACK, ack=5001)
        if goes_on:
            wire.send(CLIENT, FIRST + 1, b"", ACK, ack=5009)
        wire.table.end()
        assert wire.closers == [wire.direction() if goes_on else None]


def stamps(value: int, echoed: int) -> bytes:
    """The timestamps option, and two that fill its words (RFC 7323 appendix A)."""
    return b"\1\1" + bytes([8, 10]) + value.to_bytes(4, "big") + echoed.to_bytes(4, "big")


class TestAnswersToSyn:
    """What is left of an old connection between the same ports ends no new one."""

    def begin(self, options: bytes = b"") -> Wire:
        wire = Wire()
        wire.send(CLIENT, ISN, flags=SYN, options=options)
        return wire

    def go_on(self, wire: Wire, options: bytes = b"") -> None:
        wire.send(CLIENT, ISN, flags=SYN)
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST, options=options)
        wire.send(CLIENT, FIRST, b"asked", ack=5001)
        wire.send(SERVER, 5001, b"answered", ack=FIRST + 5)

    def whole(self, wire: Wire) -> bool:
        wire.table.flush()
        (connection,) = wire.opened
        is_open = connection.close == "open" and not connection.is_over
        return is_open and (wire.sink().data, wire.peer_sink().data) == (b"asked", b"answered")

    @pytest.mark.parametrize("flags", [ACK, SYN | ACK, FIN | ACK])
    @pytest.mark.parametrize("acked", [ISN, ISN - 70_000, FIRST + limits.MAX_OUT_OF_ORDER])
    def test_an_answer_to_something_else_is_rejected(self, acked: int, flags: int) -> None:
        wire = self.begin()
        wire.send(SERVER, 900_000, flags=flags, ack=acked)
        wire.send(CLIENT, acked, flags=RST)
        self.go_on(wire)
        assert self.whole(wire)
        assert wire.peer_sink().codes == ["tcp-answer-ignored"]
        assert wire.sink().codes == ["tcp-reset-ignored"]

    @pytest.mark.parametrize("flags", [RST | ACK, FIN | ACK, SYN | ACK])
    def test_an_echo_from_before_the_syn_is_rejected(self, flags: int) -> None:
        wire = self.begin(stamps(1_000_000, 0))
        wire.send(SERVER, 0, flags=flags, ack=FIRST, options=stamps(100, 100))
        wire.send(CLIENT, FIRST, flags=RST)
        self.go_on(wire, stamps(200, 1_000_300))
        assert self.whole(wire)
        assert wire.peer_sink().codes == ["tcp-answer-ignored"]

    def test_a_reset_without_an_acknowledgement_is_no_answer(self) -> None:
        wire = self.begin()
        wire.send(SERVER, 0, flags=RST)
        self.go_on(wire)
        assert self.whole(wire)

    @pytest.mark.parametrize("echoed", [0, 1_000_000, 1_000_001])
    def test_a_refusal_with_a_right_echo_is_one(self, echoed: int) -> None:
        wire = self.begin(stamps(1_000_000, 0))
        wire.send(SERVER, 0, flags=RST | ACK, ack=FIRST, options=stamps(5, echoed))
        assert wire.opened[0].close == "refused"

    def test_an_answer_to_what_the_capture_lacks_is_one(self) -> None:
        """The rest of the handshake was lost, and so was the request."""
        wire = self.begin()
        wire.send(SERVER, 5001, b"answered", ack=FIRST + 300)
        wire.table.flush()
        assert wire.peer_sink().data == b"answered"
        assert wire.peer_sink().codes == []

    def test_a_client_may_reset_what_it_has_opened(self) -> None:
        wire = self.begin()
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=ISN)
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, flags=RST)
        assert wire.opened[0].close == "reset"

    def test_a_syn_that_was_stored_after_its_answer_is_no_fault(self) -> None:
        wire = Wire()
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, flags=ACK, ack=5001)
        wire.send(CLIENT, ISN, flags=SYN)
        wire.send(CLIENT, FIRST, b"asked", ack=5001)
        wire.table.flush()
        assert len(wire.opened) == 1
        client = wire.opened[0].second
        assert wire._sinks[client].data == b"asked"
        assert wire._sinks[client].codes == []
        assert client.base_seq == ISN

    def test_such_a_syn_after_the_end_opens_no_connection(self) -> None:
        wire = Wire()
        wire.send(SERVER, 5000, flags=SYN | ACK, ack=FIRST)
        wire.send(CLIENT, FIRST, flags=FIN | ACK, ack=5001)
        wire.send(SERVER, 5001, flags=FIN | ACK, ack=FIRST + 1)
        wire.send(CLIENT, FIRST + 1, flags=ACK, ack=5002)
        assert wire.opened[0].is_over
        wire.send(CLIENT, ISN, flags=SYN)
        assert len(wire.opened) == 1
        wire.send(CLIENT, ISN + 9, flags=SYN)
        assert len(wire.opened) == 2


def test_bytes_that_cross_a_fin_are_said_once() -> None:
    """RFC 9112 section 9.5: the server closed, and the client did not know it yet."""
    wire = established()
    wire.opened[0].client = wire.direction()
    wire.send(SERVER, 5001, b"", FIN | ACK, ack=FIRST)
    wire.send(CLIENT, FIRST, b"GET", ack=5001)
    wire.send(CLIENT, FIRST + 3, b" / ", ack=5001)
    (fault,) = wire.sink().faults
    assert (fault.code, fault.start, fault.end) == ("tcp-data-crossed-fin", 0, 3)
    assert "3 bytes in packet 5, FIN in packet 4" in fault.summary
