"""What can be set about the demo server, and the bounds of what a client may ask for."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PORT = 8000
MAX_DELAY = 60.0
"""Seconds: the longest ``?delay=`` and ``?stall=`` that a client may ask for."""


@dataclass(frozen=True, kw_only=True)  # no slots: the defaults can be read off the class
class Settings:
    """One server's settings; all times are in seconds. Raises ValueError for a negative one."""

    delay: float = 0.2
    """The wait before each message, where the request has no ``?delay=`` of its own."""
    ping_interval: float = 15.0
    """Between two comments of an event stream and between two WebSocket pings; 0 sends none."""
    idle_timeout: float = 60.0
    """How long a WebSocket may be silent before the server closes it."""
    deflate: bool = True
    """Whether permessage-deflate (RFC 7692) is accepted when a client offers it."""

    def __post_init__(self) -> None:
        for name in ("delay", "ping_interval", "idle_timeout"):
            value = getattr(self, name)
            if not value >= 0:  # not `value < 0`: that lets NaN through
                raise ValueError(f"{name} must be 0 or more seconds, not {value}")
