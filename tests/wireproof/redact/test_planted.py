"""Secrets in WebSockets, XML, HTTP/2, gRPC and TLS: none is left, or it is said what nobody saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from support import quic
from support.attack import request, response
from support.framed import grpc_frame
from support.frames import ipv4, tcp, udp
from support.http2 import GET, OK, Http2Talk, data
from support.talk import Talk, Tape
from support.tls import CHOOSES_TLS13, client_hello, record, server_hello, server_name
from support.tls_live import dialogue
from support.websocket_frames import KEY, Compressor, frame

from wireproof import decode
from wireproof.cli import run
from wireproof.redact.found import FoundSecrets
from wireproof.redact.frames import FrameMasks

NAMES = (
    *("password", "api_key", "user_token", "client_secret", "tenant-key", "sessionState"),
    *("x_signature", "my-credentials", "cookie_jar", "proxy_authorization"),
)
NUMBERS = Random(15)
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def upgraded(tape: Tape, *fields: str) -> Talk:
    talk = Talk(tape, client_port=NUMBERS.randrange(20_000, 60_000)).open()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    talk.client(request("/", *upgrade, key, *fields))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    extension = [one for one in fields if "deflate" in one]
    talk.server(response("101 Switching Protocols", *upgrade[:2], accept, *extension))
    return talk


def post(talk: Talk, kind: str, text: str) -> None:
    fields = (f"Content-Type: {kind}", f"Content-Length: {len(text)}")
    talk.client(request("/", *fields, method="POST") + text.encode())
    talk.server(response("200 OK", "Content-Length: 0"))


def said(name: str, value: str) -> bytes:
    return json.dumps({"a": [{name: value}]}).encode()


def in_xml(tape: Tape, name: str, value: str) -> None:
    talk = Talk(tape, client_port=NUMBERS.randrange(20_000, 60_000)).open()
    post(talk, "text/xml", f"<a><b:{name} c='d'>{value}</b:{name}><e>f</e></a>")
    talk.close()


def in_subprotocol(tape: Tape, _: str, value: str) -> None:
    upgraded(tape, f"Sec-WebSocket-Protocol: v1, bearer.{value}").close()


def in_masked_frame(tape: Tape, name: str, value: str) -> None:
    talk = upgraded(tape)
    talk.client(frame(1, said(name, value), key=KEY))
    talk.close()


def in_two_frames(tape: Tape, name: str, value: str) -> None:
    talk = upgraded(tape)
    whole = said(name, value)
    half = whole.index(value.encode()) + 7
    talk.server(frame(1, whole[:half], fin=False))
    talk.server(frame(0, whole[half:]))
    talk.close()


def in_deflated_message(tape: Tape, name: str, value: str) -> None:
    talk = upgraded(tape, "Sec-WebSocket-Extensions: permessage-deflate")
    talk.server(frame(1, Compressor()(said(name, value)), rsv=4))
    talk.close()


PLACES: list[Callable[[Tape, str, str], None]] = [
    *(in_xml, in_subprotocol, in_masked_frame, in_two_frames, in_deflated_message)
]


def a_secret(secrets: FoundSecrets) -> str:
    value = "".join(NUMBERS.choices(ALPHABET, k=24))
    secrets.add(value.encode())
    return value


def redacted(tmp_path: Path, capture: bytes) -> Path:
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(capture)
    assert run(["redact", str(source), "-o", str(output)]) == 0
    return output


def left(output: Path, secrets: FoundSecrets) -> list[str]:
    """What of the secrets the file holds, or shows when it is decoded."""
    shown = "\n".join(map(repr, decode(output))).encode()
    return [one.form for text in (output.read_bytes(), shown) for one in secrets.left_in(text)]


def test_secrets_in_websockets_and_xml(tmp_path: Path) -> None:
    tape, secrets = Tape(), FoundSecrets()
    for place in PLACES:
        for name in NAMES:
            place(tape, name, a_secret(secrets))
    assert len(secrets.values) == len(PLACES) * len(NAMES) == 50
    assert left(redacted(tmp_path, tape.file()), secrets) == []


def test_secrets_in_http2_and_grpc(tmp_path: Path) -> None:
    talk, secrets = Http2Talk().begin(), FoundSecrets()
    grpc = [*GET, ("content-type", "application/grpc+json")]
    for index, name in enumerate(NAMES):
        stream = 2 * index + 1
        field = ("x-" + name.lower().replace("_", "-") + "-token", a_secret(secrets))
        talk.say("client", talk.client.head(stream, [*grpc, field]))
        message = grpc_frame(0, said(name, a_secret(secrets)))
        talk.say("client", data(stream, message, ends=True))
        talk.say("server", talk.server.head(stream, OK))
        talk.say("server", data(stream, said(name, a_secret(secrets)), ends=True))
    talk.talk.close()
    assert len(secrets.values) == 30
    assert left(redacted(tmp_path, talk.talk.tape.file()), secrets) == []
    masks = FrameMasks("all")
    masks.add(talk.talk.tape.packets)
    masks.end()
    assert not masks.not_looked_into, "nothing is missing"


def test_secrets_in_tls_whose_keys_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from support.capture_files import Blocks

    secrets = FoundSecrets()
    value = a_secret(secrets)
    talked = dialogue(
        [("client", request("/", f"Authorization: Bearer {value}")), ("server", response("200 OK"))]
    )
    whole = talked.talk().tape.file()
    section = len(Blocks().section())
    keys = Blocks().secrets(0x544C534B, talked.keys)
    source = tmp_path / "with-keys.pcapng"
    source.write_bytes(whole[:section] + keys + whole[section:])
    assert value in repr(list(decode(source)))
    output = redacted(tmp_path, source.read_bytes())
    assert left(output, secrets) == []
    assert talked.keys.split()[2] not in output.read_bytes()
    told = capsys.readouterr().err
    assert "1 block of TLS secrets left out" in told
    assert "not searched:" in told and "encrypted by TLS" in told


@pytest.mark.parametrize("is_in_tunnel", [False, True])
def test_what_tls_has_encrypted_stays_whatever_it_looks_like(
    is_in_tunnel: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recipient who has the keys can decrypt it; what is in the clear is searched."""
    secrets = FoundSecrets()
    name = a_secret(secrets)
    talk = Talk().open()
    if is_in_tunnel:
        talk.client(request("example:443", method="CONNECT"))
        talk.server(response("200 OK"))
    sealed = record(23, b"\x8e\nPassword: " + bytes(range(128, 160)) + b"&token=" + b"x7Q9" * 8)
    talk.client(record(22, client_hello(server_name(f"token={name}.example".encode()))))
    talk.server(record(22, server_hello(CHOOSES_TLS13)), sealed[:20], sealed[20:] + sealed)
    talk.close()
    output = redacted(tmp_path, talk.tape.file())
    assert left(output, secrets) == []
    assert output.read_bytes().count(sealed[20:]) == 2
    assert "encrypted by TLS" in capsys.readouterr().err


