"""Secrets in what bodies are made of: masked in their records, and in the packets of a capture."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.framed import aws_message, aws_string, grpc_frame
from support.talk import Talk

from parsers.records import BodyElement, DataRecord
from wireproof import decode
from wireproof.redact.capture import redact_capture
from wireproof.redact.records import Redactor

SECRET = "sk-proj-" + "a1B2c3D4e5F6" * 4
LINE = b'{"api_key": "%b"}' % SECRET.encode()
BODIES: dict[str, tuple[bytes, bytes]] = {
    "data": (b"text/plain", b"key " + LINE),
    "json_line": (b"application/x-ndjson", LINE + b"\n"),
    "part": (b"multipart/mixed; boundary=b", b"--b\r\nX: y\r\n\r\n" + LINE + b"\r\n--b--"),
    "aws_event": (
        b"application/vnd.amazon.eventstream",
        aws_message([(b":event-type", 7, aws_string(b"chunk"))], LINE),
    ),
    "grpc_message": (b"application/grpc-web+json", grpc_frame(0, LINE)),
}


def capture(kind: bytes, content: bytes, path: Path) -> Path:
    """Write a response of that content, cut inside the secret."""
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: e\r\n\r\n")
    talk.server(
        b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(content))
    )
    middle = content.find(b"sk-proj-") + 20
    talk.server(content[:middle])
    talk.server(content[middle:])
    talk.close()
    path.write_bytes(talk.tape.file())
    return path


@pytest.mark.parametrize("name", BODIES)
def test_records_and_packets(name: str, tmp_path: Path) -> None:
    path = capture(*BODIES[name], tmp_path / "secret.pcapng")
    redactor = Redactor("all")
    plain = list(decode(path))
    masked = [redactor.redact(record) for record in plain]
    assert name in {record.record for record in plain}
    shown = [one.data or "" for one in plain if isinstance(one, DataRecord | BodyElement)]
    assert SECRET in "".join(shown)
    hidden = [one.data or "" for one in masked if isinstance(one, DataRecord | BodyElement)]
    assert SECRET[8:20] not in "".join(hidden)
    assert SECRET[-12:] not in "".join(hidden)
    assert list(map(len, hidden)) == list(map(len, shown))
    redacted = tmp_path / "masked.pcapng"
    redact_capture(str(path), str(redacted), "all", lambda _: None)
    assert SECRET[8:20].encode() not in redacted.read_bytes()
    assert SECRET[-12:].encode() not in redacted.read_bytes()


def test_header_fields_of_parts_are_masked_as_those_of_messages(tmp_path: Path) -> None:
    content = b"--b\r\nAuthorization: Bearer abcdefghijklmnop\r\n\r\nx\r\n--b--"
    path = capture(b"multipart/mixed; boundary=b", content, tmp_path / "part.pcapng")
    redactor = Redactor("headers")
    masked = [redactor.redact(one) for one in decode(path) if isinstance(one, BodyElement)]
    assert "abcdefghijklmnop" not in repr(masked)
