"""Wireshark display filters that select what a record is about, ready to paste.

Strategy: a pure function of a record's numbers: connections and packets are numbered as Wireshark
numbers them. Nothing in a filter comes from the wire, so nothing needs to be escaped.
"""

from __future__ import annotations

from parsers.records import ConnectionRecord, Record


def display_filter(record: Record) -> str | None:
    """Return the filter that selects the packets of a record, None if it has no packet."""
    if isinstance(record, ConnectionRecord):
        return f"tcp.stream == {record.connection}"
    return packets_filter(record.connection, record.first_packet, record.last_packet)


def packets_filter(connection: int | None, first: int, last: int) -> str | None:
    """Return the filter that selects what packets ``first`` to ``last`` carried, None if none did.

    What took several packets is selected by a range, without the acknowledgements in it; data that
    the other side sent meanwhile is in the range too.
    """
    if last < 1:
        return None
    terms = [] if connection is None else [f"tcp.stream == {connection}"]
    if first == last:
        terms.append(f"frame.number == {last}")
    else:
        terms += [f"frame.number >= {first}", f"frame.number <= {last}", "tcp.len > 0"]
    return " && ".join(terms)
