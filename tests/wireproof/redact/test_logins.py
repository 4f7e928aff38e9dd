"""Logins of protocols that are not decoded: their passwords, by the commands that bring them."""

from __future__ import annotations

from base64 import b64encode

import pytest
from support.talk import Talk

from wireproof.redact.frames import FrameMasks
from wireproof.redact.logins import FirstLogins, login_spans
from wireproof.redact.records import mask_bytes

SECRET = b"Zq7vLw9xKt3n"
CODED = b64encode(b"\x00user\x00" + SECRET)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _bulk(*words: bytes) -> bytes:
    """An array of bulk strings, as Redis's clients send them."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def _connect(version: int, name: bytes = b"MQTT") -> bytes:
    properties = b"\x00" if version == 5 else b""
    flags = 0x80 | 0x40 | 0x04 | 0x02
    body = _string(name) + bytes((version, flags, 0, 60)) + properties + _string(b"client")
    body += properties + _string(b"will/topic") + _string(b"gone") + _string(b"user")
    body += _string(SECRET)
    return b"\x10" + bytes((len(body),)) + body


def _stored(*words: bytes) -> tuple[bytes, bytes, bytes]:
    """A command with the secret, and what stands before and behind it."""
    before, _, after = _bulk(*words).partition(SECRET)
    return before, SECRET, after


LOGINS = {
    "FTP": (b"USER anna\r\nPASS ", SECRET, b"\r\nLIST\r\n"),
    "SMTP plain": (b"EHLO a\r\nAUTH PLAIN ", CODED, b"\r\n"),
    "SMTP plain, later": (b"EHLO a\r\nAUTH PLAIN\r\n", CODED, b"\r\nMAIL FROM:<a@b>\r\n"),
    "SMTP login": (b"AUTH LOGIN\r\ndXNlcg==\r\n", b64encode(SECRET), b"\r\n"),
    "IMAP": (b"a1 LOGIN anna ", SECRET, b"\r\n"),
    "IMAP SASL": (b"a1 AUTHENTICATE PLAIN ", CODED, b"\r\n"),
    "Redis": (b"*2\r\n$4\r\nAUTH\r\n$12\r\n", SECRET, b"\r\n*1\r\n$4\r\nPING\r\n"),
    "Redis with a name": (b"*3\r\n$4\r\nAUTH\r\n$4\r\nanna\r\n$12\r\n", SECRET, b"\r\n"),
    "Redis inline": (b"AUTH ", SECRET, b"\r\n"),
    "PostgreSQL": (b"p\x00\x00\x00\x11", SECRET, b"\x00Q\x00\x00\x00\x0dSELECT 1\x00"),
    "SOCKS": (b"\x05\x02\x00\x02\x01\x04anna\x0c", SECRET, b"\x05\x01\x00\x01"),
    "HELLO of Redis": (
        b"*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$4\r\nanna\r\n$12\r\n",
        SECRET,
        b"\r\n",
    ),
    "MQTT 3.1.1": (_connect(4)[: -len(SECRET)], SECRET, b""),
    "SET of Redis": _stored(b"SET", b"session:1", SECRET),
    "SETEX of Redis": _stored(b"SETEX", b"user:1:token", b"3600", SECRET),
    "HSET of Redis": _stored(b"HSET", b"user:1", b"name", b"anna", b"password", SECRET),
    "HSET of Redis, by its key": _stored(b"hset", b"session:1", b"a", SECRET),
    "MSET of Redis": _stored(b"MSET", b"name", b"one", b"api_key", SECRET, b"other", b"two"),
    "FTP account": (b"USER a\r\nACCT ", SECRET, b"\r\n"),
    "POP3 with spaces": (b"USER anna\r\nPASS ", b"Zq7vLw9x Kt3n b2", b"\r\nSTAT\r\n"),
    "POP3 APOP": (b"APOP anna ", b"c4c9334bac560ecc979e58001b3e22fb", b"\r\n"),
    "POP3 plain": (b"AUTH PLAIN\r\n", CODED, b"\r\nSTAT\r\n"),
    "NNTP": (b"AUTHINFO USER a\r\nAUTHINFO PASS ", SECRET, b"\r\n"),
    "NNTP SASL": (b"AUTHINFO SASL PLAIN ", CODED, b"\r\n"),
    "IRC": (b"NICK a\r\nPASS ", SECRET, b"\r\n"),
    "IRC operator": (b"OPER anna ", SECRET, b"\r\n"),
    "IRC SASL": (b"AUTHENTICATE PLAIN\r\nAUTHENTICATE ", CODED, b"\r\nCAP END\r\n"),
    "IRC NickServ": (b"PRIVMSG NickServ :IDENTIFY anna ", SECRET, b"\r\nJOIN #a\r\n"),
    "SMTP XOAUTH2": (b"AUTH XOAUTH2 ", b64encode(b"user=a\x01auth=Bearer " + SECRET * 60), b"\r\n"),
    "SMTP SCRAM": (b"AUTH SCRAM-SHA-256 biws\r\n", CODED, b"\r\n"),
    "IMAP quoted": (b'a1 LOGIN "anna" "', b'Zq7v \\"Lw9xKt3n', b'"\r\n'),
    "IMAP literals": (b"a1 LOGIN {4}\r\nanna {12}\r\n", SECRET, b"\r\na2 NOOP\r\n"),
    "IMAP literals at once": (b"a1 LOGIN {4+}\r\nanna {12+}\r\n", SECRET, b"\r\na2 NOOP\r\n"),
    "IMAP atom and literal": (b"a1 LOGIN anna {16}\r\n", b"Zq7v\r\nLw9xKt3nab", b"\r\n"),
    "IMAP SASL, later": (b"a1 AUTHENTICATE LOGIN\r\ndXNlcg==\r\n", b64encode(SECRET), b"\r\n"),
    "ManageSieve": (b'AUTHENTICATE "PLAIN" "', CODED, b'"\r\n'),
    "ManageSieve, literal": (b'AUTHENTICATE "PLAIN" {24+}\r\n', CODED, b"\r\n"),
    "MQTT 3.1": (_connect(3, b"MQIsdp")[: -len(SECRET)], SECRET, b""),
    "MQTT of a bridge": (_connect(0x84)[: -len(SECRET)], SECRET, b""),
    "MQTT 5": (_connect(5)[: -len(SECRET)], SECRET, b""),
}


@pytest.mark.parametrize("name", LOGINS)
@pytest.mark.parametrize("size", [1 << 20, 5])
def test_no_password_is_left(name: str, size: int) -> None:
    before, secret, after = LOGINS[name]
    whole = before + secret + after
    talk = Talk().open()
    talk.client(*(whole[at : at + size] for at in range(0, len(whole), size)))
    talk.close()
    masks = FrameMasks("all")
    masks.add(talk.tape.packets)
    masks.end()
    raw = b"".join(masks.masked(packet)[54:] for packet in talk.tape.packets)
    assert [at for at in range(len(secret) - 6) if secret[at : at + 6] in raw] == []
    assert after in raw


@pytest.mark.parametrize("name", LOGINS)
def test_what_is_masked_is_masked_no_further(name: str) -> None:
    whole = b"".join(LOGINS[name])
    once = mask_bytes(whole, login_spans(whole))
    assert once != whole and mask_bytes(once, login_spans(once)) == once


@pytest.mark.parametrize(
    "text",
    [
        b"please pass the salt\n",
        b"\x01\x04\x01\x00\x00\x01\x00\x00\x00\x00\x03www",
        b"he said: auth is hard\n",
        b"GET / HTTP/1.1\r\n",
        bytes(99),
        b'say login "foo" and bar to go on\n',
        b"she will oper the machine now\r\nuser pass the salt\r\n",
        _bulk(b"SET", b"user:1", b"Anna Schmidt"),
        _bulk(b"SET", b"session:count", b"12"),
        _bulk(b"HSET", b"user:1", b"name", b"Anna Schmidt"),
        _bulk(b"MSET", b"a", b"1", b"b", b"Anna Schmidt"),
        _bulk(b"DEL", b"session:1", b"session:12345"),
        b"*3\r\n$3\r\nSET\r\n",
    ],
)
def test_what_is_no_login_stays(text: bytes) -> None:
    assert login_spans(text) == []


def test_what_a_websocket_carries_may_log_in() -> None:
    """In one message or two, but not later on."""
    login = _connect(5)
    found = FirstLogins()
    pieces = login[:20], login[20:-4], login[-4:], b"\x30\x05later"
    spans = [found.feed_fast(one.decode("latin-1")) for one in pieces]
    size = len(SECRET) - 4
    assert spans == [[], [(len(pieces[1]) - size, len(pieces[1]))], [(0, 4)], []]
    assert found.feed_fast("x" * 3_000) == []
    assert found.feed_fast("AUTH hunter2\r\n") == []


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_hostile_lines_take_linear_time(size: int) -> None:
    for text in (b"pass " * size, b"auth plain\n" * size, b"\x10\x0a\x00\x04MQTT\x05\xc2" * size):
        assert len(login_spans(text)) <= size
