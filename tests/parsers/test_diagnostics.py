"""The registry of faults: each has its severity, summary and rule, and is reported somewhere."""

from __future__ import annotations

import gzip
import re
import zlib
from io import BytesIO
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from support.capture_files import Blocks
from support.talk import Talk, kinds
from support.websocket_frames import Compressor, frame

import parsers
from parsers.decode.capture import decode
from parsers.diagnostics import FAULTS, Diagnostic, Severity, amount, diagnose, excerpt
from wireproof.live import decoding as live

SOURCES = [*Path(parsers.__file__).parent.rglob("*.py"), Path(live.__file__)]
"""What makes diagnostics: the decoders, and of packets that nobody has decoded yet, the watch."""
LITERAL = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"')
GROUPS = {code.partition("-")[0] for code in FAULTS}
NO_CODES = {
    "capture-end", "content-encoding", "content-length", "content-type", "packet-socket",
    "proxy-authenticate", "proxy-connection",
}  # fmt: skip
"""Literals that have the form of a code and are none: fields, how a body ended, a way to record."""

RULE = re.compile(
    r"(?:RFC \d{3,4}(?: section [\d.]+)?|WHATWG HTML section [\d.]+|pcapng section \d)"
)
"""The standards that are cited, with their sections."""


def codes_in(path: Path) -> set[str]:
    """Every literal of a source file that has the form of a code of a registered group."""
    found = {code for code in LITERAL.findall(path.read_text()) if code not in NO_CODES}
    return {code for code in found if code.partition("-")[0] in GROUPS}


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_is_described(code: str) -> None:
    fault = FAULTS[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)
    assert fault.severity in get_args(Severity)
    assert fault.summary
    assert not fault.summary.endswith((".", " ", ":"))
    assert not fault.reference or RULE.fullmatch(fault.reference)


def test_every_fault_is_reported_somewhere() -> None:
    """And no code is used that is not registered."""
    used: set[str] = set()
    for path in SOURCES:
        if path.parent.name != "faults":
            used |= codes_in(path)
    assert used == set(FAULTS)


@pytest.fixture(scope="module")
def tests() -> str:
    """The source of every other test module."""
    folder = Path(__file__).parents[1]
    modules = (path for path in folder.rglob("test_*.py") if path.name != "test_diagnostics.py")
    return "".join(path.read_text() for path in modules)


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_is_provoked_by_a_test(code: str, tests: str) -> None:
    assert f'"{code}"' in tests, "no test names it: provoke it in the test of what reports it"


# --- from the wire to the record ---
# Faults whose own tests look no further than what finds them: here they come out of the chain.

OK = b"HTTP/1.1 200 OK\r\n"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"


def upgrade(*lines: bytes, key: bytes = KEY) -> bytes:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n"
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def coded(coding: bytes, data: bytes) -> bytes:
    length = b"Content-Length: %d\r\n\r\n" % len(data)
    return OK + b"Content-Encoding: " + coding + b"\r\n" + length + data


def far_reference() -> bytes:
    """A message that refers 9,000 bytes back, where a window of 512 was agreed."""
    noise = Random(1).randbytes(9_000)
    whole = Compressor()(noise + noise[:100])
    return frame(2, whole, rsv=4)


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WINDOW = DEFLATE + b"; server_max_window_bits=9"
RAW = zlib.compressobj(wbits=-15)
SAID: dict[str, tuple[bytes, bytes]] = {
    "content-coding-deflate-raw": (GET, coded(b"deflate", RAW.compress(b"x") + RAW.flush())),
    "content-coding-trailing": (GET, coded(b"gzip", gzip.compress(b"x") + b"and more")),
    "http-content-length-forbidden": (
        GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n"
    ),
    "http-content-length-repeated": (GET, OK + b"Content-Length: 2, 2\r\n\r\nhi"),
    "http-transfer-encoding-and-content-length": (
        GET, OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    ),
    "http-transfer-encoding-empty-element": (
        GET, OK + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"
    ),
    "http-transfer-encoding-repeated": (
        GET, OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"
    ),
    "http-status-invalid": (GET, b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"),
    "websocket-extension-invalid": (upgrade(DEFLATE + b"; what"), SWITCHING + ACCEPT + b"\r\n"),
    "websocket-extension-unasked": (upgrade(), SWITCHING + ACCEPT + DEFLATE + b"\r\n\r\n"),
    "websocket-extension-unknown": (
        upgrade(b"Sec-WebSocket-Extensions: x-mux"),
        SWITCHING + ACCEPT + b"Sec-WebSocket-Extensions: x-mux\r\n\r\n",
    ),
    "websocket-handshake-invalid": (
        upgrade(b"Sec-WebSocket-Protocol: a b"), SWITCHING + ACCEPT + b"\r\n"
    ),
    "websocket-key-invalid": (upgrade(key=b"short"), SWITCHING + ACCEPT + b"\r\n"),
    "websocket-subprotocol-unasked": (
        upgrade(), SWITCHING + ACCEPT + b"Sec-WebSocket-Protocol: chat\r\n\r\n"
    ),
    "websocket-window-exceeded": (
        upgrade(WINDOW), SWITCHING + ACCEPT + WINDOW + b"\r\n\r\n" + far_reference()
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", SAID)
def test_what_was_said_wrongly(code: str) -> None:
    asked, answered = SAID[code]
    talk = Talk().open()
    talk.client(asked)
    talk.server(answered)
    talk.close()
    assert code in kinds(talk.tape.records())


@pytest.mark.parametrize(
    ("code", "block"),
    [("capture-damaged", (6).to_bytes(4, "little") + bytes(8)), ("capture-unsupported", b"")],
)
def test_a_capture_file_with_a_fault(code: str, block: bytes) -> None:
    section = Blocks().section()
    version_9 = section[:12] + b"\x09" + section[13:]
    data = section + (block or version_9)
    assert code in kinds(decode(BytesIO(data)))


def test_what_a_diagnostic_says() -> None:
    fault = diagnose("http-body-cut", 3, 9, "6 of 10 bytes")
    assert fault == Diagnostic(3, 9, "http-body-cut", "the body is incomplete: 6 of 10 bytes")
    assert (fault.severity, fault.reference) == ("error", "RFC 9112 section 8")
    assert diagnose("http-body-cut", 0, 0).summary == "the body is incomplete"


def test_a_code_that_is_not_registered() -> None:
    with pytest.raises(KeyError):
        diagnose("no-such-code", 0, 0)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "''"),
        (b"it's\r\n", '"it\'s\\r\\n"'),
        (b"\xff\0", r"'\xff\x00'"),
        (b"x" * 60, "'" + "x" * 60 + "'"),
        (b"x" * 1_061, "'" + "x" * 60 + "'... (1,061 bytes)"),
    ],
)
def test_excerpts(data: bytes, shown: str) -> None:
    assert excerpt(data) == shown


def test_amounts() -> None:
    said = [amount(number, "byte") for number in (0, 1, 2, 2_000)]
    assert said == ["0 bytes", "1 byte", "2 bytes", "2,000 bytes"]
