"""What a secret looks like, and a finder of secrets in text that comes in pieces.

Strategy: a table says how secrets and the names of secrets begin, and gives each a regular
expression, which also accepts the end of what has come so far in place of what is missing. So a
piece that ends inside a secret is masked up to its end at once, and nothing has to wait; the rest
of that match is remembered, so that the next piece goes on inside it. What can show is the
beginning of a key's own prefix (``s`` of ``sk-``), which tells nothing. Between pieces at most
MAX_OPEN characters are kept, and all quantifiers are possessive or bounded: time is linear.

It errs on the side of masking: a word that looks like a key is masked, and costs a reader a look
into the capture; a key that is not masked cannot be taken back.

Text is matched character by character, and bytes as Latin-1: their places are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from parsers.expressions import every

Policy = Literal["headers", "all", "none"]
Span = tuple[int, int]

MASK = "*"
"""Stands for each byte of a secret. It needs no escape in JSON, HTML, URLs or headers."""

MAX_CONTEXT = 96
"""Characters kept of what came before: the names and prefixes below are shorter."""
MAX_OPEN = 128
"""Characters kept of a secret that has begun: its rest is of the same kind, however long."""

# Where a key may begin: not inside a word, but after an escape of JSON (\n, \u000a) or of a URL.
_WORD_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"

_KEYS = (
    # prefixes, what follows them, how much of that there is at least
    ("sk-", r"[\w-]", 12),  # OpenAI, Anthropic, OpenRouter, DeepSeek, ...
    ("sk_live_ sk_test_ pk_live_ rk_live_ rk_test_", r"\w", 10),  # Stripe
    ("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w", 20),  # GitHub
    ("glpat-", r"[\w-]", 12),  # GitLab
    ("xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", r"[\w-]", 10),  # Slack
    ("AKIA ASIA AGPA AIDA ANPA AROA", r"[A-Z0-9]", 12),  # AWS
    ("AIza", r"[\w-]", 20),  # Google
    ("ya29.", r"[\w.-]", 12),
    ("hf_ gsk_ r8_ npm_ dop_v1_ shpat_ shpca_ shppa_ shpss_", r"\w", 16),  # Hugging Face, ...
    ("xai- pplx- pypi-", r"[\w-]", 16),
    ("SG.", r"[\w.-]", 16),  # SendGrid
    ("eyJ", r"[\w.-]", 12),  # JSON Web Tokens (RFC 7519 section 3): base64url of {"
)

# RFC 7468 section 2; in JSON its line ends are escapes.
_PEM = r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----([^-]*+)"
# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_BEARER = r"(?i:bearer)(?:[ +]|%20)([\w.~+/=-]{8,}+|[\w.~+/=-]++\Z)"
# RFC 3986 section 3.2.1: userinfo, of which the password is the secret.
_USERINFO = r"://[^/\s:@\"'\\]{1,64}+:([^/\s:@\"'\\]{1,256}+)@"

# What may stand between a name and its value, in JSON, in a form, in a header, in any of them
# inside another.
_BETWEEN = r"(?>(?:\\{0,3}+[\"'])?)\s{0,4}+(?:[:=]|%3[Aa]|%3[Dd])\s{0,4}+"
_SPACE = r"(?:\s|\+|%20)"
_SCHEME = rf"(?>(?:(?i:bearer|basic|token|apikey){_SPACE}{every(_SPACE)})?)"
_BARE = r"[^\s\x00-\x1f\"'\\&,;<>#(){}\[\]]"
_IN_STRING = r"[^\"\\\x00-\x1f]++|\\(?:.|\Z)"
_ANY_VALUE = (
    rf"(?:\\++\"({_SCHEME}[^\"\\\x00-\x1f]++)"  # a string of JSON inside a string of JSON
    rf"|\"({_SCHEME}(?>{_IN_STRING}){every(_IN_STRING)})"
    rf"|'([^'\\\x00-\x1f]++)"
    rf"|{_SCHEME}((?!(?:null|true|false|None)\b){_BARE}++))"
)
_LINE_VALUE = _ANY_VALUE.replace(_BARE, r"[^\x00-\x1f\"'\\]")  # of a field with several words
_LONG_VALUE = rf"\\*+[\"']?+({_BARE}{{12,}}+|{_BARE}++\Z)"

_STRONG = (
    # how the name begins, and the whole of it: its value is secret whatever it looks like
    ("api", r"api[-_]?key"),
    ("access", r"access[-_]?token"),
    ("refresh", r"refresh[-_]?token"),
    ("auth", r"auth[-_]?token"),
    ("session", r"session[-_]?(?:token|id)"),
    ("csrf", r"csrf[-_]?token"),
    ("xsrf", r"xsrf[-_]?token"),
    ("security", r"security[-_]?token"),
    ("id_token", r"id_token"),
    ("idtoken", r"idtoken"),
    ("secret", r"secret(?:[-_]?(?:access[-_]?)?key)?"),
    ("private", r"private[-_]?key"),
    ("pass", r"pass(?:word|wd|phrase)"),
    ("subscription", r"subscription[-_]?key"),
    ("x-amz-", r"x-amz-(?:signature|credential)"),
)
_LINES = ("authorization", "cookie")
"""Names of header fields, which stand in logs and in what servers echo."""
_WEAK = ("token", "signature", "sig", "sid", "key", "code", "jwt", "pwd", "auth")
"""Names whose values are secret if they are long."""


def _triggers() -> list[tuple[bytes, re.Pattern[str]]]:
    """Return how a secret or its name begins, in lower case, and what it must be from there."""
    found = [
        (prefix, rf"{_WORD_BEGINS}{re.escape(prefix)}{rest}{{{least},}}+"
         rf"|{_WORD_BEGINS}{re.escape(prefix)}{rest}*+\Z")
        for prefixes, rest, least in _KEYS
        for prefix in prefixes.split()
    ]  # fmt: skip
    found = [(prefix, f"({pattern})") for prefix, pattern in found]
    found += [("-----begin ", _PEM), ("bearer", _BEARER), ("://", _USERINFO)]
    found += [(begins, f"(?i:{name}){_BETWEEN}{_ANY_VALUE}") for begins, name in _STRONG]
    found += [(name, f"(?i:{name}){_BETWEEN}{_LINE_VALUE}") for name in _LINES]
    found += [
        (name, f"(?:{_WORD_BEGINS}|(?<=_))(?i:{name}){_BETWEEN}{_LONG_VALUE}") for name in _WEAK
    ]
    return [(begins.lower().encode(), re.compile(pattern, re.ASCII)) for begins, pattern in found]


TRIGGERS = _triggers()
"""Each pattern has one group that matches: the secret."""


# What must follow a beginning before a secret can, in lower case: most of them are words as well.
_AFTER_NAME = rb"(?>(?:\\{0,3}+[\"'])?)\s{0,4}+(?:[:=]|%3a|%3d)"
_AFTER = (
    {b"bearer": rb"(?:[ +]|%20)", b"://": rb"[^/\s:@\"'\\]{1,64}+:[^/\s:@\"'\\]{1,256}+@"}
    | {begins.encode(): name[len(begins) :].encode() + _AFTER_NAME for begins, name in _STRONG}
    | {name.encode(): _AFTER_NAME for name in (*_LINES, *_WEAK)}
)


def _any_of(words: dict[bytes, bytes]) -> bytes:
    """Return a pattern of all words, each with what follows it, that shares their beginnings."""
    rests: dict[bytes, dict[bytes, bytes]] = {}
    for word, after in words.items():
        if word:
            rests.setdefault(word[:1], {})[word[1:]] = after
    found = [words[b""]] if b"" in words else []
    if found == [b""]:  # whatever follows: the shortest one is enough
        return b""
    found += [re.escape(first) + _any_of(rest) for first, rest in sorted(rests.items())]
    return found[0] if len(found) == 1 else b"(?:" + b"|".join(found) + b")"


POSSIBLE = re.compile(r"[-_.:=%AJ]")
"""Whatever is secret has one of these in it or before it, but for what follows ``bearer``."""
LIKELY = re.compile(_any_of({begins: _AFTER.get(begins, b"") for begins, _ in TRIGGERS}))
"""Finds out whether there can be a secret at all, which mostly there cannot: a text in which it
finds nothing has no secret, cut anywhere or not."""


@dataclass
class Report:
    """What was done, for whoever tells a user."""

    masked: int = 0
    """Places that were masked: a secret that spans two records counts twice."""
    left_out: int = 0
    """Payloads that were left out whole, because their coding hides what they hold."""


class Finder:
    """Finds secrets in one stream of text."""

    __slots__ = ("_context",)

    def __init__(self) -> None:
        self._context = ""

    def feed_all(self, pieces: Sequence[str], text: str) -> list[Span]:
        """Take the next pieces, as :meth:`feed` does one by one; ``text`` is all of them.

        Returns places in that.
        """
        context = self.context_behind(text)
        if context is None:
            return fed_one_by_one(self.feed, pieces)
        self._context = context
        return []

    def context_behind(self, text: str) -> str | None:
        """Return what is to be remembered after ``text``; None if there may be a secret in it."""
        text = self._context + text
        return None if may_hold_secret(text) else text[-MAX_CONTEXT:]

    def go_on_behind(self, context: str) -> None:
        """Remember what :meth:`context_behind` has returned."""
        self._context = context

    def feed(self, piece: str) -> list[Span]:
        """Take the next piece; return which parts of it are secret, or may become so."""
        text = self._context + piece
        base = len(self._context)
        spans: list[Span] = []
        opening = len(text)
        for match in _matches(text):
            assert match.lastindex is not None
            start, end = match.span(match.lastindex)
            if end > base:
                spans.append((max(start - base, 0), end - base))
            if match.end() == len(text):
                opening = min(opening, match.start())
        if opening < len(text):
            self._context = _opening(text[opening:])
        else:
            self._context = text[-MAX_CONTEXT:]
        return spans


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Yield every match of every pattern.

    Beginnings are looked for as bytes of lower case, of which a character has one: one regular
    expression of all alternatives takes 200 times as long.
    """
    lower = _lower(text)
    if LIKELY.search(lower) is None:
        return
    for begins, pattern in TRIGGERS:
        position = lower.find(begins)
        while position >= 0:
            match = pattern.match(text, position)
            if match is not None:
                yield match
            position = lower.find(begins, position + 1 if match is None else match.end())


