"""Why a recording has no packets: who listens on the port, and which interface would have shown it.

Strategy: the kernel's table of listening sockets is asked once, at the end; it says where a server
is, and so by which interface it is reached. Elsewhere than on Linux only what is always true is
said.
"""

from __future__ import annotations

import sys
from ipaddress import ip_address

ANY = "any"
CONTAINERS = "a container has its own ports and interfaces: record inside it, or on its bridge"


def why_silent(ports: tuple[int, ...], interface: str) -> list[str]:
    """Return what explains that no packet of ``ports`` came over ``interface``, a line each."""
    return [_why(port, interface) for port in ports]


def _why(port: int, interface: str) -> str:
    said = f"no packets on port {port} of {interface}"
    if sys.platform != "linux":
        return f"{said}: try another interface with -i"
    from capture.linux.listening import listening_addresses

    addresses = listening_addresses(port)
    if not addresses:
        return f"{said}: nothing listens on it here; {CONTAINERS}"
    where = ", ".join(addresses)
    if interface == ANY:
        return f"{said}: {where} listens on it, but no client connected"
    if all(ip_address(address).is_loopback for address in addresses):
        hint = "no client connected" if interface == "lo" else "record it with -i lo"
    else:
        hint = (
            "other machines and containers reach it through another interface: -i any records all"
        )
    return f"{said}: {where} listens on it; {hint}"
