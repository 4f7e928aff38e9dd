"""Wireshark display filters that select what a record is about, ready to paste.

Strategy: a pure function of a record's numbers: connections and packets are numbered as Wireshark
numbers them. Nothing in a filter comes from the wire, so nothing needs to be escaped.
"""

from __future__ import annotations

from parsers.records import FIRST_QUIC_CONNECTION, ConnectionRecord, Record, is_quic


def display_filter(record: Record) -> str | None:
    """Return the filter that selects the packets of a record, None if it has no packet."""
    if isinstance(record, ConnectionRecord):
        return _connection_filter(record.connection)
    return packets_filter(record.connection, record.first_packet, record.last_packet)


def packets_filter(connection: int | None, first: int, last: int) -> str | None:
    """Return the filter that selects what packets ``first`` to ``last`` carried, None if none did.

    What took several packets is selected by a range, without the acknowledgements in it; data that
    the other side sent meanwhile is in the range too. Of QUIC acknowledgements are in it as well:
    they are encrypted.
    """
    if last < 1:
        return None
    terms = [] if connection is None else [_connection_filter(connection)]
    if first == last:
        terms.append(f"frame.number == {last}")
    else:
        terms += [f"frame.number >= {first}", f"frame.number <= {last}"]
        if connection is None or not is_quic(connection):
            terms.append("tcp.len > 0")
    return " && ".join(terms)


def _connection_filter(connection: int) -> str:
    """Return the filter that selects a connection; those of QUIC are numbered by themselves."""
    if is_quic(connection):
        return f"quic.connection.number == {connection - FIRST_QUIC_CONNECTION}"
    return f"tcp.stream == {connection}"
