"""Servers of TLS and of HTTP/2: clients of every kind just work, and they are decrypted."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.wire_apps import app, create_app
from websockets.sync.client import connect

from wireproof import certificates
from wireproof.testing import ServerDidNotStart, Wire, servers
from wireproof.testing.environments import choose

pytestmark = [pytest.mark.packets, pytest.mark.slow]

APP = "support.wire_apps:app"
KINDS = {
    "h1 over TLS": {"tls": True},
    "h2 over TLS": {"tls": True, "http2": True},
    "h2c": {"http2": True},
}
CURL = pytest.mark.tool("curl")


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


def test_a_client_is_given_what_to_trust(wire: Wire) -> None:
    with wire.serve(APP, tls=True) as server:
        assert get(server.url + "/chat", {}, verify=wire.ca, trust_env=False).status_code == 200
        strict = ssl.create_default_context(cafile=wire.ca_file)
        assert get(server.url + "/chat", {}, verify=strict, trust_env=False).status_code == 200
        with connect(server.ws_url + "/ws", ssl=wire.ca) as websocket:
            websocket.send("hello")
            assert websocket.recv()
    assert len(wire.exchanges("/chat")) == 2


@CURL
def test_curl_just_works(wire: Wire) -> None:
    with wire.serve(APP, tls=True, http2=True) as server:
        command = ["curl", "-sS", "--http2", "-w", "%{http_version}", server.url + "/where"]
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert said == os.getcwd() + "2"  # noqa: PTH109
    assert wire.exchange("/where").status == 200


def test_another_server_finds_its_certificate(wire: Wire) -> None:
    code = """
import http.server, ssl, sys
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(*sys.argv[2:4])
handler = http.server.SimpleHTTPRequestHandler
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
    command = [sys.executable, "-c", code, "{port}", "{cert}", "{key}"]
    with wire.serve(command, tls=True) as server:
        assert httpx.get(server.url + "/").status_code == 200
    assert wire.exchange("/").status == 200


def test_the_environment_is_as_before(wire: Wire) -> None:
    before = dict(os.environ)
    with wire.serve(APP, tls=True):
        assert os.environ["SSL_CERT_FILE"] != before.get("SSL_CERT_FILE")
    assert dict(os.environ) == before


def test_what_is_kept_is_as_secret_as_its_keys(wire: Wire, tmp_path: Path) -> None:
    with wire.serve(APP, tls=True) as server:
        httpx.get(server.url + "/where")
    wire.close(keep=True)
    kept = tmp_path / ".wireproof" / "t.py" / "x.pcapng"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert wire.replay(kept).exchange("/where").status == 200
    assert kept.read_bytes().index(b"CLIENT_HANDSHAKE") < 1_000, "they stand before the packets"


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


def test_a_failing_tests_report_tells_of_what_was_decrypted(wire: Wire) -> None:
    with wire.serve(APP, tls=True, http2=True) as server:
        get(server.url + "/chat", {"http2": True})
    report = wire.report()
    assert "GET /chat" in report and "200" in report
    with pytest.raises(AssertionError, match="7 events"):
        wire.exchange("/chat").assert_streamed(min_events=99)
