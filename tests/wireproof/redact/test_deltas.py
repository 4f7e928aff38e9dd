"""Secrets that a model streams in pieces: in every dialect, however they are cut and coded."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.framed import aws_message, aws_string
from support.http2 import Http2Talk, data
from support.talk import Talk
from support.websocket_frames import Compressor, frame

from parsers import OrderedCapture, decode_batches
from parsers.records import Record
from wireproof.redact.capture import Redacted, redact_capture

PLANTED = "Xk7pQ2mZ9vR4tW1nB8cL3sD6"
TOKEN = "sk-proj-" + PLANTED
KNOWN = f"You sent me {PLANTED} as your key, thanks."
ONLY_HERE = {
    "token": f"my key is {TOKEN}, keep it.",
    "named": f'set password = "{PLANTED}" and go on.',
    "json": f'{{"api_key": "{PLANTED}"}} is what I have.',
    "lines": f"export API_KEY={PLANTED}\nand go on.",
}


class Dialect(NamedTuple):
    """How a text is streamed."""

    kind: str
    element: Callable[[str], bytes]
    said: Callable[[str], str]
    """What an element of its record says."""


def sse(make: Callable[[str], Any], get: Callable[[Any], str], event: str = "") -> Dialect:
    head = f"event: {event}\n" if event else ""
    return Dialect(
        "text/event-stream",
        lambda text: f"{head}data: {json.dumps(make(text))}\n\n".encode(),
        lambda element: get(json.loads(element)),
    )


def bedrock(text: str) -> bytes:
    inner = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": text},
    }
    content = json.dumps({"bytes": b64encode(json.dumps(inner).encode()).decode()}).encode()
    return aws_message([(b":event-type", 7, aws_string(b"chunk"))], content)


DIALECTS = {
    "openai-chat": sse(
        lambda text: {"object": "chat.completion.chunk", "choices": [{"delta": {"content": text}}]},
        lambda said: said["choices"][0]["delta"]["content"],
    ),
    "openai tool": sse(
        lambda text: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {
            "tool_calls": [{"index": 0, "function": {"arguments": text}}]}}]},
        lambda said: said["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"],
    ),
    "openai-responses": sse(
        lambda text: {"type": "response.output_text.delta", "item_id": "m", "output_index": 0,
                      "content_index": 0, "delta": text},
        lambda said: said["delta"], "response.output_text.delta",
    ),
    "anthropic": sse(
        lambda text: {"type": "content_block_delta", "index": 0,
                      "delta": {"type": "text_delta", "text": text}},
        lambda said: said["delta"]["text"], "content_block_delta",
    ),
    "gemini": sse(
        lambda text: {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}]},
        lambda said: said["candidates"][0]["content"]["parts"][0]["text"],
    ),
    "ollama": Dialect(
        "application/x-ndjson",
        lambda text: json.dumps({"model": "m", "created_at": "2026", "message": {
            "role": "assistant", "content": text}, "done": False}).encode() + b"\n",
        lambda element: str(json.loads(element)["message"]["content"]),
    ),
    "bedrock": Dialect(
        "application/vnd.amazon.eventstream", bedrock,
        lambda element: said_in_base64(json.loads(element)["bytes"]),
    ),
    "vercel-lines": Dialect(
        "text/plain; charset=utf-8", lambda text: f"0:{json.dumps(text)}\n".encode(),
        lambda element: "".join(json.loads(one[2:]) for one in element.splitlines()),
    ),
    "strings in an array": sse(
        lambda text: {"outputs": [text]}, lambda said: said["outputs"][0]
    ),
    "a kind and a text": sse(lambda text: ["delta", text, ["x"]], lambda said: said[1]),
    "lines with an array": Dialect(
        "application/x-ndjson",
        lambda text: json.dumps({"output": {"texts": [text]}}).encode() + b"\n",
        lambda element: json.loads(element)["output"]["texts"][0],
    ),
    "no dialect": sse(lambda text: {"n": 1, "piece": text}, lambda said: said["piece"]),
    "plain events": Dialect(
        "text/event-stream", lambda text: f"data: {text}\n\n".encode(), lambda element: element
    ),
}  # fmt: skip
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}
ELEMENTS = {"sse_event", "json_line", "aws_event", "websocket_message"}


def said_in_base64(text: str) -> str:
    try:
        return str(json.loads(b64decode(text))["delta"]["text"])
    except ValueError:  # masked: what it was stands for nothing
        return "\0"


def pieces(text: str | bytes, size: int) -> list[Any]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def request(secret: str) -> bytes:
    key = f"X-Api-Key: {secret}\r\n" if secret else ""
    return f"GET /v1/stream HTTP/1.1\r\nHost: e\r\n{key}\r\n".encode()


def streamed(dialect: Dialect, deltas: Sequence[str], coding: str, chunk: int) -> bytes:
    """Return a response; ``chunk`` is the size of chunks, 0 for an element each, -1 for none."""
    elements = [dialect.element(one) for one in deltas]
    coded = f"Content-Encoding: {coding}\r\n" if coding else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {dialect.kind}\r\n{coded}"
    content = CODINGS[coding](b"".join(elements))
    if chunk < 0:
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    chunks = elements if not chunk and not coding else pieces(content, chunk or 50)
    body = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in chunks)
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body + b"0\r\n\r\n"


def redacted(talk: Talk, tmp_path: Path) -> tuple[Redacted, list[Record], bytes]:
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(talk.tape.file())
    done = redact_capture(str(source), str(output), "all", lambda _: None)
    with output.open("rb") as stream:
        records = [record for batch in decode_batches(stream) for record in batch]
    return done, records, output.read_bytes()


def texts(records: list[Record], dialect: Dialect) -> str:
    """Return what all elements say, one after the other: no code of wireproof's joins it."""
    found: list[str] = []
    for record in records:
        is_piece = record.record == "chunk" and dialect.kind.startswith("text/plain")
        if record.record in ELEMENTS or is_piece:
            element = record.data  # type: ignore[union-attr]
            found.append(dialect.said(element) if element else "")
    return "".join(found)


