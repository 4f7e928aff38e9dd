"""Forms in which a secret stands apart from its name, or has none.

Expressions are as those of :mod:`.names`: each accepts the end of what has come in place of what is
missing, and takes linear time. ``names`` are those of a user.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parsers.expressions import every

from .names import BARE, LONG, WEAK, known

# Where a key may begin: not inside a word, but after an escape of JSON (\n, \u000a) or of a URL.
WORD_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"

# RFC 7468 section 2, RFC 9580 section 6.2; in JSON line ends are escapes.
PEM = r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----([^-]*+)"
# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
BEARER = r"(?i:bearer)(?:[ +]|%20)([\w.~+/=-]{8,}+|[\w.~+/=-]++\Z)"
# RFC 3986 section 3.2.1: userinfo, of which the password is the secret, or a token all of it.
# A password may go on in the next piece; a port's number may too, and is none.
USERINFO = (
    r"://(?:[^/\s:@\"'\\]{0,64}+:(?!\d{0,5}\Z)([^/\s:@\"'\\]{1,256}+)(?:@|\Z)"
    r"|([^/\s:@\"'\\]{16,256}+)@)"
)
USERINFO_ENCODED = r"(?i:%3a%2f%2f)[^%\s\"'\\]{0,64}+%3[Aa]((?:[^%\s\"'&\\]|%(?!40)){1,256})%40"

# A user's name and password among the arguments of a command; two numbers are a user and a group.
USER_ARGUMENT = r"(?<![\w-])--?u(?:ser)?\s{1,4}+[\"']?+[^\s:\"']{1,64}+:(?!\d++\b)([^\s\"'\\]++)"
# .netrc: "machine a login b password c", in lines or not.
NETRC = r"(?i:login)\s{1,4}+\S{1,64}+\s{1,4}+(?i:password)\s{1,4}+(\S++)"
SQL = r"(?i:password|identified[ ]by)\s{1,4}+'([^'\\\s]++)"
"""ALTER USER anna PASSWORD '...', and IDENTIFIED BY."""

# The name of a member in what is no text, and its value: of MessagePack (its strings of 4 to 255
# bytes), BSON (5 to 255), and a map of Protocol Buffers (up to 127).
IN_BINARY = r"(?:[\xa4-\xbf]|\xd9[\x04-\xff]|\x12[\x04-\x7f]|\x00[\x05-\xff]\x00{3})([!-~]++)"

PAIR = (
    r"\\{0,3}+[\"']\s{0,4}+,\s{0,32}+\\{0,3}+[\"']"
    rf"((?=[^\s\"'\\]{{0,64}}\d){BARE}{{12,}}+|{BARE}++\Z)"
)
"""A name and a value one after the other, as in ``set("X-Api-Key", "...")``; lists of names, which
have no digits, are none."""

# RFC 7578 section 4.2: each part names its form field; its value ends with the next delimiter.
_NAME_OF_FIELD = r"(?>(?i:form-data);[^\r\n]{0,128}?[; \t](?i:name)\*?=)"
_HEADER_ENDS = r"[^\r\n]{0,256}+\r?\n(?>(?:[^\r\n]{1,256}+\r?\n){0,8})\r?\n"
_FIELD_VALUE = every(r"[^\r\n]++|\r?+\n(?!--)|\r(?!\n)")
OPENINGS = {
    "form": "form-data; name=secret-\n\n",
    "long_form": "form-data; name=token\n\n",
    "member": '"name":"secret-","value":"',
    "long_member": '"name":"token","value":"',
    "validated": 'secret-"],"msg":"","input":"',
}
"""What a value that goes on is remembered as, whatever stood before it."""


def form_field(names: Sequence[str]) -> str:
    """Return the expression of a form field with a secret, from ``form-data;`` on."""
    weak = "|".join(WEAK)
    return (
        rf"{_NAME_OF_FIELD}(?:"
        rf"(?>\"?[^\"\r\n;]{{0,32}}?(?i:{known(names)})){_HEADER_ENDS}(?P<form>{_FIELD_VALUE})"
        rf"|\"?(?i:{weak})\"?(?=[\r\n; \t]){_HEADER_ENDS}(?P<long_form>{LONG}))"
    )


_QUOTE = r"\\{0,3}+\""
_STRING_BEGINS = rf"\s{{0,32}}+{_QUOTE}"
_VALIDATED = (
    r"\\{0,3}+[\"']\s{0,4}+\]\s{0,4}+,\s{0,32}+\\{0,3}+\"msg\\{0,3}+\"\s{0,4}+:\s{0,4}+"
    r"\\{0,3}+\"[^\"\\]{0,256}+\\{0,3}+\"\s{0,4}+,\s{0,32}+\\{0,3}+\"input\\{0,3}+\"\s{0,4}+:"
)
VALIDATED = rf"{_VALIDATED}\s{{0,4}}+{_QUOTE}(?P<validated>[^\"\\\x00-\x1f]++)"
"""What FastAPI and Pydantic answer to a value that is not valid: ``{"loc": ["body", "password"],
"msg": "String should have at least 12 characters", "input": "..."}``."""
# Other members, as a cookie's path, or what a variable is for.
_MEMBERS = (
    rf"(?>(?:{_STRING_BEGINS}(?!(?i:value)\\)(?!(?i:value)\")\w{{1,24}}+{_QUOTE}\s{{0,4}}+:\s{{0,4}}+"
    rf"(?:{_QUOTE}[^\"\\]{{0,128}}+{_QUOTE}|[\w.-]{{1,24}}+)\s{{0,4}}+,){{0,6}})"
)
MEMBER = re.compile(r"(?:name|key|path)\\*\"\s*:\s*\\*\"([\w/.-]*)", re.ASCII | re.IGNORECASE)
"""How a member begins that says what the next one is, and what it says."""


def named_member(names: Sequence[str]) -> str:
    """Return the expression of a member that gives a value to the name that stands before it:
    ``{"name": "x-api-key", "value": "..."}``, as HAR, lists of variables, attributes of traces and
    JSON Patch have it."""
    colon = rf"{_QUOTE}\s{{0,4}}+:"
    name = rf"(?<=\")(?i:name|key|path){colon}{_STRING_BEGINS}"
    known_name, weak = rf"[\w/.-]{{0,48}}?(?i:{known(names)})", "|".join(WEAK)
    value = rf"{_QUOTE}\s{{0,4}}+,{_MEMBERS}{_STRING_BEGINS}(?i:value){colon}"
    typed = rf"(?:\s{{0,4}}+\{{{_STRING_BEGINS}\w{{0,16}}+{colon})?"
    secret = rf"{known_name}{value}{typed}{_STRING_BEGINS}(?P<member>[^\"\\\x00-\x1f]++)"
    return rf"{name}(?:{secret}|(?i:{weak}){value}{typed}{_STRING_BEGINS}(?P<long_member>{LONG}))"


AFTER_NAMED_MEMBER = (
    rb"\\{0,3}+\"\s{0,4}+:\s{0,32}+\\{0,3}+\"[\w/.-]{1,96}+\\{0,3}+\"\s{0,4}+,"
    + _MEMBERS.encode()
    + rb"\s{0,32}+\\{0,3}+\"value\\{0,3}+\""
)


def named_line(names: Sequence[str]) -> str:
    """Return the expression of the same in YAML."""
    name = rf"(?<![\w-])name:[ \t]{{1,4}}+[\"']?[\w-]{{0,32}}?(?i:{known(names)})[\"']?"
    value = r"[ \t]{0,4}+\r?\n[ \t]{1,32}+value:[ \t]{1,4}+[\"']?"
    return rf"{name}{value}([^\s\"']++)"


def named_element(names: Sequence[str]) -> str:
    """Return the expression of an element of XML that gives a value to the name in the one before:
    ``<key>password</key><string>...``, as property lists and XML-RPC have it."""
    name = rf"<(?i:key|name)>[^<>]{{0,32}}?(?i:{known(names)})[^<>]{{0,32}}+</(?i:key|name)>"
    return rf"{name}\s{{0,16}}+(?:<[\w:]{{1,16}}+>\s{{0,16}}+){{1,2}}([^<\s][^<]*+)"


ATTRIBUTE_TEXT = re.compile(
    r"<(?:property|string|entry|item|param|parameter|setting|field|data|key|value)\s[^<>]{0,64}\Z",
    re.IGNORECASE,
)
"""Tags whose text is the value of what they name."""


def named_in_tag(names: Sequence[str]) -> str:
    """Return the expression of an attribute that names what another one, or the text, gives:
    ``<input name="csrf_token" value="...">``, ``<property name="db.password">...``."""
    weak = "|".join(WEAK)
    quote = r"\\{0,3}+[\"']"
    value = rf"[^<>]{{0,128}}?(?i:value|content)={quote}"
    return (
        rf"(?<![\w-])(?i:name|key|type)={quote}(?:"
        rf"[\w.:-]{{0,32}}?(?i:{known(names)})[\w.:-]{{0,32}}+{quote}"
        rf"(?:{value}([^\"'<>\\]++)|[^<>]{{0,128}}+>(?P<text>(?=\s*+[^<\s])[^<]++))"
        rf"|(?i:{weak}){quote}{value}({LONG}))"
    )


def argument(names: Sequence[str]) -> str:
    """Return the expression of an option of a command that is followed by a secret."""
    weak = "|".join(WEAK)
    option = rf"(?<![\w-])--[\w-]{{0,32}}?(?i:{known(names)}|{weak})"
    return rf"{option}[ ]{{1,4}}+[\"']?(?![\s-])([^\s\"'\\]++)"
