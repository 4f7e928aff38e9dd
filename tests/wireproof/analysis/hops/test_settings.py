"""The setting of the proxy that a hop calls itself, instead of one of each."""

from __future__ import annotations

import pytest

from wireproof.analysis.hops.settings import with_settings
from wireproof.analysis.verdict import Cause


@pytest.mark.parametrize(
    ("code", "proxy", "remedy"),
    [
        ("proxy-buffer", "nginx/1.22.1", "in nginx: `proxy_buffering off`"),
        ("proxy-holds", "openresty/1.25 (nginx)", "in nginx: `proxy_buffering off`"),
        ("proxy-buffer", "1.1 varnish (Varnish/7.1)", "in Varnish: `set beresp.do_stream = true`"),
        ("compressor-not-flushed", "Caddy", "in Caddy: leave `text/event-stream` out"),
        ("compressor-not-flushed", "squid/5.7", "any"),
        ("fixed-delay", "Caddy", "any"),
        ("proxy-buffer", "", "any"),
    ],
)
def test_a_proxy_that_is_named_is_given_its_own_setting(code: str, proxy: str, remedy: str) -> None:
    cause = Cause(code, "likely", "seen", "any")
    [found] = with_settings([cause], proxy)
    assert found.remedy.startswith(remedy)
    assert (found.code, found.sure, found.summary) == (code, "likely", "seen")
