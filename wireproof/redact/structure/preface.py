"""What a proxy says first of whom it speaks for, without that (the PROXY protocol).

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

from __future__ import annotations

from .masking import stars

V1, V2 = b"PROXY", b"\r\n\r\n\0\r\nQUIT\n"
UNKNOWN = b"PROXY UNKNOWN"
"""How a line begins whose rest a receiver passes over (section 2.1)."""
LOCAL = b"\x20\0"
"""A command without an address, and no family of it (section 2.2)."""
V2_HEADER = 16


def masked_preface(data: bytes) -> bytes:
    """Return what stands before the first message, without addresses."""
    if data.startswith(V2):
        size = data[V2_HEADER - 2 : V2_HEADER]
        return (V2 + LOCAL + size + stars(len(data)))[: len(data)]
    end = b"\r\n" if data.endswith(b"\r\n") else b""
    if not data.startswith(V1) or len(data) < len(UNKNOWN) + len(end):
        return stars(len(data) - len(end)) + end
    rest = len(data) - len(UNKNOWN) - len(end)
    return UNKNOWN + (b" " + stars(rest - 1) if rest else b"") + end
