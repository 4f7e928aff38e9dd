"""What is known of a QUIC connection, in words."""

from __future__ import annotations

from parsers.records import QuicRecord

from .escape import escape
from .wording import count

MAX_REASON = 255
"""Characters of a reason from the wire that are shown."""


def quic_facts(quic: QuicRecord) -> list[str]:
    """Return what there is to say, a few words a fact; what comes from the wire is escaped."""
    facts = [quic.version, "retried by the server"] if quic.retried else [quic.version]
    if quic.migrations:
        facts.append(count(quic.migrations, "migration"))
    updates = quic.client_key_updates + quic.server_key_updates
    if updates:
        facts.append(count(updates, "key update"))
    facts += quic_losses(quic)
    if quic.unopened:
        facts.append(f"{count(quic.unopened, 'packet')} not opened")
    if quic.closed is not None:
        closed = quic.closed
        reason = f": {escape(closed['reason'][:MAX_REASON])}" if closed["reason"] else ""
        facts.append(
            f"CONNECTION_CLOSE {escape(closed['error_code'])} by the {closed['sender']}{reason}"
        )
    return facts


def quic_losses(quic: QuicRecord) -> list[str]:
    """Return what acknowledgements tell of packets: which were lost, which were not captured."""
    said: list[str] = []
    if quic.losses:
        said.append(f"{count(len(quic.losses), 'packet')} lost after the capture")
    uncaptured = quic.client_uncaptured + quic.server_uncaptured
    if uncaptured:
        said.append(f"{count(uncaptured, 'packet')} acknowledged and not captured")
    unaccounted = quic.client_unaccounted + quic.server_unaccounted
    if unaccounted:
        said.append(f"{count(unaccounted, 'packet number')} never seen")
    return said
