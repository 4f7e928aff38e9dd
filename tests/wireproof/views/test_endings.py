"""Faults, and how a connection went and ended, as lines below the rows."""

from __future__ import annotations

from msgspec.structs import replace
from support.handmade import Wire
from support.lines import texts_of

from wireproof.views.endings import connection_lines, diagnostic_lines


def test_faults_are_broken_over_lines() -> None:
    assert texts_of(diagnostic_lines(Wire().fault(), 40)) == [
        "! error: the stream ended without the",
        "  last chunk (RFC 9112 section 8; packet",
        "  3; chunk-last-missing)",
    ]
    assert texts_of(diagnostic_lines(Wire().fault(connection=None), 120)) == [
        "! error: the stream ended without the last chunk "
        "(RFC 9112 section 8; in the capture file; chunk-last-missing)"
    ]


def test_what_the_network_did_is_counted() -> None:
    end = replace(Wire().end(), retransmissions=1, out_of_order=1_200)
    assert texts_of(connection_lines(end, 200)) == [
        "closed by the server (FIN), then the client:  127.0.0.1:46058 → 127.0.0.1:8000  http/1.1"
        "  6 packets  "
        "1 retransmission  1,200 out of order"
    ]