def check(done: Redacted, records: list[Record], raw: bytes, dialect: Dialect, coding: str) -> None:
    assert done.left == []
    assert PLANTED not in repr(records)
    assert not any(part.encode() in raw for part in pieces(PLANTED, 12))
    if not coding:  # what was coded is masked whole
        text = texts(records, dialect)
        assert PLANTED not in text
        assert not any(part in text for part in pieces(PLANTED, 5))


@pytest.mark.parametrize("size", [1, 3, 5, 12])
@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("is_before", [True, False], ids=["header first", "header last"])
def test_one_that_a_header_tells(name: str, size: int, is_before: bool, tmp_path: Path) -> None:
    dialect = DIALECTS[name]
    for coding, chunk in (("", 0), ("", 7), ("", -1), ("gzip", 64), ("deflate", -1)):
        if name == "vercel-lines" and (chunk > 0 or coding):
            continue  # whose chunks are elements
        talk = Talk().open()
        talk.client(request(PLANTED if is_before else ""))
        for segment in pieces(streamed(dialect, pieces(KNOWN, size), coding, chunk), 400):
            talk.server(segment)
        if not is_before:
            talk.client(request(PLANTED))
            talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
        talk.close()
        check(*redacted(talk, tmp_path), dialect, coding)


@pytest.mark.parametrize("text", ONLY_HERE)
@pytest.mark.parametrize("size", [1, 3, 5, 12])
@pytest.mark.parametrize("name", DIALECTS)
def test_one_that_stands_nowhere_else(name: str, size: int, text: str, tmp_path: Path) -> None:
    dialect = DIALECTS[name]
    if name == "plain events" and text == "lines":
        return  # a line feed ends the field
    for coding, chunk in (("", 0), ("", 13), ("", -1), ("gzip", 0), ("deflate", 20)):
        if name == "vercel-lines" and (chunk > 0 or coding):
            continue
        talk = Talk().open()
        talk.client(request(""))
        talk.server(streamed(dialect, pieces(ONLY_HERE[text], size), coding, chunk))
        talk.close()
        done, records, raw = redacted(talk, tmp_path)
        assert done.left == []
        assert not any(part.encode() in raw for part in pieces(PLANTED[3:], 12))
        if not coding and name != "bedrock":
            said = texts(records, dialect)
            assert not any(part in said for part in pieces(PLANTED[3:], 6)[:-1]), said
            assert not any(PLANTED[at : at + 6] in said for at in range(len(PLANTED) - 6))


