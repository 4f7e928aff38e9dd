"""What was asked and what came of it on a QUIC connection, told apart by sizes of its packets.

Strategy: packets with short headers say nothing but how long they are. What has no room for more
than acknowledgements and for frames that raise limits is no content (RFC 9000 section 19). What is
left of the client asks, what is left of the server up to the next that asks is the answer. With its
Finished a client sends ids and settings: that is no request if next to nothing came of it. Streams
lie between one another: where several are open, all that comes is of the last that asked. No size
proves what a packet holds, so all of this is likely at best, and whoever prints it says so.
"""

from __future__ import annotations

from parsers.records import QuicRecord, Sender

from .records import SealedRecords
from .sizes import Sealing
from .turns import Turn, parted

HEADER, NUMBER, TAG = 1, 2, 16
"""Bytes of a short header without its id; of a packet number, as most stacks write it; of the tag
(RFC 9000 section 17.3.1, RFC 9001 section 5.3)."""
LEAST_CONTENT = 14
"""An ACK of two ranges has 11 bytes at most; DATA with an event of nine bytes has 16, its stream's
frame included."""
LEAST_REQUEST = 20
"""A header section that refers to the tables for all but its path, with the headers of both frames;
MAX_STREAM_DATA with an ACK has fewer."""


def overhead(quic: QuicRecord, sender: Sender) -> Sealing:
    """Return what a packet of a side has beside its frames."""
    ids = quic.server_ids if sender == "client" else quic.client_ids
    id_size = len(ids[-1]) // 2 if ids else 0
    return Sealing(HEADER + id_size + NUMBER + TAG)


def turns_of_quic(quic: QuicRecord, sealed: SealedRecords) -> list[Turn]:
    """Return what was asked and answered, by the packets of both sides in the order they came."""
    packets = sealed.all()
    sizes = {side: overhead(quic, side).overhead for side in ("client", "server")}
    asks = [
        one
        for one in packets
        if one.sender == "client" and one.size - sizes["client"] >= LEAST_REQUEST
    ]
    contents = [
        one
        for one in packets
        if one.sender == "server" and one.size - sizes["server"] >= LEAST_CONTENT
    ]
    has_start = sealed.established > 0
    turns = [
        turn for turn in parted(asks, contents) if turn.records and (turn.asked or not has_start)
    ]
    # What asks nothing may be an ACK as well: whose pause it ends says more.
    openers = [
        one
        for one in packets
        if one.sender == "client" and one.size - sizes["client"] < LEAST_REQUEST
    ]
    for turn in turns:
        turn.openers = openers
    if len(turns) > 1 and _is_of_handshake(turns[0], sealed):
        del turns[0]
    return turns


def _is_of_handshake(turn: Turn, sealed: SealedRecords) -> bool:
    """Whether nothing was asked: both sides sent what goes with the end of their handshake.

    The server's is HANDSHAKE_DONE and its ids, in one packet (RFC 9001 section 4.1.2).
    """
    asked = turn.asked
    return asked is not None and asked.packet <= sealed.established and len(turn.records) == 1
