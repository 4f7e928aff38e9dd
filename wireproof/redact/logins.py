"""Logins of protocols that are not decoded: what one side says that only its commands tell.

Each expression begins where a line, a message or a packet does, and its groups are the secrets.
"""

from __future__ import annotations

import re

from parsers.expressions import when_used

from .mqtt import mqtt_spans
from .patterns import Span
from .redis import STORES, stored_spans

_WORD = rb"([^\s\x00]{1,256})"
_CODED = rb"([A-Za-z0-9+/=*]{4,8192}+)"
_MECHANISM = (
    rb"plain|login|external|xoauth2?|oauthbearer|cram-md5|digest-md5|scram-sha-?\d{1,3}(?:-plus)?"
    rb"|ntlm|gssapi|gs2-[\w-]{1,16}|otp|skey|apop|securid|ecdsa-[\w-]{1,32}|x-[\w-]{1,32}"
)
_NEXT_LINE = (
    rb"(?:\r?\n(?![A-Z]{4,10}\r?$)(?:(?i:authenticate) |\"|\{\d{1,5}\+?\}\r\n)?"
    + _CODED
    + rb"\"?\r?$)?"
)
LOGINS = when_used(
    # RFC 959 section 4.1.1 (FTP), RFC 1939 section 7 (POP3, whose passwords may have spaces),
    # RFC 4643 section 2.3 (NNTP), and IRC: OPER, and what its NickServ is told.
    rb"(?:^|(?<=\n))(?:(?i:pass|acct|authinfo pass) " + _WORD + rb"\r?$"
    rb"|(?i:user) [^\r\n]{1,256}\r\n(?i:pass) ([^\r\n\x00]{1,256})\r$"
    rb"|(?i:apop|oper) [^\s\x00]{1,256} " + _WORD + rb"\r$"
    rb"|[^\r\n]{0,64}(?i:nickserv) :?(?i:identify|register|ghost|recover|set password)"
    rb"(?: [^\s\x00]{1,64}(?= [^\s\x00]))? " + _WORD + rb"(?: [^\r\n]{0,64})?\r$"
    # RFC 4954 section 4 (SMTP), RFC 9051 section 6.2.2 (IMAP), RFC 5034 (POP3), RFC 4643 section
    # 2.4 (NNTP), RFC 5804 section 2.1 (ManageSieve), IRC: the response may come with the command,
    # or in the lines after it.
    rb"|(?:[\w.]{1,16} )?(?i:auth|authenticate|authinfo sasl) \"?(?i:" + _MECHANISM + rb")\"?"
    rb"(?: [\"=]?(?:\{\d{1,5}\+?\}\r\n)?"
    + _CODED
    + rb"\"?)?\r?$"
    + 4 * _NEXT_LINE
    +
    # RFC 9051 section 6.2.3 (IMAP)
    rb"|[\w.]{1,16} (?i:login) [^\s\x00]{1,256} (?![{\"])"
    + _WORD
    + rb"\r?$"
    # Redis, RESP: AUTH [username] password, as arrays of bulk strings and inline.
    rb"|(?i:auth) (?!(?:required|requisite|sufficient|optional|include|substack) )"  # of PAM
     + _WORD + rb"(?: " + _WORD + rb")?\r?$"
    rb"|(?i:requirepass|masterauth)\r\n\$\d{1,4}\r\n" + _WORD + rb"\r\n"
    rb"|(?i:auth)\r\n\$\d{1,4}\r\n" + _WORD + rb"\r\n(?:\$\d{1,4}\r\n" + _WORD + rb"\r\n)?)"
    # PostgreSQL, PasswordMessage and SASLInitialResponse: 'p', length, string.
    rb"|(?:\A|(?<=\x00))p\x00\x00[\x00-\x04].([^\x00]{1,256})\x00"
    # RFC 5802 section 7 (SCRAM): the proof, and the server's, which tell a password to who guesses.
    rb"|c=[A-Za-z0-9+/=]{4,128}+,r=[^,\s\x00]{8,256}+,p=([A-Za-z0-9+/=]{16,256}+)"
    rb"|(?<=\x00\x00\x00\x0c)v=([A-Za-z0-9+/=]{24,256}+)"
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
# RFC 9051 sections 4.3 and 6.2.3 (IMAP): LOGIN with strings; literals say how long they are.
LOGIN_COMMAND = when_used(
    rb"^[\w.]{1,16} (?i:login) (?=[^\r\n]{0,256}?(?:\{\d{1,5}[+-]?\}\r?$|\"))", re.MULTILINE
)
ASTRING = when_used(
    rb"\"((?:[^\"\\\r\n]|\\[^\r\n]){0,256})\"|\{(?P<size>\d{1,5})[+-]?\}\r?\n|([^\s\"{}()]{1,256})"
)
# RFC 1928 section 3 and RFC 1929 section 2: methods, then a user's name and password, each after
# its length.
SOCKS_LOGIN = when_used(
    rb"(\x05(?:%s))?\x01(?:%s)"
    % tuple(
        b"|".join(b"%s[\x00-\xff]{%d}" % (re.escape(bytes((n,))), n) for n in range(1, most))
        for most in (17, 65)
    )
)
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
    found += mqtt_spans(data)
    for match in STORES.finditer(data):
        found += stored_spans(data, match)
    for match in LOGIN_COMMAND.finditer(data):
        found += _of_imap(data, match)
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


def _of_imap(data: bytes, match: re.Match[bytes]) -> list[Span]:
    """Return where LOGIN has its password: an atom, a string, or what follows its length."""
    found: list[Span] = []
    at = match.end()
    for _ in range(2):
        word = ASTRING.match(data, at)
        if word is None:
            return []
        found.append(word.span(word.lastindex or 0))
        at = word.end()
        if word["size"]:
            at = min(at + int(word["size"]), len(data))
            found[-1] = word.end(), at
        at += data[at : at + 1] == b" "
    start, end = found[-1]
    is_end = data[at : at + 1] in (b"", b"\r", b"\n")
    return [(start, end)] if start < end and is_end else []


def _of_socks(data: bytes, match: re.Match[bytes]) -> list[Span]:
    """Return where a login has its password, which without a greeting must be all there is."""
    start = match.end() + 1
    end = start + data[start - 1] if start <= len(data) else start
    is_alone = end == len(data) and data[2 : start - 1].isalnum()
    if match[1] is None and not is_alone:
        return []
    return [(start, min(end, len(data)))] if start < min(end, len(data)) else []
