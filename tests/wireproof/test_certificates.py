"""Throw-away certificates: trusted where they are asked for, by nobody else, and for a while."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import threading
from collections.abc import Iterator

import pytest

from wireproof import certificates as module
from wireproof.certificates import Certificates, NoCertificates, certificates
from wireproof.extras import Lack


@pytest.fixture
def port() -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates().certificate, certificates().key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                    context.wrap_socket(accepted, server_side=True).close()
                except (ssl.SSLError, ConnectionError):
                    continue
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def shakes_hands(context: ssl.SSLContext, port: int, name: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port)) as raw:
            context.wrap_socket(raw, server_hostname=name).close()
    except ssl.SSLCertVerificationError:
        return False
    return True


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_it_is_trusted_by_who_is_told(port: int, name: str) -> None:
    assert shakes_hands(certificates().client_context(), port, name)
    assert not shakes_hands(ssl.create_default_context(), port, name)
    assert not shakes_hands(certificates().client_context(), port, "example.com")
    with certificates().trusted():
        assert shakes_hands(ssl.create_default_context(), port, name)
    assert not shakes_hands(ssl.create_default_context(), port, name)


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURL_CA_BUNDLE", "mine")
    before = dict(os.environ)
    with certificates().trusted():
        assert os.environ["CURL_CA_BUNDLE"] == str(certificates().bundle)
    assert dict(os.environ) == before


def test_the_key_is_its_owners_alone_and_goes() -> None:
    made = Certificates()
    key = made.key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    made._folder.cleanup()
    assert not key.exists()


def test_without_trustme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lacks", lambda extra: [Lack("trustme", "1.1", None)])
    with pytest.raises(NoCertificates, match=r"needs trustme: pip install 'wireproof\[https\]'"):
        Certificates()
