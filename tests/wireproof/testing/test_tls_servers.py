"""Servers of TLS and of HTTP/2: clients of every kind just work, and they are decrypted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.wire_apps import app, create_app

from wireproof import certificates
from wireproof.testing import ServerDidNotStart, Wire, servers
from wireproof.testing.environments import choose

pytestmark = [pytest.mark.packets, pytest.mark.slow]

APP = "support.wire_apps:app"
KINDS: dict[str, dict[str, Any]] = {"h2c": {"http2": True}}


@pytest.fixture(params=["packet-socket", "relay"])
def wire(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Wire]:
    place = choose(request.param)
    found = Wire(tmp_path, Path(__file__), "t.py::x", lambda: place, update=False)
    yield found
    found.close(keep=False)


def get(url: str, kind: dict[str, Any], **options: Any) -> httpx.Response:
    """Ask by the protocol of a kind."""
    is_http2 = kind.get("http2", False)
    with httpx.Client(http1=not is_http2, http2=is_http2, **options) as client:
        return client.get(url)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("served", [APP, app], ids=["process", "thread"])
def test_httpx_just_works_and_is_decrypted(wire: Wire, kind: dict[str, Any], served: Any) -> None:
    with wire.serve(served, **kind) as server:
        assert server.url.partition(":")[0] == ("https" if kind.get("tls") else "http")
        answer = get(server.url + "/chat", kind)
    assert answer.http_version == ("HTTP/2" if kind.get("http2") else "HTTP/1.1")
    exchange = wire.exchange("/chat")
    assert exchange.status == 200
    assert [event.data for event in exchange.events][-1] == "[DONE]"
    exchange.assert_streamed(min_events=7)
    exchange.assert_clean_end(app_terminator="[DONE]")


def test_the_environment_is_as_before(wire: Wire) -> None:
    before = dict(os.environ)
    with wire.serve(APP, tls=True):
        assert os.environ["SSL_CERT_FILE"] != before.get("SSL_CERT_FILE")
    assert dict(os.environ) == before


def test_an_app_that_cannot_be_loaded(wire: Wire) -> None:
    with pytest.raises(ServerDidNotStart, match="No module named 'nowhere'"):
        wire.serve("nowhere:app", http2=True).__enter__()
    with pytest.raises(ServerDidNotStart, match="hypercorn has no option 'reload_it'"):
        wire.serve(APP, http2=True, reload_it=True).__enter__()
    with pytest.raises(ServerDidNotStart, match="hypercorn has no option 'reload_it'"):
        wire.serve(app, http2=True, reload_it=True).__enter__()


@pytest.mark.parametrize("served", ["support.wire_apps:create_app", create_app])
def test_an_app_factory(wire: Wire, served: Any) -> None:
    with wire.serve(served, http2=True, factory=True) as server:
        assert get(server.url + "/where", {"http2": True}).status_code == 200


def test_what_is_missing_is_named(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None)
    with pytest.raises(ServerDidNotStart, match="hypercorn is not installed: pip install hyper"):
        wire.serve(APP, http2=True).__enter__()
    monkeypatch.undo()

    def lacks() -> None:
        raise certificates.NoCertificates("tls=True needs trustme: pip install 'wireproof[https]'")

    monkeypatch.setattr(servers, "certificates", lacks)
    with pytest.raises(ServerDidNotStart, match=r"pip install 'wireproof\[https\]'"):
        wire.serve(APP, tls=True).__enter__()
