"""Throw-away certificates for servers of tests and of the demo, by one authority for each process.

Strategy: trustme makes an authority that nobody else trusts, and certificates for loopback's names.
Clients find its certificate where OpenSSL, curl, requests and node look for what to trust, beside
what the system trusts: so a test calls its client as it would call it elsewhere.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from .extras import lacks

NAMES = ("localhost", "127.0.0.1", "::1")
BUNDLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Variables that name all that is trusted: OpenSSL's and httpx's, curl's, requests'."""
ADDED = "NODE_EXTRA_CA_CERTS"
"""node's: it names what is trusted beside its own."""


class NoCertificates(Exception):
    """trustme is missing; the message says how to get it."""


class Certificates:
    """An authority, and the certificate of a server; files that are gone with this object."""

    def __init__(self) -> None:
        if missing := [lack for lack in lacks("https") if lack.name == "trustme"]:
            raise NoCertificates(f"tls=True needs {missing[0]}: pip install 'wireproof[https]'")
        import trustme

        self._folder = TemporaryDirectory(prefix="wireproof-ca-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        authority = trustme.CA()
        served = authority.issue_cert(*NAMES)
        self.authority = folder / "ca.pem"
        """What signs: for ``curl --cacert``."""
        self.bundle = folder / "bundle.pem"
        """The same, beside what the system trusts."""
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        authority.cert_pem.write_to_path(str(self.authority))
        self.key.touch(0o600)
        served.private_key_pem.write_to_path(str(self.key))
        for number, blob in enumerate(served.cert_chain_pems):
            blob.write_to_path(str(self.certificate), append=number > 0)
        self.bundle.write_bytes(_trusted() + self.authority.read_bytes())

    def client_context(self) -> ssl.SSLContext:
        """Return what a client verifies by: httpx's ``verify``, ``ssl`` of websockets."""
        return ssl.create_default_context(cafile=str(self.authority))

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """Have clients of this process and of its children trust the authority."""
        told = dict.fromkeys(BUNDLES, str(self.bundle)) | {ADDED: str(self.authority)}
        before = {name: os.environ.get(name) for name in told}
        os.environ.update(told)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


class Secured(NamedTuple):
    """What makes a server one of TLS."""

    certificate: str
    key: str
    key_log: str
    """Where it logs its secrets."""


@cache
def certificates() -> Certificates:
    """Return the certificates of this process; raises NoCertificates without trustme."""
    return Certificates()


def _trusted() -> bytes:
    """Return what is trusted without us, as far as it is one file."""
    named = os.environ.get(BUNDLES[0]) or ssl.get_default_verify_paths().cafile
    path = None if named is None else Path(named)
    return path.read_bytes().rstrip() + b"\n" if path is not None and path.is_file() else b""
