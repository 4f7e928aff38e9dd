"""The proof of a redaction: what is still there is found in every form, and masked or named."""

from __future__ import annotations

import gzip
import json
import stat
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from random import Random
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.attack import request, response
from support.frames import ipv4, udp
from support.http2 import GET, OK, Http2Talk
from support.talk import Talk, Tape, decoded
from support.websocket_frames import KEY, frame

from wireproof.cli import run
from wireproof.redact.found import FoundSecrets
from wireproof.redact.frames import FrameMasks
from wireproof.redact.patterns import Patterns
from wireproof.redact.proof import Proof

SECRET = "hK7qWz3nXv9LpT2mRb5c"
HEAD = f"Authorization: Bearer {SECRET}"
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda text: text,
    "base64 0": lambda text: b64encode(text + b"xy"),
    "base64 1": lambda text: b64encode(b"a" + text + b"xy"),
    "base64 2": lambda text: b64encode(b"ab" + text + b"xy"),
    "base64 for URLs": lambda text: urlsafe_b64encode(b"\xfb\xff" + text + b"\xff\xfe"),
    "percent": lambda text: b"".join(b"%%%02X" % byte for byte in text),
    "hexadecimal": lambda text: text.hex().encode(),
    "HEXADECIMAL": lambda text: text.hex().upper().encode(),
    "UTF-16 le": lambda text: text.decode().encode("utf-16-le"),
    "UTF-16 be": lambda text: text.decode().encode("utf-16-be"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", range(0, 12))
def test_each_form_is_found_wherever_it_stands(form: str, before: int) -> None:
    found = FoundSecrets()
    found.add(SECRET.encode())
    text = b"." * before + FORMS[form](SECRET.encode()) + b"and so on"
    assert list(found.left_in(text))
    assert not list(found.left_in(b"." * before + FORMS[form](SECRET[::-1].encode())))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sizes", [[64], [39], [23], [22], [10], [64, 31, 12], [11, 64]])
def test_each_form_is_found_at_every_alignment(form: str, sizes: list[int]) -> None:
    """Long ones are read by fewer windows, but for those that came with shorter ones."""
    found = FoundSecrets()
    letters = ascii_letters + digits
    secrets = [(letters[size:] + letters)[:size].encode() for size in sizes]
    for secret in secrets:
        found.add(secret)
    for secret in secrets:
        coded = FORMS[form](secret)
        assert all(list(found.left_in(b"." * before + coded)) for before in range(70))


@given(st.binary(min_size=10, max_size=80), st.binary(max_size=40), st.binary(max_size=40))
def test_any_secret_is_found_in_any_text(secret: bytes, before: bytes, after: bytes) -> None:
    found = FoundSecrets()
    found.add(secret)
    is_told_apart = len(set(secret[:64])) >= 6
    assert bool(list(found.left_in(before + secret + after))) >= is_told_apart


def capture(tmp_path: Path, *said: tuple[str, bytes], frames: tuple[bytes, ...] = ()) -> Path:
    tape = Tape()
    talk = Talk(tape).open()
    talk.client(request("/", HEAD))
    talk.server(response("200 OK", "Content-Length: 0"))
    for sender, data in said:
        (talk.client if sender == "client" else talk.server)(data)
    talk.close()
    for one in frames:
        tape.add(one)
    path = tmp_path / "in.pcapng"
    path.write_bytes(tape.file())
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_a_frame_still_holds_is_masked(form: str, tmp_path: Path) -> None:
    """In a datagram of a protocol that nobody knows, without a name beside it."""
    data = b"\x00\x01" + FORMS[form](SECRET.encode()) + b"\x02"
    source = capture(tmp_path, frames=(ipv4(udp(5000, 5001, data), 17),))
    output = tmp_path / "out.pcapng"
    assert run(["redact", str(source), "-o", str(output)]) == 0
    found = FoundSecrets()
    found.add(SECRET.encode())
    assert not list(found.left_in(output.read_bytes()))
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_what_only_decoding_shows_is_masked(tmp_path: Path) -> None:
    """Nothing says that it is a secret, inside a coding: it is known by then from elsewhere."""
    body = gzip.compress(f"they said {SECRET} to me".encode())
    fields = ("Content-Encoding: gzip", f"Content-Length: {len(body)}", "Content-Type: text/plain")
    asked = request("/note"), response("200 OK", *fields) + body
    source = capture(tmp_path, ("client", asked[0]), ("server", asked[1]))
    output = tmp_path / "out.pcapng"
    assert run(["redact", str(source), "-o", str(output)]) == 0
    assert body not in output.read_bytes()


def test_what_is_left_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is masked that has been found before."""
    monkeypatch.setattr(Patterns, "known_in", lambda *_: [])
    body = gzip.compress(f"they said {SECRET} to me".encode())
    fields = ("Content-Encoding: gzip", f"Content-Length: {len(body)}", "Content-Type: text/plain")
    asked = request("/note"), response("200 OK", *fields) + body
    source = capture(tmp_path, ("client", asked[0]), ("server", asked[1]))
    assert run(["redact", str(source), "-o", str(tmp_path / "out.pcapng")]) == 1
    said = capsys.readouterr().err
    assert "NOT safe to share: secrets can still be read in" in said
    assert ", data, as it is" in said and SECRET not in said


PARTS = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n%s\r\n--B--\r\n'


def in_a_datagram(tape: Tape, coded: bytes) -> None:
    tape.add(ipv4(udp(5000, 5001, b"\x00\x01" + coded + b"\x02"), 17))


def in_a_trailer(tape: Tape, coded: bytes) -> None:
    tape.add(ipv4(udp(5000, 5001, b"x"), 17) + coded)


def in_parts(tape: Tape, coded: bytes) -> None:
    talk = Talk(tape, client_port=30_001).open()
    body = PARTS % coded
    fields = ("Content-Type: multipart/form-data; boundary=B", f"Content-Length: {len(body)}")
    talk.client(request("/p", *fields, method="POST") + body[:90], body[90:])
    talk.server(response("200 OK", "Content-Length: 0"))
    talk.close()


def in_a_message(tape: Tape, coded: bytes) -> None:
    """Behind a byte of its own, so that it is not known for coded by how it begins."""
    talk = Talk(tape, client_port=30_002).open()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    talk.client(request("/", *upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    talk.server(response("101 Switching Protocols", *upgrade[:2], accept))
    talk.client(frame(2, b"\x01" + coded, key=KEY))
    talk.close()


@pytest.mark.parametrize("place", [in_a_datagram, in_parts, in_a_message])
@pytest.mark.parametrize("form", ["as it is", "base64 1", "UTF-16 le"])
def test_what_gzip_hides_that_nothing_tells_of_is_named(
    place: Callable[[Tape, bytes], None],
    form: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tape = Tape()
    talk = Talk(tape).open()
    talk.client(request("/", HEAD))
    talk.close()
    place(tape, gzip.compress(b"they said " + FORMS[form](SECRET.encode()) + b" to me"))
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(tape.file())
    assert run(["redact", str(source), "-o", str(output)]) == 1
    assert ", inside gzip, " in capsys.readouterr().err


def test_gzip_without_a_secret_is_nothing_to_tell(tmp_path: Path) -> None:
    tape = Tape()
    talk = Talk(tape).open()
    talk.client(request("/", HEAD))
    talk.close()
    in_parts(tape, gzip.compress(b"they said nothing"))
    in_a_datagram(tape, gzip.compress(b"nor did they")[:-12] + b"\x1f\x8b\x08 and so on")
    source = tmp_path / "in.pcapng"
    source.write_bytes(tape.file())
    assert run(["redact", str(source), "-o", str(tmp_path / "out.pcapng")]) == 0


def test_what_begins_as_gzip_all_the_way_takes_linear_time() -> None:
    """Each beginning may unfold to 64 KiB: what is read and made is bounded by the text."""
    made: list[int] = []
    proof = Proof(FrameMasks("all"))
    proof._found.left_in = lambda data: made.append(len(data)) or iter(())  # type: ignore
    bomb = gzip.compress(bytes(65_536))
    for count in (500, 1_000):
        made.clear()
        assert list(proof._in_gzip(bomb * count)) == []
        assert len(bomb) * count <= sum(made) <= 17 * len(bomb) * count + (1 << 20)


def test_a_late_copy_of_a_block_in_the_huffman_code() -> None:
    talk = Http2Talk().begin()
    fields = [*GET, ("authorization", f"Bearer {SECRET}"), ("x-note", "a" * 80)]
    number = talk.say("client", talk.client.head(1, fields, ends=True))
    talk.say("server", talk.server.head(1, OK, ends=True))
    talk.talk.close()
    packets = talk.packets()
    late = (len(packets) + 1, *packets[number - 1][1:])
    masks = FrameMasks("all")
    masks.add([*packets, late])
    masks.end()
    coded = bytes(packets[number - 1][4])
    assert masks.masked(packets[number - 1]) != coded
    left = list(masks.report.found.left_in(masks.masked(late)))
    assert len(left) >= 1
    assert not list(masks.report.found.left_in(masks.masked(packets[number - 1])))
    assert SECRET not in repr(decoded([(*one[:4], masks.masked(one)) for one in packets]))


NAMES = (
    *("password", "api_key", "access_token", "client_secret", "refresh_token", "private_key"),
    *("session_token", "auth_token", "csrf_token", "security_token", "subscription_key", "secret"),
)
PLACES: dict[str, Callable[[Talk, str, str], None]] = {
    "query": lambda talk, name, value: _exchange(talk, request(f"/q?a=1&{name}={value}&b=2")),
    "JSON": lambda talk, name, value: _post(talk, json.dumps({"a": {name: value}}), "json"),
    "JSON array": lambda talk, name, value: _post(talk, json.dumps({name: [value]}), "json"),
    "JSON in JSON": lambda talk, name, value: _post(
        talk, json.dumps({"log": json.dumps({name: value})}), "json"
    ),
    "form": lambda talk, name, value: _post(talk, f"a=1&{name}={value}", "x-www-form-urlencoded"),
    "gzip": lambda talk, name, value: _post(
        talk, json.dumps({name: value}), "json", coded=gzip.compress
    ),
    "base64": lambda talk, name, value: _post(
        talk, b64encode(json.dumps({name: value}).encode()).decode(), "octet-stream"
    ),
    "response": lambda talk, name, value: _exchange(
        talk, request("/r"), json.dumps({name: value}).encode()
    ),
    "multipart": lambda talk, name, value: _post(
        talk,
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--B--\r\n',
        "x; boundary=B",
    ),
    "event": lambda talk, name, value: _exchange(
        talk, request("/e"), f"data: {json.dumps({name: value})}\n\n".encode(), "text/event-stream"
    ),
    "URL in a field": lambda talk, name, value: _exchange(
        talk, request("/u", f"Referer: http://a/?{name}={value}")
    ),
}


def _exchange(talk: Talk, asked: bytes, body: bytes = b"", kind: str = "application/json") -> None:
    talk.client(asked)
    fields = (f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    talk.server(response("200 OK", *fields) + body)


def _post(talk: Talk, text: str, kind: str, *, coded: Callable[[bytes], bytes] = bytes) -> None:
    body = coded(text.encode())
    fields = [f"Content-Type: application/{kind}", f"Content-Length: {len(body)}"]
    fields += ["Content-Encoding: gzip"] if coded is not bytes else []
    _exchange(talk, request("/p", *fields, method="POST") + body)


def test_three_hundred_secrets_in_their_places(tmp_path: Path) -> None:
    """None is left, or the copy is said to hold it: of 396 each has its own name and place."""
    numbers = Random(15)
    alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    tape, secrets = Tape(), FoundSecrets()
    for place in PLACES.values():
        for name in NAMES:
            talk = Talk(tape, client_port=numbers.randrange(20_000, 60_000)).open()
            for _ in range(3):
                secret = "".join(numbers.choices(alphabet, k=24))
                secrets.add(secret.encode())
                place(talk, name, secret)
            talk.close()
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(tape.file())
    assert len(secrets.values) == 396
    assert run(["redact", str(source), "-o", str(output)]) == 0
    assert list(secrets.left_in(output.read_bytes())) == []
    from wireproof import decode

    shown = "\n".join(map(repr, decode(output))).encode()
    assert list(secrets.left_in(shown)) == []
