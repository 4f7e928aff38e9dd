"""A body's codings stand on any field line, or on none: either way nothing secret is shown.

Each capture holds one body, coded, whose key is nowhere but inside the coding. So the key leaks
wherever the coded bytes are found, or what they decode to.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import pytest
import zstandard
from support.attack import chunk, request, response
from support.capture_files import read_all
from support.framed import grpc_frame
from support.reports import answers
from support.talk import Talk

from wireproof.export.run import ExportOptions
from wireproof.export.run import run as export
from wireproof.redact.capture import redact_capture
from wireproof.web.reporting import report_capture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("loaded")]

KEY = b"sk-proj-0a1b2c3d4e5f6a7b8c9d"
CONTENT = b'{"note": "nothing", "api_key": "%b"}' % KEY + b" " * 40
HARMLESS = CONTENT.replace(KEY, b"*" * len(KEY))
CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
WINDOW = 12
"""Coded bytes in a row that are a leak: what takes their place has none of them."""

BETWEEN = b"|" * WINDOW

# Field lines before those that frame the body, and whether the body is chunked; {} is the coding.
LINES: dict[str, tuple[tuple[str, ...], bool]] = {
    "identity, next line": (("Content-Encoding: identity", "Content-Encoding: {}"), False),
    "empty, next line": (("Content-Encoding:", "Content-Encoding: {}"), False),
    "empty elements": (("Content-Encoding: ,", "Content-Encoding: , {}"), False),
    "next line, chunked": (
        ("Content-Encoding: identity", "Content-Encoding: {}", "Transfer-Encoding: chunked"),
        True,
    ),
    "empty, chunked": (
        ("Content-Encoding:", "Content-Encoding: {}", "Transfer-Encoding: chunked"),
        True,
    ),
    "transfer": (("Transfer-Encoding: identity", "Transfer-Encoding: {}, chunked"), True),
    "transfer, line by line": (
        ("Transfer-Encoding: identity", "Transfer-Encoding: {}", "Transfer-Encoding: chunked"),
        True,
    ),
    "transfer, empty": (("Transfer-Encoding:", "Transfer-Encoding: {}, chunked"), True),
}
# Field lines that name no coding of content which is coded all the same.
UNDECLARED: dict[str, tuple[tuple[str, ...], bool]] = {
    "undeclared JSON": (("Content-Type: application/json",), False),
    "undeclared JSON, chunked": (
        ("Content-Type: application/json", "Transfer-Encoding: chunked"),
        True,
    ),
    "undeclared events": (("Content-Type: text/event-stream", "Transfer-Encoding: chunked"), True),
    "undeclared lines": (("Content-Type: application/x-ndjson",), False),
    "undeclared array": (("Content-Type: application/json; x=y", "Content-Encoding:"), False),
    "undeclared parts": (("Content-Type: multipart/mixed; boundary=b",), False),
    "undeclared bytes": (
        ("Content-Type: application/octet-stream", "Transfer-Encoding: chunked"),
        True,
    ),
    "undeclared, of no type": ((), False),
}
BEGIN_AS_THEMSELVES: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
    "deflate, best": lambda content: zlib.compress(content, 9),
    "gzip, gzip": lambda content: gzip.compress(gzip.compress(content)),
}
# What a type says is in base64.
TYPED: dict[str, tuple[tuple[str, ...], bool]] = {
    "gRPC-Web text": (("Content-Type: application/grpc-web-text+json",), False),
    "gRPC-Web text, chunked": (
        ("Content-Type: Application/gRPC-Web-text; charset=x", "Transfer-Encoding: chunked"),
        True,
    ),
}
IN_BASE64: dict[str, Callable[[bytes], bytes]] = {
    "base64": lambda content: b64encode(grpc_frame(0, content)),
    "base64, piece by piece": lambda content: b"".join(
        b64encode(piece) for piece in (grpc_frame(0, content[:50]), grpc_frame(0, content[50:]))
    ),
    "gzip under base64": lambda content: b64encode(gzip.compress(content)),
}
GROUPS = ((LINES, CODERS), (UNDECLARED, BEGIN_AS_THEMSELVES), (TYPED, IN_BASE64))
ALL_CODERS = CODERS | BEGIN_AS_THEMSELVES | IN_BASE64
CASES = [
    pytest.param((lines, coding, sender), id=f"{name}, {coding}, {sender}")
    for heads, coders in GROUPS
    for (name, lines), coding, sender in product(heads.items(), coders, ("client", "server"))
]


class Coded(NamedTuple):
    """A capture, and what must not be found of it."""

    path: Path
    body: bytes

    def is_in(self, data: bytes) -> bool:
        """Whether the key, or a part of the coded body after its magic number, is in there.

        What a coding leaves as it is, of what is no secret, may be shown.
        """
        parts = (self.body[at : at + WINDOW] for at in range(4, len(self.body) - WINDOW))
        found = (part for part in parts if part in data)
        return KEY[8:] in data or any(part not in HARMLESS for part in found)


@pytest.fixture
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Coded:
    """The capture of the case's field lines, coding and sender."""
    (lines, is_chunked), coding, sender = request.param
    body = ALL_CODERS[coding](CONTENT)
    path = tmp_path / "secret.pcapng"
    path.write_bytes(talk(lines, coding, body, is_chunked=is_chunked, sender=sender))
    return Coded(path, body)


