"""How secrets and their names begin, each with the expression of the rest.

Strategy: beginnings are looked for as they stand, in lower case, and only where one is found its
expression is tried. Beginnings and what must follow each tell first of most texts that they hold
none (:mod:`.beginnings`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from parsers.expressions import when_used

from . import blocks, forms, labels, plurals, statements
from .beginnings import Likely, any_of
from .languages import after_foreign, foreign_names
from .names import (
    ANY_MEMBER,
    ANY_VALUE,
    ARRAY,
    BETWEEN,
    IS_STRING,
    LINE_VALUE,
    LINES,
    LONG_CODE,
    LONG_OBJECT,
    LONG_VALUE,
    LONG_XML,
    NO_BORDER,
    NO_NUMBER,
    PLURAL,
    RULES,
    SHORT,
    SPELLED,
    STRONG,
    WEAK,
    WHOLE_BEGINS,
    WORD_BEGINS,
    WRAPPED,
    XML,
)
from .shapes import Shape, token_shapes

SETTINGS = {
    b"env ": b"",
    b"setx ": b"",
    b"set -": rb"\w{1,4} ",
    b"_header ": b"",
    b"-header ": b"",
    b"header set": b" ",
    b"header add": b" ",
    b"header always ": rb"\w{3} ",
    b"_param ": b"",
}
"""How a line begins that gives a name its value after a space, and what is before the name."""
POSSIBLE = re.compile(r"[-_.:=$%(~\"/AJK>\x00\x12\xa4-\xbf\xd9]")
"""Whatever is secret has one of these in it or before it, but for what follows such a word, or
begins with it:"""
USER_OPTIONS = ("-u", "-a ", "-user ", "-user=", "--auth ", "-creds ", "-creds=")
COMMANDS = (
    *("sshpass", "redis-cli", "mysql", "mariadb", "vault login", "authtoken ", "configure set"),
)
READERS = ("password-stdin", "with-token", "sudo -s", "chpasswd", "kinit ")
SPOKEN = (
    *("token", "session", "secret", "password", "api key", "access key"),
    *("service_role key", "license key"),
)
WORDS = (
    *(b"bearer", b"login", b"pass", b"secret", b"identified", b"dapi", b"1//0"),
    *(
        b"setx",
        b"setenv",
        b"token",
        b"session",
        b"key ",
        b"mysql",
        b"mariadb",
        b"<<<",
        b"vault",
    ),
    *(b"scw", b"exo", b"cio", b"oy2", b"cmvmd", b"gr1348941", b"dg9ro", b"cnv", b"igq", b"3mvg9"),
    *(
        b"nsec1",
        b"ncryptsec1",
        b"xprv",
        b"yprv",
        b"zprv",
        b"tprv",
        b"uprv",
        b"vprv",
        b"dose",
        b"doau",
    ),
    *(b"cflt", b"mdax", b"mday", b"mdaz", b"00"),
)


ICS_QUERIES = (".ics?", ".ical?", "ical.html?")
SHORT_PREFIX = 3
"""Characters of a token's prefix up to which words have it in them as well."""
WIDE_COLONS = (b"\xef\xbc\x9a", b"uff1a")
"""A colon between a name and its value that is told by itself, as few texts have it."""
MOST_ASKED = 32
"""Characters behind one that are looked at to tell whether there can be a token."""


AFTER_LENGTH = r"(?<=[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff][0-9A-Za-z])"
AFTER_COLOUR = r"(?<=\[\dm)|(?<=\[\d\dm)"


UNMISTAKABLE = re.compile(
    r"(?!(?:api|app|key|test|live|local|token|secret|public|dataset|console|mint|arc|tid|mob|link"
    r"|project|sandbox|pat|unkey|act|inc|sat|rnd|dev|prod)[-_])[a-z][\w-]{2,24}[-_]|A[KS]IA"
)
"""Prefixes that no word ends in: so they tell a token behind a letter too."""