SWITCH = (
    b"GET /ws HTTP/1.1\r\nHost: e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%b"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%b\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%b\r\n",
)
EXTENSION = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


@pytest.mark.parametrize("size", [1, 3, 5, 12])
@pytest.mark.parametrize("way", ["server", "client", "fragments", "deflated"])
@pytest.mark.parametrize("name", ["no dialect", "openai-responses", "plain events"])
def test_messages_of_a_websocket(name: str, way: str, size: int, tmp_path: Path) -> None:
    extension = EXTENSION if way == "deflated" else b""
    talk = Talk().open()
    talk.client(SWITCH[0] % (b"X-Api-Key: %b\r\n" % PLANTED.encode(), extension))
    talk.server(SWITCH[1] % extension)
    deflate = Compressor()
    for text in pieces(KNOWN, size):
        if name == "plain events":
            message = text.encode()
        else:
            message = DIALECTS[name].element(text).split(b"data: ")[1].strip()
        if way == "client":
            talk.client(frame(1, message, key=b"\x11\x22\x33\x44"))
        elif way == "fragments":
            talk.server(frame(1, message[:5], fin=False), frame(0, message[5:]))
        elif way == "deflated":
            talk.server(frame(1, deflate(message), rsv=4))
        else:
            talk.server(frame(1, message))
    talk.close()
    check(*redacted(talk, tmp_path), DIALECTS[name], "deflate" if way == "deflated" else "")


def test_numbers_and_strings_in_frames_that_are_masked(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(SWITCH[0] % (b"", b""))
    talk.server(SWITCH[1] % b"")
    for at in range(3):
        message = b'{"n": %d, "password": 12345678, "api_key": "abcd"}' % at
        talk.client(frame(1, message, key=bytes((at + 1, 7, 9, 11))))
    talk.close()
    done, records, _ = redacted(talk, tmp_path)
    said = [one.data for one in records if one.record == "websocket_message"]
    assert said == [f'{{"n": {at}, "password": 99999999, "api_key": "****"}}' for at in range(3)]
    assert done.left == []


@pytest.mark.parametrize("size", [1, 3, 5, 12])
def test_events_in_http2(size: int, tmp_path: Path) -> None:
    dialect = DIALECTS["openai-chat"]
    talk = Http2Talk().begin()
    asked = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/v1"), (b":authority", b"e"),
             (b"x-api-key", PLANTED.encode())]  # fmt: skip
    talk.say("client", talk.client.head(1, asked, ends=True))
    told = [(b":status", b"200"), (b"content-type", dialect.kind.encode())]
    talk.say("server", talk.server.head(1, told))
    content = b"".join(dialect.element(one) for one in pieces(KNOWN, size))
    for part in pieces(content, 90):
        talk.say("server", data(1, part))
    talk.say("server", data(1, b"", ends=True))
    check(*redacted(talk.talk, tmp_path), dialect, "")


def test_texts_of_several_choices_are_texts_of_their_own(tmp_path: Path) -> None:
    """Their deltas take turns: neither is read as one text with the other."""
    dialect = DIALECTS["openai-chat"]
    talk = Talk().open()
    talk.client(request(PLANTED))
    events = [
        {
            "object": "chat.completion.chunk",
            "choices": [{"index": index, "delta": {"content": one}}],
        }
        for texts in zip(pieces(KNOWN, 3), pieces(KNOWN[::-1], 3), strict=True)
        for index, one in enumerate(texts)
    ]
    content = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {dialect.kind}\r\nContent-Length: {len(content)}\r\n"
    talk.server(head.encode() + b"\r\n" + content)
    talk.close()
    done, records, _ = redacted(talk, tmp_path)
    assert done.left == []
    said = ["", ""]
    for record in records:
        if record.record == "sse_event":
            choice = json.loads(record.data)["choices"][0]  # type: ignore[arg-type]
            said[choice["index"]] += choice["delta"]["content"]
    stars = "*" * len(PLANTED)
    assert said == [KNOWN.replace(PLANTED, stars), KNOWN[::-1]]


