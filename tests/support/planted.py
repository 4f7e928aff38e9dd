"""A capture with secrets in every place that can hold one, and what of them must not be found.

    tape, secrets = planted()

Each secret is a text of its own. What is looked for is not only all of it, but any ten characters
in a row: half a secret is a leak too.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from hashlib import sha256

from .attack import chunk, request, response
from .talk import Talk, Tape
from .websocket_frames import KEY, Compressor, frame

WINDOW = 10


class Secrets:
    """Makes secrets, and finds what is left of them."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        """Where each one was planted, by its text."""

    def plain(self, place: str) -> str:
        """A secret that only its name tells."""
        text = sha256(place.encode()).hexdigest()[:26]
        self.made[text] = place
        return text

    def key(self, place: str, prefix: str = "sk-proj-") -> str:
        """A secret that its beginning tells."""
        return prefix + self.plain(place)

    def found_in(self, data: bytes | str) -> list[str]:
        """Where the secrets were planted of which any ten characters are in ``data``."""
        text = data if isinstance(data, str) else data.decode("latin-1")
        return [
            place
            for secret, place in self.made.items()
            if any(secret[at : at + WINDOW] in text for at in range(len(secret) - WINDOW + 1))
        ]


def planted() -> tuple[Tape, Secrets]:
    """Return the capture and its secrets."""
    tape, secrets = Tape(), Secrets()
    ports = iter(range(42_000, 43_000))
    for part in (_heads, _targets, _bodies, _chunks, _segments, _events, _messages, _deflated):
        talk = Talk(tape, client_port=next(ports)).open()
        part(talk, secrets)
        talk.close()
    return tape, secrets


def in_headers(secrets: Secrets) -> list[str]:
    """The places that are masked by default."""
    return [place for place in secrets.made.values() if place.startswith("header")]


def _heads(talk: Talk, secrets: Secrets) -> None:
    names = ("X-Api-Key", "Api-Key", "X-Auth-Token", "X-Amz-Security-Token", "X-Client-Secret")
    talk.client(
        request(
            "/heads",
            f"Authorization: Bearer {secrets.plain('header authorization')}",
            f"Proxy-Authorization: Basic {secrets.plain('header proxy-authorization')}=",
            f"Cookie: a={secrets.plain('header cookie 1')}; b={secrets.plain('header cookie 2')}",
            f"cookie: {secrets.plain('header cookie without a name')}",
            *(f"{name}: {secrets.plain(f'header {name}')}" for name in names),
            f"X-Note: use {secrets.key('note')} please",
        )
    )
    talk.server(
        response(
            "200 OK",
            f"Set-Cookie: sid={secrets.plain('header set-cookie 1')}; Path=/; HttpOnly",
            f"set-cookie: {secrets.plain('header set-cookie 2')}; Secure",
            f"X-CSRF-Token: {secrets.plain('header csrf')}",
            "Transfer-Encoding: chunked",
        )
        + chunk(b"hi")
        + b"0\r\nSet-Cookie: t="
        + secrets.plain("header trailer").encode()
        + b"\r\n\r\n"
    )


def _targets(talk: Talk, secrets: Secrets) -> None:
    for name in ("api_key", "access_token", "password", "client_secret", "token", "sig", "key"):
        talk.client(request(f"/x?a=1&{name}={secrets.plain(f'target {name}')}&b=2"))
        talk.server(response("200 OK", "Content-Length: 0"))
    talk.client(
        request(
            f"/x/{secrets.key('target path', 'ghp_')}",
            f"Referer: https://u:{secrets.plain('referer password')}@example.org/",
        )
    )
    location = f"Location: /y?access_token={secrets.plain('location')}"
    talk.server(response("302 Found", location, "Content-Length: 0"))


def _body(talk: Talk, kind: str, content: bytes, coding: str = "") -> None:
    fields = [f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    fields += [f"Content-Encoding: {coding}"] if coding else []
    talk.client(request("/body", *fields, method="POST") + content)
    talk.server(response("200 OK", *fields) + content)


def _bodies(talk: Talk, secrets: Secrets) -> None:
    names = ("api_key", "accessToken", "password", "clientSecret", "refresh_token", "private_key")
    told = {name: secrets.plain(f"json {name}") for name in names}
    told |= {"text": f"mine is {secrets.key('json text')}", "n": 1}
    _body(talk, "application/json", json.dumps(told).encode())
    inner = json.dumps({"log": json.dumps({"api_key": secrets.plain("json in json")})})
    _body(talk, "application/json", inner.encode())
    array = json.dumps({"api_keys": [secrets.plain(f"json array {n}") for n in range(3)], "n": [1]})
    _body(talk, "application/json", array.encode())
    fields = (f'; name="{name}"\r\n\r\n{secrets.plain(f"multipart {name}")}' for name in names[:4])
    parts = "".join(f"--B\r\nContent-Disposition: form-data{field}\r\n" for field in fields)
    _body(talk, "multipart/form-data; boundary=B", f"{parts}--B--\r\n".encode())
    form = "&".join(f"{name}={secrets.plain(f'form {name}')}" for name in names[:4])
    _body(talk, "application/x-www-form-urlencoded", form.encode())
    token = secrets.key("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJ")
    _body(talk, "text/plain", f"key:\\n{secrets.key('escaped')} {token}".encode())
    pem = f"-----BEGIN PRIVATE KEY-----\n{secrets.plain('pem')}\n-----END PRIVATE KEY-----\n"
    _body(talk, "text/plain", pem.encode())
    log = f"> Authorization: Bearer {secrets.plain('log line')}\n> Cookie: a=1; b=2\n"
    _body(talk, "text/plain", log.encode())
    for number in range(3):
        coded = gzip.compress(f'{{"api_key": "{secrets.plain(f"gzip {number}")}"}}'.encode())
        _body(talk, "application/json", coded, "gzip")


def _stream(talk: Talk, kind: str, pieces: Iterable[bytes]) -> None:
    talk.client(request("/stream"))
    talk.server(response("200 OK", f"Content-Type: {kind}", "Transfer-Encoding: chunked"))
    talk.server(*pieces)
    talk.server(chunk(b""))


def _chunks(talk: Talk, secrets: Secrets) -> None:
    """Each secret in two chunks, or in many."""
    for at in (4, 9, 12, 20):
        text = f"before {secrets.key(f'chunks cut at {at}')} after".encode()
        cut = len("before ") + at
        _stream(talk, "text/plain", [chunk(text[:cut]), chunk(text[cut:])])
    text = f'{{"password": "{secrets.plain("one byte a chunk")}"}}\n'.encode()
    _stream(talk, "application/json", [chunk(bytes((byte,))) for byte in text])
    text = f'{{"api_key": "{secrets.plain("cut in its name")}"}}'.encode()
    _stream(talk, "application/json", [chunk(text[:5]), chunk(text[5:14]), chunk(text[14:])])


def _segments(talk: Talk, secrets: Secrets) -> None:
    """Each secret in two segments, or in many: of a chunk, of a head, of a sized body."""
    whole = chunk(f"before {secrets.key('segments of a chunk')} after".encode())
    _stream(talk, "text/plain", [whole[:20], whole[20:]])
    head = request("/head", f"Authorization: Bearer {secrets.plain('header in segments')}")
    talk.client(head[:-20], head[-20:])
    talk.server(response("200 OK", "Content-Length: 0"))
    target = request(f"/x?access_token={secrets.plain('target in segments')}&b=1")
    talk.client(*(target[at : at + 7] for at in range(0, len(target), 7)))
    body = f'{{"secret": "{secrets.plain("sized body in segments")}"}}'.encode()
    talk.server(response("200 OK", f"Content-Length: {len(body)}"), body[:25], body[25:])
    whole = chunk(f"key {secrets.key('segments of one byte')}".encode())
    _stream(talk, "text/plain", [bytes((byte,)) for byte in whole])


def _events(talk: Talk, secrets: Secrets) -> None:
    key = secrets.key("two events")
    split = [key[:15], key[15:24], key[24:]]
    delta = secrets.key("deltas of JSON")
    tokens = [delta[:10], delta[10:15], delta[15:20], delta[20:]]
    blocks = [
        f"data: say {secrets.key('event data')}\n\n",
        f": {secrets.key('comment')}\nid: {secrets.key('event id')}\ndata: x\n\n",
        f"event: {secrets.key('event type')}\ndata: x\ndata: {secrets.key('second line')}\n\n",
        f'data: {{"access_token": "{secrets.plain("event of JSON")}"}}\n\n',
        *(f"data: {part}\n\n" for part in split),
        "data: .\n\n",
        *(f'data: {{"choices": [{{"delta": {{"content": "{part}"}}}}]}}\n\n' for part in tokens),
    ]
    _stream(talk, "text/event-stream", [chunk(block.encode()) for block in blocks])
    text = f"data: {secrets.key('event in two chunks')}\r\n\r\n".encode()
    _stream(talk, "text/event-stream", [chunk(text[:18]), chunk(text[18:])])
    coded = gzip.compress(f"data: {secrets.key('event in gzip')}\n\n".encode())
    fields = ("Content-Type: text/event-stream", "Content-Encoding: gzip")
    talk.client(request("/coded"))
    talk.server(response("200 OK", *fields, "Transfer-Encoding: chunked"), chunk(coded), chunk(b""))


def _upgrade(talk: Talk, *extension: str) -> None:
    switch = ("Upgrade: websocket", "Connection: Upgrade")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    talk.client(request("/ws", *switch, "Sec-WebSocket-Version: 13", key, *extension))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    talk.server(response("101 Switching Protocols", *switch, accept, *extension))


def _messages(talk: Talk, secrets: Secrets) -> None:
    told = f"base64url.bearer.authorization.k8s.io.{secrets.plain('header subprotocol')}"
    _upgrade(talk, f"Sec-WebSocket-Protocol: {told}")
    talk.client(frame(1, secrets.key("masked message").encode(), key=KEY))
    told = json.dumps({"type": "auth", "token": secrets.plain("masked JSON")})
    talk.client(frame(1, told.encode(), key=KEY))
    talk.server(frame(1, f"welcome {secrets.key('message')}".encode()))
    talk.server(frame(2, b"\xff\x00" + secrets.key("binary message").encode()))
    halves = secrets.key("fragments").encode()
    talk.client(frame(1, halves[:14], fin=False, key=KEY), frame(0, halves[14:], key=KEY))
    halves = secrets.key("two messages").encode()
    talk.server(frame(1, halves[:14]), frame(1, halves[14:]), frame(1, b" ."))
    whole = frame(1, f"long {secrets.key('message in segments')}".encode(), key=KEY)
    talk.client(*(whole[at : at + 9] for at in range(0, len(whole), 9)))
    talk.client(frame(9, secrets.key("ping").encode(), key=KEY))
    talk.server(frame(8, (1008).to_bytes(2, "big") + secrets.key("close reason").encode()))


def _deflated(talk: Talk, secrets: Secrets) -> None:
    _upgrade(talk, "Sec-WebSocket-Extensions: permessage-deflate")
    compress: dict[str, Callable[[bytes], bytes]] = {"c": Compressor(), "s": Compressor()}
    for number in range(2):
        text = f'{{"api_key": "{secrets.plain(f"deflated to the server {number}")}"}}'
        talk.client(frame(1, compress["c"](text.encode()), rsv=4, key=KEY))
        text = f"key {secrets.key(f'deflated to the client {number}')}"
        talk.server(frame(1, compress["s"](text.encode()), rsv=4))
    whole = compress["c"](secrets.key("deflated fragments").encode())
    talk.client(frame(1, whole[:15], fin=False, rsv=4, key=KEY), frame(0, whole[15:], key=KEY))
