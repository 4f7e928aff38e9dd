"""How secrets and their names begin, each with the expression of the rest.

Strategy: beginnings are looked for as they stand, in lower case, and only where one is found its
expression is tried. One expression of all beginnings, and of what must follow each, tells first of
most texts that they hold none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from parsers.expressions import when_used

from . import forms
from .names import (
    ANY_MEMBER,
    ANY_VALUE,
    ARRAY,
    BETWEEN,
    LINE_VALUE,
    LINES,
    LONG_CODE,
    LONG_VALUE,
    LONG_XML,
    NO_NUMBER,
    PLURAL,
    RULES,
    SPELLED,
    STRONG,
    WEAK,
    XML,
)
from .shapes import token_shapes

POSSIBLE = re.compile(r"[-_.:=%AJ>\x00\x12\xa4-\xbf\xd9]")
"""Whatever is secret has one of these in it or before it, but for what follows such a word, or
begins with it:"""
WORDS = (b"bearer", b"login", b"password", b"secret", b"identified", b"dapi", b"1//0")


class Trigger(NamedTuple):
    """How a secret or its name begins, in lower case, and what it must be from there."""

    begins: bytes
    pattern: re.Pattern[str]
    """Has one group that matches: the secret, or by its name an array of them."""
    is_name: bool


def triggers(names: Sequence[str]) -> list[Trigger]:
    """Return how secrets and their names begin; ``names`` are those of a user."""
    return [
        Trigger(begins.lower().encode("latin-1", "replace"), when_used(pattern, re.ASCII), is_name)
        for is_name, group in (
            (False, [*_shapes(), *_without_name()]),
            (True, [*_apart(names), *_before_value(names)]),
        )
        for begins, pattern in group
    ]


def _shapes() -> list[tuple[str, str]]:
    return [
        (prefix, f"({forms.WORD_BEGINS}{re.escape(prefix)}{rest}{{{least},}}+"
         rf"|{forms.WORD_BEGINS}{re.escape(prefix)}{rest}*+\Z)")
        for _, prefixes, rest, least, *_ in token_shapes()
        for prefix in prefixes
    ]  # fmt: skip


def _without_name() -> list[tuple[str, str]]:
    return [
        ("-----begin ", forms.PEM),
        ("bearer", forms.BEARER),
        ("://", forms.USERINFO),
        ("%3a%2f%2f", forms.USERINFO_ENCODED),
        ("-u ", forms.USER_ARGUMENT),
        ("--user ", forms.USER_ARGUMENT),
        ("login", forms.NETRC),
        ("password ", forms.SQL),
        ("identified by", forms.SQL),
    ]


def _apart(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return names that do not stand right before their values."""
    member, in_tag = forms.named_member(names), forms.named_in_tag(names)
    element = forms.named_element(names)
    return [
        ("form-data;", forms.form_field(names)),
        *((begins, member) for begins in ("name", "key", "path")),
        ("name: ", forms.named_line(names)),
        *((begins, element) for begins in ("<key>", "<name>")),
        *((begins, in_tag) for begins in ("name=", "key=", "type=")),
        ("--", forms.argument(names)),
    ]


def _before_value(names: Sequence[str]) -> list[tuple[str, str]]:
    either = f"(?:{BETWEEN}{ANY_MEMBER}|{XML}|{forms.IN_BINARY}|{forms.PAIR}|{forms.VALIDATED})"
    found = [(begins, f"(?i:{name}){PLURAL}{either}") for begins, name in STRONG]
    whole = [(name, rf"(?<![\w-]){re.escape(name)}(?![\w-])") for name in names]
    found += [(begins, f"(?i:{name}){either}") for begins, name in whole]
    either = f"(?:{BETWEEN}{NO_NUMBER}{ANY_VALUE}|{XML}|{forms.PAIR}|{forms.VALIDATED})"
    found += [(begins, f"(?i:{name}){either}") for begins, name in RULES]
    either = f"(?:{BETWEEN}{LINE_VALUE}|{XML})"
    found += [(begins, f"(?i:{name}){either}") for begins, name in LINES]
    array = rf"[sS]{BETWEEN}\[(?P<long_arrays>{ARRAY})"
    weak, spelled = (
        rf"(?:{BETWEEN}{value}|{LONG_XML}|{array})" for value in (LONG_VALUE, LONG_CODE)
    )
    begins_word = rf"(?:{forms.WORD_BEGINS}|(?<=_)|(?<=[a-z])(?=[A-Z]))"
    found += [(name, f"{begins_word}(?i:{name}){weak}") for name in WEAK if name not in SPELLED]
    return found + [(name, f"{begins_word}(?i:{name}){spelled}") for name in SPELLED]