def test_what_quic_has_encrypted_stays_whatever_it_looks_like(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other datagrams are searched, though a connection of TCP has their addresses and ports."""
    secrets = FoundSecrets()
    talk = quic.dialogue()
    sealed = (
        b"\x41" + quic.SERVER_ID + b"\n\nPassword: " + bytes(range(128, 160)) + b"&token=x7Q9x7Q9"
    )
    talk.send("client", sealed)
    tape = Tape()
    for *_, datagram in talk.packets:
        tape.add(datagram)
    beside = Talk(tape, client_port=5_000, server_port=5_001).open()
    tape.add(ipv4(udp(5_000, 5_001, f"token={a_secret(secrets)}".encode()), 17))
    beside.close()
    output = redacted(tmp_path, tape.file())
    assert left(output, secrets) == []
    assert sealed in output.read_bytes()
    told = capsys.readouterr().err
    assert f"not searched: {len(talk.packets)} packets encrypted by QUIC" in told


def test_what_could_not_be_looked_into_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape = Tape()
    tape.add(ipv4(bytes(range(1, 60)), 50))
    tape.add(ipv4(udp(4_500, 4_500, b"\x01" * 60), 17))
    tape.add(ipv4(udp(4_500, 4_500, bytes(4) + b"\x01" * 60), 17))
    tape.add(ipv4(udp(5_000, 5_684, b"\x17\xfe\xfd" + bytes(60)), 17))
    tape.add(ipv4(tcp(40_000, 8_000, payload=b"x" * 90), 6), captured=70)
    talk = Talk(tape).open()
    talk.server(b"SSH-2.0-OpenSSH_9.9\r\n" + bytes(range(100)))
    talk.close()
    redacted(tmp_path, tape.file())
    told = capsys.readouterr().err
    for line in (
        *(
            "2 packets encrypted by IPsec",
            "1 packet encrypted by DTLS",
            "1 packet cut by the capture",
        ),
        "8 packets encrypted by SSH",
    ):
        assert f"not searched: {line}" in told