class Trigger(NamedTuple):
    """How a secret or its name begins, in lower case, and what it must be from there."""

    begins: bytes
    pattern: re.Pattern[str]
    """Has one group that matches: the secret, or by its name an array of them."""
    is_name: bool
    is_prefix: bool = False
    """Whether it is one of hundreds that are looked for in one pass: the prefix of a vendor's
    tokens, or a name in another language."""


def triggers(names: Sequence[str]) -> list[Trigger]:
    """Return how secrets and their names begin; ``names`` are those of a user."""
    return [
        Trigger(
            begins.encode("latin-1", "replace").lower(), when_used(pattern, re.ASCII),
            is_name, is_prefix,
        )
        for is_name, is_prefix, group in (
            (False, True, _shapes()),
            (False, False, [*_without_name(), *statements.statements(names)]),
            (True, False, [*_apart(names), *_before_value(names)]),
            (True, True, foreign_names()),
        )
        for begins, pattern in group
    ]  # fmt: skip


def _shapes() -> list[tuple[str, str]]:
    return [
        (prefix, _token(shape, prefix)) for shape in token_shapes() for prefix in shape.prefixes
    ]


def _token(shape: Shape, prefix: str) -> str:
    """Return the expression of a vendor's tokens with this prefix.

    One may follow a character that is none of a word: how long it is, as Protocol Buffers and
    MessagePack have it, or the end of a terminal's colour.
    """
    begins = re.escape(prefix)
    after_tag = f"(?<=\\n[0-9A-Za-z])(?={begins}{shape.rest or '.'}{{0,64}}?\\d)"
    starts = f"(?:{WORD_BEGINS}|{AFTER_LENGTH}|{AFTER_COLOUR}|{after_tag}"
    rest = shape.rest or "."
    if UNMISTAKABLE.fullmatch(prefix):  # as long as tokens are, with a digit
        starts += f"|(?<=[A-Za-z0-9])(?={begins}(?:{rest}{{0,64}}?\\d|{rest}{{0,4}}\\Z))"
        starts += f"(?={begins}(?:{rest}{{16}}|{rest}{{0,15}}\\Z))"
    starts += ")"
    what = shape.shape or f"{shape.rest}{{{shape.least},}}+"
    if shape.before:
        return f"(?<={shape.before})(?P<joint>{begins}(?:{what}){shape.rest}*+)"
    has_digit = f"(?={shape.rest}{{0,64}}?\\d)" if shape.opens else ""
    cut = f"{starts}{begins}{has_digit}{shape.rest}{{{shape.opens},}}+\\Z"
    return f"({starts}{begins}(?:{what}){shape.rest}*+|{cut})"


def _without_name() -> list[tuple[str, str]]:
    hashes = ("$1$", "$2", "$5$", "$6$", "$7$", "$y$", "$apr1$", "$argon2", "$pbkdf2", "$scrypt$")
    return [
        *((begins, forms.CRYPT) for begins in hashes),
        ("private-lines:", forms.PUTTY),
        *((begins, forms.BASIC) for begins in ("basic ", "basic+", "basic%20")),
        *((begins, forms.LINK) for begins in forms.LINKS),
        ("wifi:", forms.WIFI),
        *((begins, forms.PIPED) for begins in ("echo ", "printf ")),
        *((begins, forms.HERE_STRING) for begins in READERS),
        ("response=", forms.DIGEST),
        (":5432:", forms.PGPASS),
        ("-----begin ", forms.PEM),
        ("bearer", forms.BEARER),
        *((begins, forms.USERINFO) for begins in ("://", ":\\")),
        ("%3a%2f%2f", forms.USERINFO_ENCODED),
        *((begins, forms.USER_ARGUMENT) for begins in USER_OPTIONS),
        *((begins, forms.COMMAND) for begins in COMMANDS),
        *((begins, labels.SPOKEN) for begins in SPOKEN),
        ("login", forms.NETRC),
        ("password ", forms.SQL),
        *((begins, forms.SQL) for begins in ("identified by", "identified with")),
        *((begins, forms.USER_CALL) for begins in ("auth", "login")),
        ("inline:", forms.SDES),
        *((begins, forms.JWK) for begins in _members("d", "dp", "dq", "p", "q", "qi", "k")),
        ("/bot", forms.BOT),
        *((begins, forms.ICS) for begins in forms.CALENDARS),
        *((begins, forms.ICS_QUERY) for begins in ICS_QUERIES),
        ("appid=", forms.APP_ID),
        (":aa", forms.BOT_TOKEN),
        *((begins, forms.REDIS_USER) for begins in ("setuser", "user ")),
        *((begins, blocks.CODED_ENTRIES) for begins in ("data:\n", "data:\r", "data:\\")),
        *((begins, blocks.CODED_OBJECT) for begins in _members("kind", "apiversion")),
    ]