# What must follow a beginning before a secret can, in lower case: most of them are words as well.
_AFTER_NAME = (
    rb"s?+(?:(?>(?:\\{0,3}+[\"'`])?(?:\[?\]|(?:%5b)?%5d)?)(?>\s{0,64})"
    rb"(?:[:=]|%(?:25){0,3}3[ad]|\\{1,3}u003[ad])"
    rb"|[\x00\x12\xa4-\xbf\xd9]|\\{0,3}+[\"']\s{0,4}+[\],]"
)
_AFTER_TAG = rb"|(?:\s[^<>]{0,128}+)?>"
_AFTER_USER = rb"\s{0,3}+[\"']?+[^\s:\"']{1,64}+:"
_AFTER_ATTRIBUTE = rb"\\{0,3}+[\"'][\w.:-]{1,64}+\\{0,3}+[\"']"
_AFTERS = {
    b"bearer": rb"(?:[ +]|%20)",
    b"name": forms.AFTER_NAMED_MEMBER,
    b"path": forms.AFTER_NAMED_MEMBER,
    b"name: ": rb"[ \t]{0,3}+[\"']?[\w-]{1,64}+[\"']?[ \t]{0,4}+\r?\n[ \t]{1,32}+value:",
    b"-u ": _AFTER_USER,
    b"--user ": _AFTER_USER,
    b"--": rb"\w[\w-]{1,48}+ ",
    b"name=": _AFTER_ATTRIBUTE,
    b"key=": _AFTER_ATTRIBUTE,
    b"type=": _AFTER_ATTRIBUTE,
    b"login": rb"\s{1,4}+\S{1,64}+\s{1,4}+password",
    b"password ": rb"\s{0,3}+'",
    b"://": rb"(?:[^/\s:@\"'\\]{0,64}+:[^/\s:@\"'\\]{1,256}+(?:@|\Z)|[^/\s:@\"'\\]{16,256}+@)",
}


def likely(found: Sequence[Trigger], names: Sequence[str], *, has_tags: bool) -> re.Pattern[bytes]:
    """Return an expression that finds something in every text, in lower case, in which a trigger
    finds a secret. ``has_tags`` is whether elements can be in it: without at two thirds of the
    cost."""
    afters = _afters(names, _AFTER_TAG if has_tags else b"")
    return re.compile(_any_of({begins: afters.get(begins, b"") for begins, *_ in found}))


def _afters(names: Sequence[str], in_tags: bytes) -> dict[bytes, bytes]:
    """Return what must follow each beginning of which more is known.

    ``in_tags`` is what may follow it in a text that has tags.
    """
    rests: dict[bytes, list[bytes]] = {}
    for begins, name in (*STRONG, *LINES, *RULES, *((name, name) for name in (*WEAK, *names))):
        rest = name[len(begins) :] if name.startswith(begins) else ""
        rests.setdefault(begins.lower().encode("latin-1", "replace"), []).append(rest.encode())
    return _AFTERS | {
        begins: b"(?:" + b"|".join(dict.fromkeys(found)) + b")" + _AFTER_NAME + in_tags + b")"
        for begins, found in rests.items()
    }


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
