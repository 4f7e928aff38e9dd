"""What is said below the rows: faults, and how a connection, its TLS and QUIC ended."""

from __future__ import annotations

from parsers.records import ConnectionRecord, DiagnosticRecord, QuicRecord, TlsConnectionRecord

from ..text.escape import escape
from ..text.quic import quic_facts
from ..text.tls import tls_amounts, tls_ends, tls_facts
from ..text.wording import connection_end, count, ends_said, recorded_by, span
from .lines import Line, flow, words

WHILE_RECORDING = frozenset(("packets-dropped", "packets-late", "packets-skipped"))
"""Faults of no connection that a packet shows, and not a file."""


def diagnostic_lines(fault: DiagnosticRecord, width: int) -> list[Line]:
    """Return a fault: how bad, what, where, and the rule."""
    where = f"packet {span(fault.first_packet, fault.last_packet)}"
    if fault.connection is None and fault.code not in WHILE_RECORDING:
        where = "in the capture file"
    rule = f"{fault.reference}; " if fault.reference else ""
    units: list[Line] = [
        *words(f"{fault.severity}: ", fault.severity, width - 2),
        *words(escape(fault.summary), "", width - 2),
        *words(f"({rule}{where}; {fault.code})", "faint", width - 2),
    ]
    begin: Line = [("! ", fault.severity)]
    indent: Line = [("  ", "")]
    lines = flow(units, width - 2, " ")
    return [(indent if n else begin) + line for n, line in enumerate(lines)]


def tls_lines(tls: TlsConnectionRecord, width: int) -> list[Line]:
    """Return what is known of TLS: what was agreed on, how much came, how it ended."""
    facts = ", ".join(tls_facts(tls))
    amounts = [] if tls.layer == "quic" else [tls_amounts(tls)]  # QUIC has no records of TLS
    said = "; ".join([facts, *amounts, *tls_ends(tls)])
    amount = "not decrypted" if tls.decrypted == "no" else "not all decrypted"
    reason = "" if tls.reason is None else f" ({amount}: {tls.reason})"
    return flow(words(f"{said}{reason}", "", width), width, " ")


def quic_lines(quic: QuicRecord, width: int) -> list[Line]:
    """Return what is known of QUIC: its version and identifiers, how much came, how it ended."""
    return flow(words("; ".join(quic_facts(quic)), "", width), width, " ")


def connection_lines(connection: ConnectionRecord, width: int) -> list[Line]:
    """Return every FIN and RST, who ended a connection and how, between whom, and what it took."""
    facts = [
        f"{connection.client} → {connection.server}",
        connection.protocol,
        f"{count(connection.packets, 'packet')}",
    ]
    if connection.retransmissions:
        facts.append(count(connection.retransmissions, "retransmission"))
    if connection.out_of_order:
        facts.append(f"{connection.out_of_order:,} out of order")
    if connection.midstream:
        facts.append("its start was not captured")
    if connection.tunnel:
        facts.append(f"through {connection.tunnel}")
    if recorded := recorded_by(connection):
        facts.append(recorded)
    style = "error" if connection.close == "reset" else "title"
    units: list[Line] = [[(connection_end(connection) + ":", style)]]
    units += [[(fact, "")] for fact in facts]
    ends: list[Line] = [[(end, "")] for end in ends_said(connection)]
    return flow(ends, width, "  ") + flow(units, width, "  ")
