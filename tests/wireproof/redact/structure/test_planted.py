"""Whatever is said, wherever it stands: nothing of it is left, and the structure is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.attack import chunk, request, response
from support.http2 import EVENTS, GET, Http2Talk, data
from support.planted import Secrets, planted
from support.tables import module_of
from support.talk import Talk, Tape
from support.websocket_frames import KEY, Compressor, frame

from wireproof import decode
from wireproof.redact.capture import redact_capture
from wireproof.redact.rules import Rules
from wireproof.redact.structure import frames as structure_frames
from wireproof.redact.structure.masking import Veil

CARRIERS = module_of("wireproof/redact/test_carriers.py").CARRIERS
PLACES = module_of("wireproof/redact/test_places.py").PLACES
KINDS = module_of("wireproof/redact/test_kinds.py").KINDS
DELTAS = module_of("wireproof/redact/test_deltas.py")
LEAST = 4
"""Characters of a text of which none may be left in a row."""
NAMES = (
    *("record", "first_packet", "last_packet", "first_time", "last_time", "offset", "length"),
    *("exchange", "sender", "index", "status", "framing", "transport", "opcode", "code"),
)
"""Fields of records that are the same in a copy."""
SWITCH = (
    *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
SWITCHED = (*SWITCH[:2], "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


LETTERS = str.maketrans("0123456789abcdef", "QXZJKWVYGHPBNMFD")


def made(place: str) -> str:
    """Return a text that stands nowhere by chance, of letters alone."""
    return sha256(place.encode()).hexdigest()[:24].translate(LETTERS)


def copied(capture: bytes, folder: Path) -> tuple[Path, Path]:
    """Return a capture and its copy, which has proven itself."""
    source, output = folder / "in.pcapng", folder / "out.pcapng"
    source.write_bytes(capture)
    done = redact_capture(str(source), str(output), Rules("structure"), lambda _: None)
    assert done.left == []
    return source, output


def structure(path: Path) -> list[tuple[object, ...]]:
    return [tuple(getattr(record, name, None) for name in NAMES) for record in decode(path)]


def left(texts: Iterable[str], output: Path) -> set[str]:
    """Return which parts of texts the copy holds or shows."""
    raw = output.read_bytes().decode("latin-1") + "\n".join(map(repr, decode(output)))
    parts = {text[at : at + LEAST] for text in texts for at in range(len(text) - LEAST + 1)}
    return parts & {raw[at : at + LEAST] for at in range(len(raw) - LEAST + 1)}


def test_every_place_that_can_hold_a_secret(tmp_path: Path) -> None:
    tape, secrets = planted()
    source, output = copied(tape.file(), tmp_path)
    assert secrets.found_in(source.read_bytes())
    assert secrets.found_in(output.read_bytes()) == []
    assert secrets.found_in("\n".join(map(repr, decode(output)))) == []


@pytest.mark.parametrize("carrier", CARRIERS)
def test_whatever_carries_it(carrier: str, tmp_path: Path) -> None:
    text = made(carrier)
    tape = Tape()
    for packet in CARRIERS[carrier](f"Say {text}".encode()):
        tape.add(packet)
    source, output = copied(tape.file(), tmp_path)
    assert left([text], source)
    assert left([text], output) == set()


@pytest.mark.parametrize("place", PLACES)
def test_other_places(place: str, tmp_path: Path) -> None:
    text = made(place)
    tape = Tape()
    for packet in PLACES[place](text):
        tape.add(packet[4])
    _, output = copied(tape.file(), tmp_path)
    assert left([text], output) == set()


def said(text: str) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}]}).encode()


def in_http1(talk: Talk, texts: list[str]) -> None:
    for text in texts:
        body = said(text)
        talk.client(request("/v1/chat", f"Content-Length: {len(body)}", method="POST"), body)
        talk.server(
            response("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
        )
        delta = json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})
        lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
        for event in (f"data: {delta}\n\n", f"{lines}\n", f": {lines}\n"):
            talk.server(chunk(event.encode()))
        talk.server(chunk(b""))


def in_websocket(talk: Talk, texts: list[str]) -> None:
    talk.client(request("/ws", *SWITCH, DEFLATE))
    talk.server(response("101 Switching Protocols", *SWITCHED, DEFLATE))
    compress = Compressor()
    for text in texts:
        talk.client(frame(1, said(text), key=KEY), frame(2, text.encode(), key=KEY))
        talk.server(frame(1, text.encode()), frame(1, compress(said(text)), rsv=4))


@pytest.mark.parametrize("way", [in_http1, in_websocket], ids=lambda way: way.__name__)
def test_every_kind_of_text(way: Callable[[Talk, list[str]], None], tmp_path: Path) -> None:
    talk = Talk().open()
    texts = [made(form) for form, _ in KINDS]
    way(talk, [form.replace("{}", text) for (form, _), text in zip(KINDS, texts, strict=True)])
    talk.close()
    source, output = copied(talk.tape.file(), tmp_path)
    assert structure(source) == structure(output)
    assert left(texts, output) == set()


@pytest.mark.parametrize("name", DELTAS.DIALECTS)
@pytest.mark.parametrize("size", [-1, 0, 7])
def test_every_dialect(name: str, size: int, tmp_path: Path) -> None:
    """What members and words tell is told by the copy too."""
    text = "Xk7pQ2mZ9vR4tW1nB8cL3sD6"
    talk = Talk().open()
    talk.client(DELTAS.request(text))
    deltas = [text[at : at + 5] for at in range(0, len(text), 5)]
    talk.server(DELTAS.streamed(DELTAS.DIALECTS[name], deltas, "", size))
    talk.close()
    _, output = copied(talk.tape.file(), tmp_path)
    assert left([text], output) == set()


# --- what a copy tells does not depend on what was said ---


def everywhere(text: str, word: str) -> bytes:
    """Return a capture that says a text wherever one may stand, and a word where it must be one."""
    talk = Talk().open()
    body = json.dumps({"prompt": text, word: [word, 1.5, True]}, ensure_ascii=False).encode()
    fields = (f"X-{word}: {text}", f"Cookie: a={word}", f"Content-Length: {len(body)}")
    talk.client(request(f"/{word}/b?{word}={word}", *fields, method="POST"), body)
    talk.server(
        response(f"200 {word}", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")
    )
    delta = json.dumps({"type": "x", "delta": {"content": text, "text": word}}, ensure_ascii=False)
    for event in (
        f"data: {delta}\n\n",
        f"event: {word}\ndata: x{text}\n\n",
        f": {text}\n{word}: {text}\n\n",
    ):
        talk.server(chunk(event.encode()))
    talk.server(chunk(b""))
    talk.client(request("/ws", *SWITCH))
    talk.server(response("101 Switching Protocols", *SWITCHED))
    talk.client(frame(1, f"x{text}".encode(), key=KEY), frame(1, body, key=KEY))
    talk.server(frame(2, text.encode()), frame(8, b"\x03\xe8" + text.encode()))
    talk.close()
    other = Talk(talk.tape, client_port=41_000).open()
    other.client(f"x{text}".encode())
    other.close()
    return talk.tape.file()


TEXTS = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters='"\\*')).filter(
    lambda text: len(text.encode()) <= 100
)
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=12)


@settings(max_examples=25, deadline=None)
@given(text=TEXTS, word=WORDS)
def test_a_copy_is_the_same_whatever_was_said(text: str, word: str) -> None:
    """Byte by byte, but for what a word says that is on a list."""
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        patched.setattr(structure_frames, "Veil", lambda: Veil(b"key"))
        copies = []
        for one, other in ((text, f"q{word}"), ("x" * len(text.encode()), "q" + "x" * len(word))):
            _, output = copied(everywhere(one, other), Path(folder))
            copies.append(output.read_bytes())
        assert copies[0] == copies[1]


def test_http2(tmp_path: Path) -> None:
    talk = Http2Talk().begin()
    secrets = Secrets()
    for stream in (1, 3, 5):
        fields: list[tuple[str, str]] = [*GET, ("x-note", secrets.plain(f"field {stream}"))]
        fields += [(secrets.plain(f"name {stream}"), "x"), ("cookie", secrets.plain(f"c {stream}"))]
        talk.say("client", talk.client.head(stream, fields, ends=True))
        talk.say("server", talk.server.head(stream, EVENTS))
        told: Any = {"choices": [{"delta": {"content": secrets.plain(f"delta {stream}")}}]}
        talk.say("server", data(stream, f"id: 1\ndata: {json.dumps(told)}\n\n".encode()))
        talk.say("server", data(stream, secrets.plain(f"end {stream}").encode(), ends=True))
    talk.talk.close()
    source, output = copied(talk.talk.tape.file(), tmp_path)
    assert structure(source) == structure(output)
    assert secrets.found_in(output.read_bytes()) == []
    assert secrets.found_in("\n".join(map(repr, decode(output)))) == []