def talk(
    lines: tuple[str, ...], coding: str, body: bytes, *, is_chunked: bool, sender: str
) -> bytes:
    """An exchange in which ``sender`` sends the body, in two pieces and between plain bodies."""
    middle = len(body) // 2
    pieces = [body[:middle], body[middle:]]
    fields = [line.format(coding) for line in lines]
    if is_chunked:
        pieces = [chunk(piece) for piece in pieces] + [chunk(b"")]
    else:
        fields.append(f"Content-Length: {len(body)}")
    made = Talk().open()
    if sender == "client":
        made.client(request("/x", *fields, method="POST"), *pieces)
        made.server(response("200 OK", "Content-Length: 2") + b"ok")
    else:
        made.client(request("/x"))
        made.server(response("200 OK", *fields), *pieces)
    made.client(request("/after"))
    made.server(response("200 OK", "Content-Length: 5") + b"after")
    made.close()
    return made.tape.file()


def test_each_capture_holds_the_key(tmp_path: Path) -> None:
    for heads, coders in GROUPS:
        for (lines, is_chunked), (coding, encode) in product(heads.values(), coders.items()):
            body = encode(CONTENT)
            data = talk(lines, coding, body, is_chunked=is_chunked, sender="server")
            assert Coded(tmp_path, body).is_in(data) and KEY not in data


@pytest.mark.parametrize("capture", CASES, indirect=True)
def test_redact_masks_the_body_whole(capture: Coded, tmp_path: Path) -> None:
    output = tmp_path / "redacted.pcapng"
    done = redact_capture(str(capture.path), str(output), "all", lambda _: None)
    packets, _ = read_all(output.read_bytes())
    assert done.report.left_out
    payloads = b"".join(packet[4][54:] for packet in packets)
    assert not capture.is_in(payloads)
    assert b"after" in payloads and payloads.count(b"*") == len(capture.body)


@pytest.mark.parametrize("capture", CASES, indirect=True)
def test_the_report_shows_neither_bytes_nor_content(capture: Coded, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    report_capture(str(capture.path), str(output), "all", lambda _: None)
    for path, answer in answers(output.read_text()).items():
        shown = json.dumps(answer).encode()
        shown += b64decode(answer["data"]) if path.startswith("packet/") else b""
        assert not capture.is_in(shown), path


@pytest.mark.parametrize("form", ["har", "csv", "parquet"])
@pytest.mark.parametrize("capture", CASES, indirect=True)
def test_no_export_holds_it(capture: Coded, form: Any, tmp_path: Path) -> None:
    output = tmp_path / f"out.{form}"
    export(ExportOptions(str(capture.path), form, str(output), "all"))
    texts = set(exported(form, output))
    assert any("after" in text for text in texts)
    # All at once: no part that is looked for can stand in two of them.
    assert not capture.is_in(BETWEEN.join(text.encode("utf-8", "surrogatepass") for text in texts))
    assert not capture.is_in(BETWEEN.join(map(unpacked, texts)))


def exported(form: str, path: Path) -> Iterator[str]:
    """Yield every text of an export."""
    if form == "har":
        yield from texts_of(json.loads(path.read_text()))
    elif form == "csv":
        for row in csv.reader(io.StringIO(path.read_text())):
            yield from row
    else:
        import pyarrow.parquet as pq

        yield from texts_of(pq.read_table(path).to_pylist())


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, str):
        yield value


def unpacked(text: str) -> bytes:
    """What a text is in base64; nothing if it is none."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
