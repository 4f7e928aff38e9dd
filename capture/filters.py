"""Which packets a recording lets in: the TCP ports, and how libpcap words them."""

from __future__ import annotations

from collections.abc import Sequence

MAX_PORTS = 256
"""Of one filter: on Linux each takes up to 8 of the 4,096 instructions that the kernel allows."""


def check_ports(ports: Sequence[int]) -> None:
    """Raise ValueError for a port that there cannot be, for none, and for too many."""
    if not ports:
        raise ValueError("no port to record was given")
    if len(ports) > MAX_PORTS:
        raise ValueError(f"{len(ports):,} ports to record: at most {MAX_PORTS} are possible")
    for port in ports:
        if not 0 < port < 65_536:
            raise ValueError(f"{port} is not a TCP port: expected 1 to 65,535")


def capture_filter(ports: Sequence[int], marker_port: int | None = None) -> str:
    """Return the filter in libpcap's words: no ports mean all TCP.

    With ``marker_port`` it lets in UDP to that port of 127.0.0.1 too.
    """
    expression = " or ".join(f"tcp port {port}" for port in ports) or "tcp"
    if marker_port is None:
        return expression
    return f"({expression}) or (udp and dst host 127.0.0.1 and dst port {marker_port})"
