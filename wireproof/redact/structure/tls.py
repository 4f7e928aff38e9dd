"""Records of TLS without what they say: what each is, how long, and what the hellos agree on.

Strategy: what is encrypted says nothing to who has no key, but keys may be elsewhere, and no
verdict needs more than how long a record is: so all of it is masked. Of the hellos versions,
cipher suites and extensions stay, the protocols that ALPN offers if they are listed, and no name of
a server.
Whatever is not as the standards have it is masked whole.
"""

from __future__ import annotations

import re

from .masking import Veil, stars

RECORD_HEADER, MESSAGE_HEADER = 5, 4
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
CLIENT_HELLO, SERVER_HELLO = 1, 2
MESSAGES = frozenset((0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24))
"""Types of messages of the handshake (RFC 8446 section 4, RFC 5246 section 7.4)."""
RANDOM = 32
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""RFC 8446 section 4.1.3: the random of a HelloRetryRequest."""
SERVER_NAME, ALPN, KEY_SHARE = 0, 16, 51
KEPT = frozenset((1, 10, 11, 13, 22, 23, 42, 43, 45, 50))
"""Extensions that are lists of numbers: what a client can, and what is chosen."""
TEXT = re.compile(rb"[!-~]{4}")
"""What no list of them has: their higher bytes are no letters, but for single ones of RFC 8701."""
LARGEST_COMMON = 0x13
"""The first byte of nearly all numbers of suites, groups, versions and algorithms."""
OTHER_NUMBERS = re.compile(
    rb"[\xc0\xfe\xff][\x00-\xff]|\xc1[\x00-\x06]|\xcc[\xa8-\xae]|\xd0[\x01-\x05]|\x56\x00|\x63[\x99\x9a]"
    rb"|\x7f[\x00-\x1c]"
)
"""The others (IANA, TLS Parameters): none is a character in UTF-8."""
PROTOCOLS = frozenset((b"h2", b"h2c", b"h3", b"http/1.1", b"http/1.0", b"http/0.9"))


class _Rest:
    """Takes bytes of a message one after the other. Raises ValueError where there are none left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ValueError("it ends early")
        taken, self._at = self._data[self._at : end], end
        return taken

    def vector(self, size: int) -> tuple[bytes, bytes]:
        """Take a length of ``size`` bytes, and what it is the length of."""
        length = self.take(size)
        return length, self.take(int.from_bytes(length))


def masked_record(record: bytes, veil: Veil) -> bytes:
    """Return a record, or what there is of it, without what it says."""
    header, body = record[:RECORD_HEADER], record[RECORD_HEADER:]
    kind = record[:1]
    if kind == bytes((HANDSHAKE,)):
        return header + _masked_messages(body, veil)
    if (kind == bytes((ALERT,)) and len(body) == 2) or (
        kind == bytes((CHANGE_CIPHER_SPEC,)) and body == b"\1"
    ):
        return record
    return header + stars(len(body))


def _masked_messages(body: bytes, veil: Veil) -> bytes:
    """Return the messages of a record of the handshake; they are encrypted if they are none."""
    rest, done = _Rest(body), b""
    try:
        while rest:
            kind = rest.take(1)
            size, message = rest.vector(MESSAGE_HEADER - 1)
            if kind[0] not in MESSAGES:
                return stars(len(body))
            done += kind + size + _masked_message(kind[0], message, veil)
    except ValueError:  # the capture cuts it: what begins tells the side that sent it
        begin = body[:1] if body and body[0] in MESSAGES else b""
        return begin + stars(len(body) - len(begin))
    return done


def _masked_message(kind: int, message: bytes, veil: Veil) -> bytes:
    if kind not in (CLIENT_HELLO, SERVER_HELLO):
        return stars(len(message))
    try:
        return _masked_hello(kind, message, veil)
    except ValueError:
        return stars(len(message))


def _masked_hello(kind: int, message: bytes, veil: Veil) -> bytes:
    rest = _Rest(message)
    version, random = rest.take(2), rest.take(RANDOM)
    size, session = rest.vector(1)
    done = version + (random if random == RETRY else veil.over(random))
    done += size + (veil.over(session) if session else b"")
    if kind == CLIENT_HELLO:
        for size_of_length in (2, 1):
            size, numbers = rest.vector(size_of_length)
            done += size + _numbers(numbers)
    else:
        done += rest.take(3)  # the cipher suite and the method of compression
    if rest:
        size, extensions = rest.vector(2)
        done += size + _masked_extensions(kind, _Rest(extensions))
    return done + (stars(len(message) - len(done)) if len(done) < len(message) else b"")


def _masked_extensions(kind: int, rest: _Rest) -> bytes:
    done = b""
    while rest:
        name = rest.take(2)
        size, data = rest.vector(2)
        done += name + size + _masked_extension(kind, int.from_bytes(name), data)
    return done


def _masked_extension(kind: int, name: int, data: bytes) -> bytes:
    if not data:
        return data
    if name in KEPT:
        return _numbers(data)
    if name == ALPN:
        return _masked_names(_Rest(data), b"")
    if name == SERVER_NAME:
        rest = _Rest(data)
        size, names = rest.vector(2)
        return size + _masked_servers(_Rest(names))
    if name == KEY_SHARE:
        return _masked_shares(kind, _Rest(data))
    return stars(len(data))


def _numbers(data: bytes) -> bytes:
    """Return what is a list of numbers, without its bytes if it reads as a text."""
    pairs = (data[at : at + 2] for at in range(len(data) % 2, len(data), 2))
    is_text = TEXT.search(data) is not None or not all(map(_is_number, pairs))
    return stars(len(data)) if is_text else data


def _is_number(pair: bytes) -> bool:
    """Whether two bytes are a number that somebody has defined, or one of RFC 8701."""
    is_reserved = pair[0] == pair[1] and pair[0] & 0x0F == 0x0A
    return pair[0] <= LARGEST_COMMON or is_reserved or OTHER_NUMBERS.match(pair) is not None


def _masked_names(rest: _Rest, done: bytes) -> bytes:
    size, names = rest.vector(2)
    done, rest = size, _Rest(names)
    while rest:
        size, name = rest.vector(1)
        done += size + (name if name in PROTOCOLS else stars(len(name)))
    return done


def _masked_servers(rest: _Rest) -> bytes:
    done = b""
    while rest:
        kind = rest.take(1)
        size, name = rest.vector(2)
        done += kind + size + stars(len(name))
    return done


def _masked_shares(kind: int, rest: _Rest) -> bytes:
    """Return shares of keys with their groups (RFC 8446 section 4.2.8)."""
    done = b""
    if kind == CLIENT_HELLO:
        size, shares = rest.vector(2)
        done, rest = size, _Rest(shares)
    while rest:
        done += rest.take(2)
        if rest:  # a HelloRetryRequest has no more
            size, share = rest.vector(2)
            done += size + stars(len(share))
    return done
