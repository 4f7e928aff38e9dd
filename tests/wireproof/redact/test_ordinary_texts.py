"""Ordinary texts about secrets, which hold none, at the places where texts come: every byte stays.

The texts are prose, messages in several languages, code, commands, settings, schemas, logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from support.attack import request, response
from support.talk import Talk, Tape
from support.websocket_frames import KEY, frame

from wireproof.redact.frames import FrameMasks

FILE = Path(__file__).with_name("ordinary") / "texts.txt"
TEXTS = FILE.read_text("utf-8").rstrip("\n").split("\n%%\n")
TOKEN = re.compile(r" ?[^\W\d_]+|\d{1,3}|[^\s\w]+|\s+|_")
"""About as models cut what they write."""
SWITCH = (
    b"GET /ws HTTP/1.1\r\nHost: e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
)


def get(talk: Talk, kind: str, content: str, target: str = "/a") -> None:
    body = content.encode()
    talk.client(request(target))
    fields = (f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    talk.server(response("200 OK", *fields) + body)


def post(talk: Talk, kind: str, content: str) -> None:
    body = content.encode()
    head = f"POST /a HTTP/1.1\r\nHost: e\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    talk.client(head.encode() + b"\r\n\r\n" + body)
    talk.server(response("204 No Content"))


def events(talk: Talk, data: Sequence[str]) -> None:
    """Send events in chunks that are cut anywhere."""
    content = "".join(f"data: {one}\n\n" for one in data).encode()
    talk.client(request("/a"))
    talk.server(response("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"))
    for at in range(0, len(content), 97):
        chunk = content[at : at + 97]
        talk.server(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    talk.server(b"0\r\n\r\n")


def deltas(talk: Talk, pieces: Sequence[str]) -> None:
    kind = {"object": "chat.completion.chunk"}
    said = [kind | {"choices": [{"index": 0, "delta": {"content": one}}]} for one in pieces]
    events(talk, [json.dumps(one) for one in said])


def messages(talk: Talk, said: Sequence[str], *, from_client: bool) -> None:
    talk.client(SWITCH[0])
    talk.server(SWITCH[1])
    for one in said:
        if from_client:
            talk.client(frame(1, one.encode(), key=KEY))
        else:
            talk.server(frame(1, one.encode()))


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def in_json(text: str, *, is_ascii: bool = True) -> str:
    content = {"id": "a", "messages": [{"role": "user", "content": text}], "n": 1}
    return json.dumps(content, ensure_ascii=is_ascii)


PLACES: dict[str, Callable[[Talk, str], None]] = {
    "content": lambda talk, text: get(talk, "text/plain; charset=utf-8", text),
    "JSON": lambda talk, text: post(talk, "application/json", in_json(text)),
    "JSON in UTF-8": lambda talk, text: get(
        talk, "application/json", in_json(text, is_ascii=False)
    ),
    "JSON in JSON": lambda talk, text: get(
        talk, "application/json", json.dumps({"a": in_json(text)})
    ),
    "event in JSON": lambda talk, text: events(talk, [in_json(text)]),
    "event": lambda talk, text: events(talk, [text.replace("\n", "\ndata: ")]),
    "deltas": lambda talk, text: deltas(talk, TOKEN.findall(text)),
    "deltas of 3": lambda talk, text: deltas(talk, cut(text, 3)),
    "deltas of 20": lambda talk, text: deltas(talk, cut(text, 20)),
    "deltas of lines": lambda talk, text: deltas(talk, text.splitlines(keepends=True)),
    "form": lambda talk, text: post(
        talk, "application/x-www-form-urlencoded", f"a=1&message={quote_plus(text)}&b=2"
    ),
    "query": lambda talk, text: get(talk, "text/plain", "ok", f"/q?text={quote(text)}&a=1"),
    "message": lambda talk, text: messages(talk, [text], from_client=False),
    "JSON in a message": lambda talk, text: messages(talk, [in_json(text)], from_client=True),
    "deltas in messages": lambda talk, text: messages(
        talk, [json.dumps({"delta": one}) for one in TOKEN.findall(text)], from_client=False
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_byte_stays(place: str) -> None:
    tape = Tape()
    said: dict[int, str] = {}
    for number, text in enumerate(TEXTS):
        before = len(tape.packets)
        talk = Talk(tape, client_port=10_000 + number).open()
        PLACES[place](talk, text)
        talk.close()
        said |= dict.fromkeys(range(before + 1, len(tape.packets) + 1), text)
    masks = FrameMasks("all")
    masks.add(tape.packets)
    masks.end()
    assert {said[number] for number in masks.changed} == set()
