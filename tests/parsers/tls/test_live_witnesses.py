"""TLS of OpenSSL's own server and of node, as a relay on loopback hears it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
import trustme
from support.talk import Side, Talk

from parsers import KeyLog
from parsers.decode.capture import decode
from parsers.records import BodyRecord, RequestRecord, TlsConnectionRecord

NAME = "localhost"
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
OPENSSL = {
    "tls13": ["-tls1_3"],
    "tls13-chacha": ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    "tls13-aes-128": ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
    "tls13-retry": ["-tls1_3", "-groups", "P-521"],
    "tls12": ["-tls1_2"],
    "tls12-cbc": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
    "tls12-no-etm": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256", "-no_etm"],
}
NODE = """
const tls = require("tls"), fs = require("fs");
const [cert, key] = process.argv.slice(1).map((name) => fs.readFileSync(name));
tls.createServer({ cert, key }, (socket) => socket.on("data", () =>
    socket.end("HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")))
    .listen(0, "127.0.0.1", function () { console.log(this.address().port); });
"""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    made = authority.issue_cert(NAME)
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(key))
    return chain, key


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


class Relay:
    """Hands on what a client and a server at ``port`` say, and keeps it in its order."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[Side, bytes]] = []
        self._lock = threading.Lock()
        self._server = socket.create_connection(("127.0.0.1", port))
        client, self.end = socket.socketpair()
        self._client = client
        ways: list[tuple[Side, socket.socket, socket.socket]]
        ways = [("client", client, self._server), ("server", self._server, client)]
        self._threads = [threading.Thread(target=self._carry, args=way) for way in ways]
        for thread in self._threads:
            thread.start()

    def _carry(self, sender: Side, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                with self._lock:
                    self.heard.append((sender, data))
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the other way was closed first

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(10)
        self._server.close()
        self._client.close()


def said(port: int, authority: trustme.CA, keys: Path) -> tuple[bytes, list[tuple[Side, bytes]]]:
    """Ask a server; return its answer, and what went over the wire."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    context.keylog_filename = str(keys)
    relay = Relay(port)
    answer = b""
    with context.wrap_socket(relay.end, server_hostname=NAME) as client:
        client.sendall(REQUEST)
        while data := client.recv(1 << 16):
            answer += data
    relay.finish()
    return answer, relay.heard


def check(answer: bytes, heard: list[tuple[Side, bytes]], keys: Path) -> None:
    talk = Talk().open()
    for sender, data in heard:
        talk.segment(sender, data)
    talk.close()
    records = list(decode(BytesIO(talk.tape.file()), keylog=KeyLog.open(keys)))
    (found,) = [one for one in records if isinstance(one, TlsConnectionRecord)]
    assert (found.decrypted, found.reason) == ("yes", None)
    assert [one.method for one in records if isinstance(one, RequestRecord)] == ["GET"]
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert body.size == len(answer.partition(b"\r\n\r\n")[2]) > 0


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("kind", OPENSSL)
def test_openssl(
    kind: str, authority: trustme.CA, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    chain, key = map(str, certificate)
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", chain, "-key", key, "-www"]
    with process(*command, *OPENSSL[kind]) as server:
        assert server.stdout is not None
        line = next(line for line in server.stdout if line.startswith("ACCEPT"))
        port = int(line.rpartition(":")[2])
        keys = tmp_path / "keys.log"
        answer, heard = said(port, authority, keys)
    check(answer, heard, keys)


@pytest.mark.tool("node")
def test_node(authority: trustme.CA, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    with process("node", "-e", NODE, *map(str, certificate)) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        keys = tmp_path / "keys.log"
        answer, heard = said(port, authority, keys)
    assert answer.endswith(b"hello")
    check(answer, heard, keys)