def _lower(text: str) -> bytes:
    """Return a text in lower case, a byte for each character."""
    return text.encode("latin-1", "replace").lower()


def fed_one_by_one(feed: Callable[[str], list[Span]], pieces: Sequence[str]) -> list[Span]:
    """Return what ``feed`` finds in each piece, as places in all of them together."""
    spans: list[Span] = []
    base = 0
    for piece in pieces:
        spans += [(base + start, base + end) for start, end in feed(piece)]
        base += len(piece)
    return spans


def _opening(match: str) -> str:
    """Return the beginning of a match that goes on, and whether an escape is open at its end."""
    if len(match) <= MAX_OPEN:
        return match
    backslashes = len(match) - len(match.rstrip("\\"))
    return match[:MAX_OPEN].rstrip("\\") + "\\" * (backslashes % 2)


def may_hold_secret(text: str) -> bool:
    """Return whether there can be a secret in a text, or in one that it is the beginning of."""
    lower = _lower(text)
    is_possible = POSSIBLE.search(text) is not None or b"bearer" in lower
    return is_possible and LIKELY.search(lower) is not None


def find(text: str) -> list[Span]:
    """Return where the secrets of a whole text are."""
    return merged(Finder().feed(text))


def merged(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that touch as one."""
    if len(spans) < 2:
        return spans
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def mask_spans(text: str, spans: list[Span]) -> str:
    """Return ``text`` with its spans masked: as many characters as they have bytes of UTF-8."""
    for start, end in reversed(merged(spans)):
        secret = text[start:end]
        size = len(secret) if secret.isascii() else len(secret.encode(errors="surrogatepass"))
        text = text[:start] + MASK * size + text[end:]
    return text


def mask_text(text: str) -> str:
    """Return a whole text with its secrets masked.

    >>> mask_text("key sk-abcdefghijklmnop")
    'key *******************'
    """
    return mask_spans(text, find(text))