def test_a_text_with_escapes_is_masked_where_they_stand(tmp_path: Path) -> None:
    secret = 'pass"wörd\\with/\u2603-2026'
    talk = Talk().open()
    talk.client(request(""))
    text = f"password = {json.dumps(secret, ensure_ascii=False)} and more"
    talk.server(streamed(DIALECTS["anthropic"], pieces(text, 3), "", 0))
    talk.close()
    done, records, _ = redacted(talk, tmp_path)
    assert done.left == []
    said = texts(records, DIALECTS["anthropic"])
    assert said.startswith('password = "*') and said.endswith('*" and more')
    assert "wör" not in said and "2026" not in said


OPENINGS = [
    *("secret = {", '"password": {', "secret = [", "password: ", '"password": "', "api_key ="),
    *("secrets = {\n", '"token": [', 'password":', "passwords:\n", "stringData:\n", "secret: |"),
    *('"name": "password", "value": ', "--password ", "-u anna:", "Authorization: ", "Cookie: "),
]


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_what_a_delta_opens_stays_in_the_texts_of_deltas(
    opening: str, is_known: bool, tmp_path: Path
) -> None:
    """No member beside them is secret by a name in them."""
    beside = {"id": "chatcmpl-9abcDEF123", "model": "gpt-4o", "fingerprint": "fp_44709d6fcb"}
    if is_known:
        beside["object"] = "chat.completion.chunk"
    for texts in ([opening, " and so on."], ["a", opening], [opening, "}"], [opening, "x"]):
        said = [
            {"choices": [{"delta": {"content": one}, "finish_reason": "stop"}]} for one in texts
        ]
        content = "".join(f"data: {json.dumps(one | beside)}\n\n" for one in said).encode()
        talk = Talk().open()
        talk.client(request(""))
        size = f"Content-Length: {len(content)}\r\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{size}\r\n"
        talk.server(head.encode() + content)
        talk.close()
        _, records, _ = redacted(talk, tmp_path)
        events = [json.loads(one.data or "") for one in records if one.record == "sse_event"]
        assert len(events) == 2
        for event in events:
            choice = event.pop("choices")[0]
            assert event == beside and choice["finish_reason"] == "stop"


@pytest.mark.parametrize("next_line", ["(pid 7) started", "[server] started", ".started", "()"])
@pytest.mark.parametrize("form", ["data: {}\n\n", 'data: {{"line": "{}"}}\n\n'])
def test_lines_that_no_model_streams_are_lines_of_their_own(
    form: str, next_line: str, tmp_path: Path
) -> None:
    talk = Talk().open()
    talk.client(request(""))
    lines = ("DB_PASSWORD=hunter", next_line)
    content = "".join(form.format(line) for line in lines).encode()
    size = f"Content-Length: {len(content)}\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{size}\r\n"
    talk.server(head.encode() + content)
    talk.close()
    _, _, raw = redacted(talk, tmp_path)
    assert b"hunter" not in raw


def test_lengths_and_times_stay(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(request(PLANTED))
    talk.server(streamed(DIALECTS["openai-chat"], pieces(KNOWN, 3), "", 0))
    talk.close()
    redacted(talk, tmp_path)
    sizes = []
    for name in ("in", "out"):
        with (tmp_path / f"{name}.pcapng").open("rb") as stream:
            packets = [one for batch in OrderedCapture(stream).batches(100) for one in batch]
        sizes.append([(number, time, len(data)) for number, time, _, _, data in packets])
    assert sizes[0] == sizes[1]
