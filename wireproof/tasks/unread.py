"""Connections that hold no exchange that can be read: told to the user, once, when all is decoded.

Without a word about them a capture of nothing but TLS looks as if nothing were wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from parsers.records import ConnectionRecord, Record, TlsConnectionRecord

from ..text.wording import count

REASONS = {
    "tls": (
        "TLS connection",
        "not decrypted: give its keys with --keylog, or record where the traffic is plain",
    ),
    "quic": ("QUIC connection", "not decrypted: give its keys with --keylog"),
    "refused": ("connection", "refused: is the server up, and is this its port?"),
    "unanswered": (
        "connection",
        "not answered: is the address right, is the host up, does a firewall drop packets?",
    ),
}
"""What connections are called, and what is said of them, by protocol or by how they ended."""

SYN_RETRANSMITTED = 1.0
"""Seconds after which a SYN is sent again at the earliest (RFC 6298 section 2)."""


def noting_unread(batches: Iterable[list[Record]], found: Counter[str]) -> Iterator[list[Record]]:
    """Yield batches; count the connections that hold nothing to read, by their reason.

    A connection that was decrypted, and on which nothing was asked, has hidden nothing.
    """
    opened: set[int] = set()
    for records in batches:
        for record in records:
            if type(record) is TlsConnectionRecord and record.decrypted == "yes":
                opened.add(record.connection)
            elif type(record) is ConnectionRecord:
                is_opened = record.connection in opened
                opened.discard(record.connection)
                found[_reason(record)] += not (is_opened and record.protocol == "tls")
        yield records


def unread(found: Counter[str]) -> Iterator[str]:
    """Yield a sentence for each reason that was found."""
    for reason, (name, said) in REASONS.items():
        if found[reason]:
            yield f"{count(found[reason], name)} {said}"


def _reason(connection: ConnectionRecord) -> str:
    if connection.close == "refused":
        return "refused"
    return "unanswered" if _is_unanswered(connection) else connection.protocol


def _is_unanswered(connection: ConnectionRecord) -> bool:
    """Tell whether a client sent its SYN again, and nothing came back."""
    waited = connection.last_time - connection.first_time
    is_silent = not (connection.client_bytes or connection.server_bytes or connection.ends)
    is_opening = connection.rtt is None and not connection.midstream
    return is_silent and is_opening and connection.packets > 1 and waited >= SYN_RETRANSMITTED
