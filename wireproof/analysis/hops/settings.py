"""What to set in which proxy so that it passes a stream on as it comes.

Strategy: where a hop names itself, its own setting is given alone; what that is called is from its
documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ..verdict import Cause

UNBUFFERED = {
    "nginx": "in nginx: `proxy_buffering off` for this location, or `X-Accel-Buffering: no` from"
    " the application",
    "varnish": "in Varnish: `set beresp.do_stream = true` in `vcl_backend_response`",
    "caddy": "in Caddy: `flush_interval -1` in `reverse_proxy`",
    "apache": "in Apache: `flushpackets=on` of `ProxyPass`",
    "lighttpd": "in lighttpd: `server.stream-response-body = 1`",
    "envoy": "in Envoy: no buffer filter for this route",
}
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "proxy-buffer": UNBUFFERED,
    "proxy-holds": UNBUFFERED,
    "proxy-timer": {"caddy": UNBUFFERED["caddy"]},
    "compressor-not-flushed": {
        "nginx": "in nginx: `X-Accel-Buffering: no` from the application, or `gzip off` and"
        " `proxy_http_version 1.1`",
        "varnish": "in Varnish: `set beresp.do_gzip = false` for event streams",
        "caddy": "in Caddy: leave `text/event-stream` out of what `encode` matches",
    },
}
"""By cause, and by a word of the name that a proxy gives itself."""


def with_settings(causes: Sequence[Cause], proxy: str) -> tuple[Cause, ...]:
    """Return causes, with the setting of the proxy of that name for a remedy where one is known."""
    return tuple(_with_setting(cause, proxy.lower()) for cause in causes)


def _with_setting(cause: Cause, proxy: str) -> Cause:
    settings = SETTINGS.get(cause.code, {})
    found = next((remedy for name, remedy in settings.items() if name in proxy), None)
    return cause if found is None else replace(cause, remedy=found)
