"""Secrets in ninety more kinds of places, each made by hand: none of them is left."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest
from hpack import NeverIndexedHeaderTuple
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from support.attack import chunk, request, response
from support.framed import grpc_frame
from support.frames import PSH, fragments, ipv4, udp
from support.http2 import GET, OK, Http2Talk, data
from support.talk import Talk, Tape, decoded
from support.websocket_frames import KEY, Compressor, frame

from parsers.files.packets import Packet
from wireproof.redact.frames import FrameMasks
from wireproof.redact.patterns import patterns
from wireproof.redact.secrets import mask_text

Made = list[Packet]


def talk(*said: bytes, answer: bytes = b"") -> Made:
    """What a client says, a segment each, and what is answered."""
    found = Talk(Tape()).open()
    found.client(*said)
    if answer:
        found.server(answer)
    found.close()
    return found.tape.packets


def post(content: str | bytes, kind: str, *fields: str) -> Made:
    body = content.encode() if isinstance(content, str) else content
    head = (f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields)
    return talk(request("/", *head, method="POST") + body, answer=response("204 No Content"))


def posted(value: object) -> Made:
    return post(json.dumps(value), "application/json")


def answered(kind: str, *pieces: bytes, trailers: bytes = b"") -> Made:
    head = response("200 OK", f"Content-Type: {kind}", "Transfer-Encoding: chunked")
    body = b"".join(map(chunk, pieces)) + b"0\r\n" + trailers + b"\r\n"
    return talk(request("/"), answer=head + body)


def asked(*fields: str, target: str = "/") -> Made:
    return talk(request(target, *fields), answer=response("204 No Content"))


def tunnelled(inner: bytes) -> Made:
    found = Talk(Tape()).open()
    found.client(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
    found.server(b"HTTP/1.1 200 OK\r\n\r\n")
    found.client(inner)
    found.close()
    return found.tape.packets


def http2(*pieces: bytes, fields: list[tuple[str, str]] | None = None) -> Made:
    found = Http2Talk().begin()
    head = [*GET, *(fields or [])]
    found.say("client", found.client.head(1, head, ends=not pieces))
    for piece in pieces:
        found.say("client", data(1, piece))
    found.say("server", found.server.head(1, OK, ends=True))
    found.talk.close()
    return found.packets()


def never_indexed(secret: str) -> Made:
    found = Http2Talk().begin()
    fields = [*GET, NeverIndexedHeaderTuple("x-api-key", secret)]
    found.say("client", found.client.head(1, fields, ends=True))
    found.talk.close()
    return found.packets()


def late_trailers(secret: str) -> Made:
    found = Http2Talk().begin()
    found.say("client", found.client.head(1, GET, ends=True))
    found.say("server", found.server.head(1, OK))
    found.say("server", data(1, b"hi"))
    found.say("server", found.server.head(1, [("x-session-token", secret)], ends=True))
    found.talk.close()
    return found.packets()


def websocket(*frames: bytes, deflates: bool = False) -> Made:
    found = Talk(Tape()).open()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    extension = ("Sec-WebSocket-Extensions: permessage-deflate",) if deflates else ()
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    found.client(request("/", *upgrade, key, *extension))
    accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    found.server(response("101 Switching Protocols", *upgrade[:2], accept, *extension))
    found.client(*frames)
    found.close()
    return found.tape.packets


def after_reset(line: bytes, flags: int | None = None) -> Made:
    found = Talk(Tape()).open()
    found.client(request("/"))
    if flags is None:
        found.reset("server")
        found.client(line)
    else:
        found.segment("client", line, flags=flags)
    return found.tape.packets


def frames(*made: bytes) -> Made:
    tape = Tape()
    for one in made:
        tape.add(one)
    return tape.packets


def quoted(line: bytes) -> bytes:
    ends = {"src": "10.0.0.1", "dst": "10.0.0.2"}
    made = IP(**ends) / ICMP(type=3, code=3) / IP(**ends) / TCP(dport=80) / Raw(line)
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / made)


def text(value: bytes) -> bytes:
    return len(value).to_bytes(2) + value


def mqtt(secret: bytes) -> bytes:
    body = text(b"MQTT") + b"\x04\xc2\x00\x3c" + text(b"client") + text(b"anna") + text(secret)
    return b"\x10" + bytes((len(body),)) + body


def bulk(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def postgres(secret: bytes) -> bytes:
    return b"p" + (5 + len(secret)).to_bytes(4) + secret + b"\0"


def amqp(secret: bytes) -> bytes:
    login = b"\0anna\0" + secret
    arguments = bytes(4) + b"\x05PLAIN" + len(login).to_bytes(4) + login + b"\x05en_US"
    method = b"\x00\x0a\x00\x0b" + arguments  # Connection.StartOk
    return b"\x01\x00\x00" + len(method).to_bytes(4) + method + b"\xce"


def kafka(secret: bytes) -> bytes:
    login = b"\0anna\0" + secret
    body = b"\x00\x24\x00\x01\x00\x00\x00\x07\x00\x03app" + len(login).to_bytes(4) + login
    return len(body).to_bytes(4) + body


def ldap(secret: bytes) -> bytes:
    name = b"cn=anna,dc=a"
    bind = (
        b"\x02\x01\x03\x04" + bytes((len(name),)) + name + b"\x80" + bytes((len(secret),)) + secret
    )
    message = b"\x02\x01\x01\x60" + bytes((len(bind),)) + bind
    return b"\x30" + bytes((len(message),)) + message


def told(*messages: str) -> Made:
    """Arguments of a tool that a model writes, piece by piece."""
    calls = [{"choices": [{"delta": {"tool_calls": [{"function": {"arguments": one}}]}}]}
             for one in messages]  # fmt: skip
    return answered(
        "text/event-stream", *(f"data: {json.dumps(one)}\n\n".encode() for one in calls)
    )


def basic(secret: str) -> str:
    return b64encode(f"anna:{secret}".encode()).decode()


PARTS = '--B\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n--B--\r\n'
SOAP = "<s:Envelope><s:Header><w:Password Type='T'>{}</w:Password></s:Header></s:Envelope>"
PLACES: dict[str, Callable[[str], Made]] = {
    # content
    "multipart": lambda s: post(PARTS.format("password", "", s), "multipart/form-data; boundary=B"),
    "a file of multipart": lambda s: post(
        PARTS.format("f", '; filename="a.json"', json.dumps({"api_key": s})),
        "multipart/form-data; boundary=B",
    ),
    "SOAP": lambda s: post(SOAP.format(s), "application/soap+xml"),
    "CDATA": lambda s: post(f"<a><secret><![CDATA[{s}]]></secret></a>", "text/xml"),
    "an attribute of XML": lambda s: post(f'<db user="anna" password="{s}"/>', "text/xml"),
    "nested arrays": lambda s: posted({"api_keys": [[1, "a"], [s]]}),
    "an object deep in arrays": lambda s: posted([[{"a": [{"client_secret": s}]}]]),
    "a key of two words": lambda s: posted({"X-Subject-Token": s}),
    "JSON in JSON in JSON": lambda s: posted({"a": json.dumps({"b": json.dumps({"password": s})})}),
    "lines of JSON": lambda s: post(
        f'{{"n":1}}\n{{"access_token":"{s}"}}\n', "application/x-ndjson"
    ),
    "a form": lambda s: post(f"a=1&passwd={s}&b=2", "application/x-www-form-urlencoded"),
    "a form in percent encoding": lambda s: post(f"q=a%26password%3D{s}%26b", "text/plain"),
    "YAML": lambda s: post(f"db:\n  password: {s}\n  port: 1\n", "application/yaml"),
    "an environment": lambda s: post(f"PORT=1\nAPI_KEY={s}\n", "text/plain"),
    "a field among names and values": lambda s: posted([{"name": "x-api-key", "value": s}]),
    "a field that is named in pairs": lambda s: posted([["Authorization", f"Bearer {s}"]]),
    "a command line": lambda s: post(f"curl -H 'X-Api-Key: {s}' http://a/", "text/plain"),
    "a URL of a database": lambda s: posted({"dsn": f"postgres://anna:{s}@db:5432/a"}),
    "two events": lambda s: answered(
        "text/event-stream", b"data: sk-proj-" + s[:9].encode(), s[9:].encode() + b"\n\n"
    ),
    "trailers": lambda s: answered("text/plain", b"hi", trailers=f"X-Auth-Token: {s}\r\n".encode()),
    "an escaped key": lambda s: post(f'{{"\\u0070assword": "{s}"}}', "application/json"),
    "an escaped value": lambda s: post(
        '{"password": "' + "".join(f"\\u{ord(one):04x}" for one in s) + '"}', "application/json"
    ),
    "an object of keys": lambda s: posted({"apiKeys": {"n": 1, "test": "", "prod": s}}),
    "an ephemeral key": lambda s: posted({"client_secret": {"value": s, "expires_at": 1}}),
    "arguments of a tool": lambda s: told('{"pass', 'word": "', s[:7], s[7:], '"}'),
    "a block of YAML": lambda s: post(f"a:\n  password: >-\n    {s}\n", "application/yaml"),
    "three quotes": lambda s: post(f'password = """{s}"""\n', "application/toml"),
    "a hash of Ruby": lambda s: post(f'Parameters: {{"password"=>"{s}"}}', "text/plain"),
    "a form with brackets": lambda s: post(
        f"user%5Bpassword%5D={s}&user[n]=1", "application/x-www-form-urlencoded"
    ),
    "a form that is encoded twice": lambda s: post(
        f"next=%252Fa%253Faccess_token%253D{s}", "application/x-www-form-urlencoded"
    ),
    "a name of multipart with a charset": lambda s: post(
        PARTS.replace('name="{}"', "name*=utf-8''password").format("", s),
        "multipart/form-data; boundary=B",
    ),
    "a user of curl": lambda s: post(f"curl -u anna:{s} http://a/", "text/plain"),
    ".netrc": lambda s: post(f"machine a login anna password {s}\n", "text/plain"),
    "a field of HTML": lambda s: answered(
        "text/html", f'<input type="hidden" name="csrf_token" value="{s}">'.encode()
    ),
    "metadata of HTML": lambda s: answered(
        "text/html", f'<meta name="csrf-token" content="{s}">'.encode()
    ),
    "a setting of XML": lambda s: post(f'<add key="Db.Password" value="{s}"/>', "text/xml"),
    "a property of XML": lambda s: post(f'<property name="db.password">{s}</property>', "text/xml"),
    "a property list": lambda s: post(
        f"<dict><key>password</key><string>{s}</string></dict>", "text/xml"
    ),
    "XML-RPC": lambda s: post(
        f"<member><name>password</name><value><string>{s}</string></value></member>", "text/xml"
    ),
    "an attribute of a trace": lambda s: posted(
        {"key": "http.request.header.authorization", "value": {"stringValue": s}}
    ),
    "a patch": lambda s: posted([{"op": "replace", "path": "/user/password", "value": s}]),
    "an environment in YAML": lambda s: post(
        f"env:\n- name: DB_PASSWORD\n  value: {s}\n", "application/yaml"
    ),
    "raw fields": lambda s: posted({"rawHeaders": ["Host", "a", "X-Api-Key", s]}),
    "SQL": lambda s: post(f"CREATE USER a IDENTIFIED BY '{s}';", "application/sql"),
    "an option of a command": lambda s: post(f"tool --api-key {s} -v", "text/plain"),
    "a URL of Redis": lambda s: posted({"url": f"redis://:{s}@h:6379/0"}),
    "a URL inside a URL": lambda s: asked(target=f"/p?u=https%3A%2F%2Fanna%3A{s}%40h%2F"),
    "a list in a query": lambda s: asked(target=f"/a?token[]={s}"),
    "a code verifier": lambda s: post(f"code_verifier={s}", "application/x-www-form-urlencoded"),
    "a webhook": lambda s: posted({"hook": f"https://hooks.slack.com/services/T0/B0/{s}"}),
    "memcached": lambda s: talk(b"\x80\x21" + bytes(22) + b"PLAIN\0anna\0" + s.encode()),
    "MessagePack": lambda s: post(
        b"\x81\xa8password" + bytes((0xA0 + len(s),)) + s.encode(), "application/msgpack"
    ),
    "BSON": lambda s: post(
        b"\x02password\0" + (len(s) + 1).to_bytes(4, "little") + s.encode() + b"\0\0",
        "application/bson",
    ),
    "a map of Protocol Buffers": lambda s: post(
        b"\x0a\x08password\x12" + bytes((len(s),)) + s.encode(), "application/x-protobuf"
    ),
    "UTF-16 with a mark": lambda s: post(
        json.dumps({"password": s}).encode("utf-16"), "application/json"
    ),
    "UTF-16 by its type": lambda s: post(
        json.dumps({"password": s}).encode("utf-16-be"), "application/json; charset=UTF-16BE"
    ),
    # heads
    "X-Auth": lambda s: asked(f"X-Auth: {s}"),
    "DPoP": lambda s: asked(f"DPoP: {s}"),
    "basic authorization": lambda s: asked(f"Authorization: Basic {basic(s)}"),
    "a fragment of a URL": lambda s: asked(f"Referer: http://a/#access_token={s}&x=1"),
    "a query in a proxy's target": lambda s: asked(target=f"http://a/?sig={s}"),
    "a folded cookie": lambda s: asked(f"Cookie: a=1;\r\n sid={s}"),
    "a tunnel": lambda s: tunnelled(request("/", f"Authorization: Token {s}")),
    # HTTP/2, gRPC, WebSockets
    "a field in Huffman's code": lambda s: http2(fields=[("authorization", f"Bearer {s}")]),
    "a field that is never indexed": never_indexed,
    "trailers of HTTP/2": late_trailers,
    "gRPC in two frames": lambda s: http2(
        *(lambda one: (one[:12], one[12:]))(grpc_frame(0, json.dumps({"api_key": s}).encode())),
        fields=[("content-type", "application/grpc+json")],
    ),
    "a masked frame": lambda s: websocket(frame(1, json.dumps({"token": s}).encode(), key=KEY)),
    "a masked and deflated message": lambda s: websocket(
        frame(1, Compressor()(json.dumps({"token": s}).encode()), rsv=4, key=KEY), deflates=True
    ),
    "a masked message in two frames": lambda s: websocket(
        frame(1, b'{"password": "' + s[:9].encode(), fin=False, key=KEY),
        frame(0, s[9:].encode() + b'"}', key=KEY),
    ),
    "MQTT over a WebSocket": lambda s: websocket(frame(2, mqtt(s.encode()), key=KEY)),
    "MQTT in two frames of a WebSocket": lambda s: websocket(
        frame(2, mqtt(s.encode())[:35], fin=False, key=KEY),
        frame(0, mqtt(s.encode())[35:], key=KEY),
    ),
    "MQTT over a WebSocket, deflated": lambda s: websocket(
        frame(2, Compressor()(mqtt(s.encode())), rsv=4, key=KEY), deflates=True
    ),
    "AMQP over a WebSocket": lambda s: websocket(
        frame(2, b"AMQP\0\0\x09\x01", key=KEY), frame(2, amqp(s.encode()), key=KEY)
    ),
    "NATS over a WebSocket": lambda s: websocket(
        frame(2, b'CONNECT {"user":"anna","pass":"%s"}\r\n' % s.encode(), key=KEY)
    ),
    "STOMP over a WebSocket": lambda s: websocket(
        frame(1, b"CONNECT\nlogin:anna\npasscode:%s\n\n\0" % s.encode(), key=KEY)
    ),
    "XMPP over a WebSocket": lambda s: websocket(
        frame(
            1,
            b"<auth mechanism='PLAIN'>" + b64encode(b"\0anna\0" + s.encode()) + b"</auth>",
            key=KEY,
        )
    ),
    "the name of a file of a secret field": lambda s: post(
        PARTS.format("session_token", f"; filename*=UTF-8''{s}", "x"),
        "multipart/form-data; boundary=B",
    ),
    "userinfo of CONNECT": lambda s: talk(
        f"CONNECT anna:{s}@a:443 HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    ),
    "a session by its short name": lambda s: asked(target=f"/a?sess_id={s}&b=1"),
    "an item of a form": lambda s: post(
        f"password[0]={s}&a=b", "application/x-www-form-urlencoded"
    ),
    # packets
    "after RST": lambda s: after_reset(b"password=" + s.encode()),
    "without ACK": lambda s: after_reset(b"api_key=" + s.encode(), flags=PSH),
    "fragments": lambda s: frames(
        *fragments(ipv4(udp(5, 6, b"Authorization: Bearer " + s.encode()), 17), 16)
    ),
    "an ICMP quote": lambda s: frames(quoted(b"api_key=" + s.encode())),
    # logins
    "MQTT": lambda s: talk(mqtt(s.encode())),
    "Redis": lambda s: talk(bulk(b"AUTH", b"anna", s.encode())),
    "HELLO of Redis": lambda s: talk(bulk(b"HELLO", b"3", b"AUTH", b"anna", s.encode())),
    "SMTP": lambda s: talk(b"AUTH LOGIN\r\n", b"YW5uYQ==\r\n", b64encode(s.encode()) + b"\r\n"),
    "Postgres": lambda s: talk(postgres(s.encode())),
    "NATS": lambda s: talk(b'CONNECT {"user":"anna","pass":"%s"}\r\n' % s.encode()),
    "STOMP": lambda s: talk(b"CONNECT\nlogin:anna\npasscode:%s\n\n\0" % s.encode()),
    "AMQP": lambda s: talk(b"AMQP\0\0\x09\x01", amqp(s.encode())),
    "Kafka": lambda s: talk(kafka(s.encode())),
    "LDAP": lambda s: talk(ldap(s.encode())),
    "XMPP": lambda s: talk(
        b"<auth mechanism='PLAIN'>" + b64encode(b"\0anna\0" + s.encode()) + b"</auth>"
    ),
    "SOCKS": lambda s: talk(b"\x05\x01\x02", b"\x01\x04anna" + bytes((len(s),)) + s.encode()),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_left(place: str) -> None:
    """Neither it, nor ten characters of it, nor the same in base64."""
    secret = sha256(place.encode()).hexdigest()[:24]
    packets = PLACES[place](secret)
    masks = FrameMasks("all")
    for packet in packets:
        masks.add([packet])
    masks.end()
    masked = [(*packet[:4], masks.masked(packet)) for packet in packets]
    assert [len(one[4]) for one in masked] == [len(one[4]) for one in packets]
    shown = "".join(map(repr, decoded(masked))).encode()
    for found in (b"".join(one[4] for one in masked), shown):
        wide, escaped = secret.encode("utf-16-be"), "".join(f"\\u{ord(one):04x}" for one in secret)
        for text_of in (
            *(secret.encode(), b64encode(secret.encode())[:-4]),
            *(wide, wide[1:], escaped.encode(), escaped.encode()[3:]),
        ):
            assert [at for at in range(15) if text_of[at : at + 10] in found] == []


def test_a_name_apart_from_its_value_may_be_kept() -> None:
    text = (
        '[{"name": "X-Api-Key", "value": "abcdefghijkl"}, {"name": "a", "value": "bcdefghijklm"}]'
    )
    stars = text.replace("abcdefghijkl", "*" * 12)
    assert mask_text(text) == stars
    assert mask_text(text, patterns(keep=frozenset({"x-api-key"}))) == text


def test_there_are_ninety() -> None:
    assert len(PLACES) >= 90
