"""Where a demo server listens, and the URL of each scenario there."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from .scenarios import Scenario


class Address(NamedTuple):
    """``host`` as it was given, and the ports of the two servers."""

    host: str
    port: int
    raw_port: int

    def origin(self, scheme: str = "http", *, raw: bool = False) -> str:
        """Return ``http://127.0.0.1:8000``; an IPv6 address gets its brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.raw_port if raw else self.port}"

    def url(self, scenario: Scenario, **query: str | float) -> str:
        """Return the URL of ``scenario``, with ``query`` added: ``url(scenario, delay=0)``."""
        scheme = "ws" if scenario.transport == "websocket" else "http"
        pairs = {**dict(scenario.query), **query}
        tail = f"?{urlencode(pairs)}" if pairs else ""
        return self.origin(scheme, raw=scenario.on == "raw") + scenario.path + tail
