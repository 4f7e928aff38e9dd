"""The server of a scenario as a process: ``with Http2Server(scenario) as server: ...``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..process import ServerProcess
from .scenarios import Http2Scenario


class Certificate(NamedTuple):
    """What makes it a server of TLS."""

    certificate: str
    key: str


class Http2Server(ServerProcess):
    """Serves the app of the scenarios: HTTP/2, or HTTP/1.1 alone without ``http2``.

    ``environment`` is what it is told beside ours. Entering raises ServerStartError if it cannot
    start.
    """

    def __init__(
        self,
        scenario: Http2Scenario,
        *,
        tls: Certificate | None = None,
        http2: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        options: dict[str, Any] = {}
        if tls is not None:
            options |= {"certfile": tls.certificate, "keyfile": tls.key}
        if not http2:
            options["alpn_protocols"] = ["http/1.1"]
        if scenario.requests_per_connection is not None:
            options["keep_alive_max_requests"] = scenario.requests_per_connection
        assert __package__  # this is no script
        super().__init__(__package__, [json.dumps(options)], environment=environment)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.line["port"])
