"""Logins of protocols that are not decoded: what one side says that only its commands tell.

Each expression begins where a line, a message or a packet does, and its groups are the secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .names import SECRET_NAME
from .patterns import Span

_WORD = rb"([^\s\x00]{1,256})"
LOGINS = re.compile(
    # RFC 959 section 4.1.1 (FTP), RFC 1939 section 7 (POP3)
    rb"(?:^|(?<=\n))(?:(?i:pass) " + _WORD + rb"\r?$"
    # RFC 4954 section 4 (SMTP), RFC 9051 section 6.2.2 (IMAP), RFC 5034 (POP3): the response may
    # come with the command, or in the lines after it.
    rb"|(?:[\w.]{1,16} )?(?i:auth|authenticate) (?i:plain|login|xoauth2|oauthbearer|cram-md5)"
    rb"(?: " + _WORD + rb")?\r?$(?:\r?\n([A-Za-z0-9+/=]{4,512})\r?$)?"
    rb"(?:\r?\n([A-Za-z0-9+/=]{4,512})\r?$)?"
    # RFC 9051 section 6.2.3 (IMAP)
    rb"|[\w.]{1,16} (?i:login) [^\s\x00]{1,256} " + _WORD + rb"\r?$"
    # Redis, RESP: AUTH [username] password, as arrays of bulk strings and inline.
    rb"|(?i:auth) (?!(?:required|requisite|sufficient|optional|include|substack) )"  # of PAM
     + _WORD + rb"(?: " + _WORD + rb")?\r?$"
    rb"|(?i:requirepass|masterauth)\r\n\$\d{1,4}\r\n" + _WORD + rb"\r\n"
    rb"|(?i:auth)\r\n\$\d{1,4}\r\n" + _WORD + rb"\r\n(?:\$\d{1,4}\r\n" + _WORD + rb"\r\n)?)"
    # PostgreSQL, PasswordMessage and SASLInitialResponse: 'p', length, string.
    rb"|(?:\A|(?<=\x00))p\x00\x00[\x00-\x04].([^\x00]{1,256})\x00"
    # RFC 4616 section 2 (PLAIN): message = [authzid] NUL authcid NUL passwd, in AMQP 0-9-1's
    # Connection.StartOk, AMQP 1.0's sasl-init, memcached, Kafka's SaslAuthenticate (its key is 36).
    rb"|(?:PLAIN(?:\x00\x00[\x00-\x01][\x00-\xff]|\xa0[\x00-\xff])?"
    rb"|\x00\x24\x00[\x00-\x02][\x00-\xff]{4,80}?)"
    rb"[!-~]{0,128}+\x00[!-~]{1,128}+\x00([!-~]{1,256}+)"
    # RFC 6120 section 6.4.2 (XMPP)
    rb"|<auth[ \t][^<>]{0,128}?mechanism=[\"']PLAIN[\"'][^<>]{0,128}+>([A-Za-z0-9+/=]{4,512}+)"
    # RFC 4511 section 4.2 (LDAP): BindRequest with version, name, and a password: simple [0].
    rb"|\x60(?:[\x00-\x7f]|\x81[\x00-\xff]|\x82[\x00-\xff]{2})\x02\x01[\x02\x03]"
    rb"\x04[\x00-\x7f][^\x00-\x1f\x80]{0,127}+\x80[\x01-\x7f]([!-~]{1,127}+)",
    re.MULTILINE,
)
MQTT_CONNECT = re.compile(
    rb"\x10[\x80-\xff]{0,3}[\x00-\x7f]\x00(?:\x04MQTT|\x06MQIsdp)([\x03-\x05])(.)..", re.DOTALL
)
# RFC 1928 section 3 and RFC 1929 section 2: methods, then a user's name and password, each after
# its length.
SOCKS_LOGIN = re.compile(
    rb"(\x05(?:%s))?\x01(?:%s)"
    % tuple(
        b"|".join(b"%s[\x00-\xff]{%d}" % (re.escape(bytes((n,))), n) for n in range(1, most))
        for most in (17, 65)
    )
)
USER_NAME, PASSWORD, WILL = 0x80, 0x40, 0x04
# RESP: an array of bulk strings, the first of which is a command that keeps values under keys.
REDIS_STORES = re.compile(
    rb"\*(\d{1,4})\r\n\$\d{1,2}\r\n(?i:(?:SET|GETSET|SETNX|APPEND|SADD|LPUSH|RPUSH|PUBLISH|JSON\.SET"
    rb"|SETEX|PSETEX)|(HSET|HSETNX|HMSET|XADD|MSET|MSETNX))\r\n"
)
BULK_STRING = re.compile(rb"\$(\d{1,9})\r\n")
WORD_OF_KEY = re.compile(r"[\w-]+", re.ASCII)
SHORTEST_VALUE = 8
"""Bytes of a value that may be secret by its key: what counts or measures is shorter."""
MOST_FIRST = 2_048
"""Bytes of what a side of a WebSocket sends first, in which a login may be."""
MOST_PIECES = 64
"""Times that it may come in pieces."""


def login_spans(data: bytes) -> list[Span]:
    """Return where the secrets of logins are in what one side sent."""
    found = [
        match.span(group)
        for match in LOGINS.finditer(data)
        for group in range(1, LOGINS.groups + 1)
        if match.start(group) >= 0
    ]
    for match in MQTT_CONNECT.finditer(data):
        found += _of_mqtt(data, match)
    for match in REDIS_STORES.finditer(data):
        found += _of_redis(data, match)
    if (login := SOCKS_LOGIN.match(data)) is not None:
        found += _of_socks(data, login)
    return found


class FirstLogins:
    """Finds logins in what one side of a WebSocket sends first: MQTT, AMQP and XMPP come so."""

    __slots__ = ("_sent", "_pieces")

    def __init__(self) -> None:
        self._sent = b""
        self._pieces = 0

    def feed_fast(self, text: str) -> list[Span]:
        """Take the next text, in Latin-1; return places in that."""
        before = len(self._sent)
        if before >= MOST_FIRST or self._pieces >= MOST_PIECES:
            return []
        self._pieces += 1
        self._sent += text.encode("latin-1", "replace")
        spans = login_spans(self._sent)
        return [(max(a - before, 0), b - before) for a, b in spans if b > max(a, before)]


def _of_redis(data: bytes, match: re.Match[bytes]) -> Iterator[Span]:
    """Yield where a command has values of keys, or of fields, that name a secret."""
    strings: list[Span] = []
    at = match.end()
    while len(strings) < int(match[1]) - 1 and (bulk := BULK_STRING.match(data, at)) is not None:
        strings.append((bulk.end(), min(bulk.end() + int(bulk[1]), len(data))))
        at = strings[-1][1] + 2
    has_pairs = match[2] is not None
    is_secret = bool(strings) and not match[2].upper().startswith(b"M") if has_pairs else True
    is_secret = is_secret and bool(strings) and _names_secret(data[slice(*strings[0])])
    first = 0 if has_pairs and match[2].upper().startswith(b"MS") else 1
    for index, (start, end) in enumerate(strings[first:]):
        is_value = not has_pairs or index % 2 == 1
        own = has_pairs and is_value and _names_secret(data[slice(*strings[first + index - 1])])
        if is_value and (is_secret or own) and end - start >= SHORTEST_VALUE:
            yield start, end


def _names_secret(key: bytes) -> bool:
    """Return whether a key of Redis, or a field, has a word in it that names a secret."""
    words = WORD_OF_KEY.findall(key[:256].decode("latin-1"))
    return any(SECRET_NAME.fullmatch(word) for word in words)


def _of_socks(data: bytes, match: re.Match[bytes]) -> list[Span]:
    """Return where a login has its password, which without a greeting must be all there is."""
    start = match.end() + 1
    end = start + data[start - 1] if start <= len(data) else start
    is_alone = end == len(data) and data[2 : start - 1].isalnum()
    if match[1] is None and not is_alone:
        return []
    return [(start, min(end, len(data)))] if start < min(end, len(data)) else []


def _of_mqtt(data: bytes, match: re.Match[bytes]) -> list[Span]:
    """Return where a CONNECT packet has its password (MQTT 5.0 section 3.1.3)."""
    flags, at = match[2][0], match.end()
    if not flags & PASSWORD:
        return []
    is_five = match[1] == b"\x05"
    if is_five:
        at = _after_properties(data, at)
    at = _after_string(data, at)  # the client's identifier
    if flags & WILL:
        at = _after_string(data, _after_string(data, _after_properties(data, at, only=is_five)))
    if flags & USER_NAME:
        at = _after_string(data, at)
    return [(at + 2, min(_after_string(data, at), len(data)))] if at + 2 < len(data) else []


def _after_string(data: bytes, at: int) -> int:
    return at + 2 + int.from_bytes(data[at : at + 2])


def _after_properties(data: bytes, at: int, *, only: bool = True) -> int:
    """Return where properties end, whose length is an integer of variable size."""
    if not only:
        return at
    size = 0
    for shift in range(0, 28, 7):
        byte = data[at] if at < len(data) else 0
        at += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return at + size