def _members(*names: str) -> list[str]:
    """Return how members of these names begin, without the first quote."""
    return [name + quote for name in names for quote in ('"', "\\")]


def _apart(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return names that do not stand right before their values."""
    member, other = forms.named_member(names), forms.named_other(names)
    first, in_tag = forms.value_first(names), forms.named_in_tag(names)
    element, setting = forms.named_element(names), forms.setting(names)
    return [
        ("form-data;", forms.form_field(names)),
        ("form-data;", forms.file_of_field(names)),
        *((begins, forms.named_cell(names)) for begins in ("<td", "<th", "<dt")),
        *((begins, pattern) for begins in NAMING for pattern in (member, other)),
        *((begins, first) for begins in _members("value", "v")),
        *((begins, forms.named_line(names)) for begins in ("name: ", "key: ")),
        *((begins.decode(), setting) for begins in SETTINGS),
        *((begins, element) for begins in ("<key>", "<name>")),
        *((begins, in_tag) for begins in ("name=", "key=", "type=")),
        ("--", forms.argument(names)),
        *((begins, forms.value_in_tag(names)) for begins in ("value=", "content=")),
        ("variable ", forms.variable(names)),
    ]


def _before_value(names: Sequence[str]) -> list[tuple[str, str]]:
    lines = f"{plurals.LISTED}|{blocks.SEQUENCE}|{blocks.ENTRIES}"
    apart = f"{forms.PAIR}|{forms.VALIDATED}|{forms.SERIALIZED}"
    label = f"{labels.LABELS}|{labels.ROW}"
    below = f"{labels.FENCED}|{labels.INDENTED}|{labels.BELOW}"
    said = f"{labels.SAID}|{labels.CALLED}|{below}|{forms.GIVEN}|{label}"
    in_tag = f"{XML}|{forms.OWN_ATTRIBUTE}"
    either = f"(?:{lines}|{BETWEEN}{ANY_MEMBER}|{in_tag}|{forms.IN_BINARY}|{apart}|{said})"
    found = [(begins, f"(?i:{name}){PLURAL}{either}") for begins, name in STRONG]
    whole = [(name, rf"{WHOLE_BEGINS}{re.escape(name)}(?![\w-])") for name in names]
    found += [(begins, f"(?i:{name}){either}") for begins, name in whole]
    of_two = f"{labels.SAID}|{below}|{label}"
    found += [(name, f"{WORD_BEGINS}(?i:{name})s?(?:{of_two})") for name in forms.SPOKEN_NAMES]
    lines = f"[sS]{plurals.LISTED}|{blocks.SEQUENCE}"
    loose = (
        f"{lines}|{BETWEEN}{NO_NUMBER}{ANY_VALUE}|{in_tag}|{apart}|{labels.FENCED}|{forms.GIVEN}"
    )
    for begins, name in RULES:
        either = loose if begins in LOOSE_RULES else f"{loose}|{label}"
        found.append((begins, f"(?i:{name})(?:{either})"))
    in_object = rf"[sS]?+{BETWEEN}{LONG_OBJECT}"
    found += [(name, rf"(?i:{name}){in_object}") for name in ("token", "auth", "credential")]
    either = f"(?:{BETWEEN}{LINE_VALUE}|{XML})"
    found += [(begins, f"(?i:{name}){either}") for begins, name in LINES]
    array = rf"[sS]{BETWEEN}\[{NO_BORDER}(?P<long_arrays>{ARRAY})"

    def weak(name: str) -> str:
        value = LONG_CODE if name in SPELLED else LONG_VALUE
        binary = "" if name.encode() in ONLY_IN_TEXT else f"|{forms.LONG_IN_BINARY}"
        return (
            rf"(?i:{name})(?:[sS](?:{plurals.LISTED}|{blocks.LONG_SEQUENCE})|_{{0,2}}+(?:{BETWEEN}{WRAPPED}{value}|{LONG_XML}|{array}|{apart}{binary}"
            rf"|{labels.LONG_FENCED}|{forms.GIVEN}|{forms.LONG_OWN_ATTRIBUTE}|{label}))"
        )

    begins_word = rf"(?:{WORD_BEGINS}|(?<=_)|(?<=[a-z])(?=[A-Z]))"
    found += [(name, begins_word + weak(name)) for name in WEAK]
    short = f"{IS_STRING}{BETWEEN}{NO_NUMBER}{ANY_VALUE}"
    return found + [(name, f"{begins_word}(?i:{name}){short}") for name in SHORT]


LOOSE_RULES = ("session", "signature", "credential")
"""Names that are words of prose, which a dash or a tag follows as well."""
NAMING = (*forms.NAMING, *_members("id", "k"))
# What must follow a beginning before a secret can, in lower case: most of them are words as well.
_AFTER_NAME = (
    rb"s?+_{0,2}+(?:[\\\"'`*]{0,8}+(?:\[?\]|\[\w{1,16}+\]|%5\w{0,17}(?:%5d)?)?\s{0,64}+"
    rb"(?:[:=]|<-|%(?:25){0,3}3[ad]|u003[ad]"
    rb"|(?:\) ?)?(?:\|\||\?\?|\?:|!:|or )|(?<= )[^=\n]{2,24}=)"
    rb"|->|[\\\"']{1,8}+\s{0,4}+[\],;}]"
    rb"|[:*_ ]{0,6}(?:[ \t]{0,8}(?:\r?\n|\\{1,3}[nr]{1,2})){1,3}"
    rb"(?: {0,4}```|(?:[ \t]{0,12}|\\{1,3}t)[^\s\d\\]{0,64}\d)"
    rb"|(?:\t|\\{1,3}t){1,4}=?(?:\t|\\{1,3}t){0,4}[^\s\d\\]{0,64}\d"
    rb"|[\\\"'`*_]{0,6}(?: {1,8}(?:[-=]{1,2}>?|\xe2..|\\{1,3}u2...) |[ ]?\.{2,48}:? ) {0,3}"
    rb"[\\\"'`*_]{0,6}[^\s\d]{0,64}\d|[*_`]{0,3} {0,24}\| {0,8}[*_`]{0,3}[^\s|\d]{0,64}\d"
    rb"|[ :]{0,2}</| '\(|\s[^<>\n]{0,96}?(?:value|key|secret|password|text|data|val)=\\{0,7}[\"']"
)
_AFTER_GIVEN = (
    rb"(?:\( {0,2}|, ?(?:<<|with: )?|[\\\"'\]]{1,8}\)\.\w{3,10}\( ?)\\{0,7}+[\"'`][^\s\"'`\\]{3}"
)
_AFTER_SAID = (
    rb"s?+(?:[ ]{1,4}+(?:(?:\.[ ])?\(?\\{0,7}+[\"'`]"
    rb"|(?:is|was)\b:?[ ]{1,4}+(?:\\{0,7}+[\"'`]|[^\s\d]{0,64}\d))"
    rb"|(?:(?: [a-z][\w'.@-]{0,24}){0,7} (?:is|was|are|be|to|equals|now|currently|still|just)"
    rb"|(?: [a-z][\w'.@-]{0,24}){1,4}:|[.,;] (?:it|the new one|yours) (?:is|was|will be)(?: now)?"
    rb"|(?:'|\xe2\x80\x99|\\{1,3}u2019)s| [(\[][\w .'@/-]{1,32}[)\]]|\\{0,3}[\"'`] to|)"
    rb":? \\{0,7}[\"'`]?[^\s\d]{0,64}\d"
    rb"|(?: [a-z][\w'.@-]{0,24}){1,7}:?(?: {0,4}<\w[^<>]{0,72}>){1,3} ?[^\s\d]{0,64}\d"
    rb"|(?: [a-z][\w'.@-]{0,24}){1,7}:(?:[ \t]{0,8}(?:\r?\n|\\{1,3}[nr]{1,2})){1,3}"
    rb"(?: {0,4}```|(?:[ \t]{0,12}|\\{1,3}t)[^\s\d\\]{0,64}\d)"
    rb"|%b|[{] ?\\{0,7}[\"'`]\S{6})"
) % _AFTER_GIVEN
_BEFORE_BINARY = rb"|[\x00\x12\xa4-\xbf\xd9]"
ONLY_IN_TEXT = frozenset(name.encode() for name in (*WEAK, *SHORT) if len(name) < 4)
"""Names that are not looked for in what is no text: so short ones stand there by chance."""
_AFTER_TAG = rb"|(?:\s[^<>]{0,128}+)?>"
_AFTER_USER = rb"\s{0,3}+[\"']?+[^\s:\"']{1,64}+:"
_AFTER_SPOKEN = (
    rb"s?+\\{0,7}+[\"'`]?(?:(?:[ ][a-z=-]{1,8}){0,4}:?[ ]{1,4}\\{0,7}[\"'`(\[<]?"
    rb"|(?:\(|,[ ]?(?:<<)?)\\{0,7}[\"'])[\w~+=.-]{0,63}?\d"
)
_AFTER_ATTRIBUTE = rb"(?:\\{0,7}+[\"'])?[\w.:-]{1,64}+(?:\\{0,7}+[\"']|[\s>/])"
_AFTER_ATTRIBUTE_VALUE = (
    rb"(?:\\{0,7}+[\"'][^\"'<>\\]{1,256}+\\{0,7}+[\"']|[^\s\"'<>\\]{1,256}+)"
    rb"[^<>]{0,64}(?:name|key|type)="
)
_AFTER_QUOTE = rb"[\\\"]{0,8}+\s{0,4}+:\s{0,32}+\\{0,7}+\""
_AFTER_CALL = (
    rb"(?:_password)?\\{0,7}+[\"']?\s{0,4}+(?:[=:]\s{0,4}+)?(?:[(\[]|,)\s{0,32}+\\{0,7}+[\"']"
)
_PIPED = rb"[^\r\n|]{1,200}+\|[^\r\n|;]{0,160}(?:-stdin|with-token|sudo -s|chpasswd|phrase-fd)"
_PRIVATE = _AFTER_QUOTE + rb"(?:[\w-]{20}|[\w-]{0,19}+\Z)"


_IN_ADDRESS = rb"(?:[^/\s:@\"'\\]{0,64}+:[^/\s:@\"'\\]{1,256}+(?:@|\Z)|[^/\s:@\"'\\]{16,256}+@)"


def _after_prefixes() -> list[tuple[bytes, bytes]]:
    """Return what is behind the prefixes of tokens that are short, or that words begin with: as
    many characters as tokens have at least, or the end; of others nothing is asked. Before one
    that is in the middle of a token its beginning is."""
    found: list[tuple[bytes, bytes]] = []
    for shape in token_shapes():
        rest = shape.rest.replace("A-Z", "a-z").encode()
        run = b"(?:%b{%d}|%b*+\\Z)" % (rest, min(shape.least, MOST_ASKED), rest)
        for begins in (prefix.lower().encode() for prefix in shape.prefixes):
            after = run if shape.opens or len(begins) <= SHORT_PREFIX else b""
            if begins[:1].isdigit() and len(begins) < SHORT_PREFIX:  # as many numbers have inside
                after = b"(?<![0-9.]%b)" % re.escape(begins) + after
            if shape.before:
                before = shape.before.replace("A-Z", "a-z").lower().encode()
                after = b"(?<=%b%b)" % (before, re.escape(begins))
            found.append((begins, after))
    return found


def _in_path(begins: str) -> bytes:
    """Return what follows the beginning of a part of a path: its end, and a digit after that."""
    rest = b"" if begins.endswith("/") else rb"[\w-]{0,48}+[/?]"
    before = b"" if begins.startswith("/") else rb"(?<=[/_-]%b)" % begins.encode()
    return before + rest + rb"[^\s\"']{0,96}?\d"


_AFTERS = [
    (b"bearer", rb"(?:[ +]|%20)"),
    *((begins.encode(), rb"(?<=\"%b)" % re.escape(begins.encode()) + forms.AFTER_VALUE)
      for begins in _members("value", "v")),
    *((begins, rb"[ \t]{0,3}+[\"']?[\w./-]{1,64}+[\"']?[ \t]{0,8}+[\r\n\\]")
      for begins in (b"name: ", b"key: ")),
    *((begins.encode(), _AFTER_USER) for begins in USER_OPTIONS),
    *((begins.encode(), rb"[^\n|;&]{0,160}\S") for begins in COMMANDS),
    *((begins.encode(), _AFTER_SPOKEN) for begins in SPOKEN),
    (b"--", rb"\w[\w-]{1,48}+ "),
    *((begins, rb"[ >][^<>]{0,96}>?[^<>]{1,96}+</") for begins in (b"<td", b"<th", b"<dt")),
    *((begins, _AFTER_ATTRIBUTE) for begins in (b"name=", b"key=", b"type=")),
    (b"login", rb"(?:\s|\\{1,7}[nrt]){1,4}[^\s\\]{1,64}+(?:\s|\\{1,7}[nrt]){1,4}password"),
    *((begins, rb"(?:[a-z0-9+/]{12}|[a-z0-9+/]{4,11}+\Z)")
      for begins in (b"basic ", b"basic+", b"basic%20")),
    *((begins.encode(), _in_path(begins)) for begins in forms.LINKS),
    *((begins.encode(), rb"[^\s\"']{0,300}?\.ics") for begins in forms.CALENDARS),
    *((begins.encode(), rb"[^\s\"'<>]{0,160}?=[\w-]{6}") for begins in ICS_QUERIES),
    (b"appid=", rb"[\da-z]{20}"),
    (b"wifi:", rb"[a-z]{1,4}:"),
    *((begins, _PIPED) for begins in (b"echo ", b"printf ")),
    *((begins.encode(), rb"\S{0,64} {0,2}<<<") for begins in READERS),
    (b"$2", rb"[abxy]\$[\w./]"),
    (b"response=", rb"\\{0,7}\"\w"),
    *((begins, _AFTER_CALL) for begins in (b"auth", b"login")),
    (b"password ", rb"\s{0,3}+'"),
    (b"://", _IN_ADDRESS),
    (b":\\", rb"\\{0,14}/\\{1,15}/" + _IN_ADDRESS),
    *((begins.encode(), rb"(?<=\"%b)" % re.escape(begins.encode()) + _PRIVATE)
      for begins in _members("d", "dp", "dq", "p", "q", "qi", "k")),
    (b"/bot", rb"\d{5,12}(?::|%3a)"),
    (b"value=", _AFTER_ATTRIBUTE_VALUE),
    (b"content=", _AFTER_ATTRIBUTE_VALUE),
    (b"variable ", rb"\\{0,7}+\"[\w-]{1,96}+\\{0,7}+\" \{"),
    (b"user ", rb"\S{1,64}+\s{1,4}+o(?:n|ff)\b"),
    (b":aa", rb"(?<=\d:aa)"),
    *((begins, rb"(?:\n|[\\nr]{1,6}+)?[ \t]") for begins in (b"data:\n", b"data:\r", b"data:\\")),
    *((begins.encode(), _AFTER_QUOTE + b"secret") for begins in _members("kind")),
    *((begins.encode(), _AFTER_QUOTE + b"v1") for begins in _members("apiversion")),
    *statements.AFTER,
]  # fmt: skip


def likely(found: Sequence[Trigger], names: Sequence[str]) -> Likely:
    """Return what tells of a text, in lower case, whether a trigger finds a secret in it, as far as
    beginnings do. In texts that have tags there can be elements, which takes half as long again."""
    begins = dict.fromkeys((*(one.begins for one in found), *WIDE_COLONS))
    return Likely(begins, lambda has_tags: _afters(names, _AFTER_TAG if has_tags else b""))


def _afters(names: Sequence[str], in_tags: bytes) -> dict[bytes, bytes]:
    """Return what must follow each beginning of which more is known.

    ``in_tags`` is what may follow it in a text that has tags.
    """
    own = [(name, name) for name in names]
    others = ((name, name) for name in (*WEAK, *SHORT, *forms.SPOKEN_NAMES))
    rests = _rests([*STRONG, *LINES, *RULES, *others, *own])
    found: dict[bytes, list[bytes]] = {}
    for begins, rest in rests.items():
        in_binary = b"" if begins in ONLY_IN_TEXT else _BEFORE_BINARY
        found[begins] = [rest + _AFTER_NAME + in_tags + in_binary + b")"]
    of_two = [(name, name) for name in forms.SPOKEN_NAMES]
    for begins, rest in _rests([*STRONG, *own, *of_two]).items():
        found[begins].append(rest + _AFTER_SAID)
    for begins, rest in _rests(RULES).items():
        found[begins].append(rest + b"s?+" + _AFTER_GIVEN)
    for begins_with, after in (*_AFTERS, *_after_prefixes(), *after_foreign()):
        found.setdefault(begins_with, []).append(after)
    any_word = any_of(dict.fromkeys(rests, b""))
    for naming in NAMING:
        is_whole = b"" if naming in forms.NAMING else rb"(?<=\"%b)" % re.escape(naming.encode())
        found.setdefault(naming.encode(), []).append(is_whole + forms.after_naming(any_word))
    any_name = rb"[ \t]{0,7}+[\w-]{0,48}?(?:" + any_word + b")"
    found |= {begins: [before + any_name] for begins, before in SETTINGS.items()}
    return {begins: b"(?:" + b"|".join(after) + b")" for begins, after in found.items()}


def _rests(words: Sequence[tuple[str, str]]) -> dict[bytes, bytes]:
    """Return what follows the beginnings of names, in lower case, up to the names' ends."""
    found: dict[bytes, list[bytes]] = {}
    for begins, name in words:
        rest = name[len(begins) :] if name.startswith(begins) else ""
        found.setdefault(begins.lower().encode("latin-1", "replace"), []).append(rest.encode())
    return {
        begins: b"(?:" + b"|".join(dict.fromkeys(rest)) + b")" for begins, rest in found.items()
    }


def prefixes_in(found: Sequence[Trigger]) -> re.Pattern[bytes]:
    """Return an expression of all prefixes of tokens, in lower case, wherever they begin: a match
    is the first byte, and has one group that matches, the rest (:func:`prefix_at`). Of those that
    begin alike the shortest is found."""
    rests: dict[bytes, dict[bytes, bytes]] = {}
    for one in found:
        if one.is_prefix:
            rests.setdefault(one.begins[:1], {})[one.begins[1:]] = b""
    first = (re.escape(byte) + b"(?=(%s))" % any_of(rest) for byte, rest in sorted(rests.items()))
    return re.compile(b"|".join(first))


def prefix_at(match: re.Match[bytes]) -> bytes:
    """Return the prefix that was found."""
    assert match.lastindex is not None
    found: bytes = match[0] + match[match.lastindex]
    return found
