"""Values that are given beside their names: to a function, after an option, in a pair.

Strategy: the value may be as short as any and look like a word, so what stands before the name must
tell that one is given: a function that sets or adds, ``--`` before a name in a list, or the brace
of a tuple. In a pair that nothing tells, a value has a digit among its letters.
"""

from __future__ import annotations

import re

from .around import SECRET_OF_STORE
from .names import SECRET_NAME, WORD_BEGINS
from .plain import WORD, is_placeholder, is_plain_name
from .sentences import is_sentence

_BEGINS = r"\(\s{0,16}+(?:[brufL@$]{1,2})?\\{0,7}[\"'`][\w.:/# -]{0,48}\Z"
"""How the arguments begin of which the first one is the name, up to where that is known."""
CALLEE = re.compile(
    rf"(?:{WORD_BEGINS}(?:define|set|put|add|append|fill|type|header|param|insert|setenv|putenv)"
    r"|(?<![A-Z])(?:Set|Add|Put|Append|Header|Param)"
    r"|(?:[sS]et|[pP]ut|[aA]dd|query|with)_?"
    r"(?i:_?(?:request|default|query|form|url|path|template|system|env|data|post)){0,2}"
    r"(?i:_?(?:item|property|prop|env|header|param(?:eter)?|string|str|extra|var(?:iable)?|option"
    r"|config|value|setting|secret|credential|cookie|part|data|field_?value|key_?value)))" + _BEGINS
)
"""A function that takes a name and a value."""
SETTER = re.compile(r"(?:[sS]et|[wW]ith|\buse)_?(?:[A-Za-z]{1,24}_?)?\Z")
"""How the name of a function begins whose rest names what it sets."""
TYPED = re.compile(r"\)\.[a-zA-Z_]{3,10}\([ ]?\\{0,7}[\"'`]|,[ ]with:[ ]")
"""What stands between the field of a form and what is typed into it."""
METHOD = re.compile(r"(?:\.|->|::)\Z")
OPTION = re.compile(r"[\[,]\s{0,16}+\\{0,7}[\"'`]--?[\w-]{0,48}\Z")
"""An option in a list of arguments."""
PAIR = re.compile(r"[\[({]\s{0,16}+(?:[bru]{1,2})?\\{0,7}[\"'`][\w.:-]{0,48}\Z")
TUPLE = re.compile(r"\{\s{0,4}+:?[\w-]{0,48}\Z")
"""That of Erlang and Elixir, whose first element is an atom."""
SETS = re.compile(
    r"(?:\b|(?<=\\[nrt]))(?:sets?|setting|change[ds]?|changing|reset|update[ds]?|rotated?)"
    r"(?:[ ][\w'.@-]{1,20}){0,5}[ ](?:\\{0,3}[\"'`$])?[A-Z\d_]{0,32}\Z",
    re.IGNORECASE,
)
"""How a sentence begins that says what a secret is set to."""
TELLS = re.compile(
    r"(?:(?:\b|(?<=\\[nrt]))(?:with|using|use|enter|and|type|via|by|has|have|got)"
    r"(?:[ ](?:the|my|your|our|this|its|his|her|an?))?(?:[ ][a-z-]{1,16})?[ ]"
    r"|(?:\b|(?<=\\[nrt]))(?:temporary|initial|default|one-time|root|admin)[ ]"
    r"|(?<![\w-])--?[a-z-]{0,32}|[ (][/(]?[ ]?(?<=[/(] )|\bkv put [\w./-]{0,64})\Z",
    re.IGNORECASE,
)
"""How a sentence or a command begins that gives a secret right behind its name."""
SETTING_NAME = re.compile(r"(?:re)?(?:set|change)-[a-z-]*")
"""How the name of a command begins that sets one: ``set-initial-password``."""
SPOKEN = re.compile(r"api|access|secret|private")
"""The first one of a name's two words."""
EXACT = re.compile(
    r".*(?:passw(?:or)?d|pass(?:phrase|code)|secret(?:[-_]?(?:access[-_]?)?key)?|[-_a-z]token"
    r"|(?:api|access|private|auth|signing|encryption|master|account|subscription)[-_]?key"
    r"|(?<![a-z])pass|(?<![a-z])pwd)s?"
)
"""Names that say of themselves that their values are secret, and nothing more."""
MIXED = re.compile(r"(?=[^\d]{0,64}\d)(?=[^A-Za-z]{0,64}[A-Za-z])[^\s\"'`\\(){}\[\],;<>]{6,}")
"""What has a digit among its letters."""
TECHNICAL = re.compile(
    r"(?:[a-z]{1,12}[-_./]){0,3}(?:base\d\d(?:url)?|sha-?\d{1,3}|md5|utf-?\d{1,2}|oauth\d?|http[s/]?\d(?:\.\d)?"
    r"|[rhep]s\d{3}|ed25519|x25519|curve25519|aes-?\d{3}(?:[-_]\w{2,4})?|rsa-?\d{0,4}|argon2\w{0,2}"
    r"|pbkdf2\w{0,16}|x509|p-?\d{3}|v\d{1,2}(?:(?:alpha|beta)\d)?|[a-z]{2,16}[-_.]?\d{1,2}"
    r"|\d{1,6}[a-z]{1,12}|i18n|l10n|str\d|varchar\d+)(?:[-_./][a-z]{1,12}){0,3}",
    re.IGNORECASE,
)
"""Algorithms, versions and names that end in a number."""


def is_given(match: re.Match[str], name: str, name_here: str) -> bool:
    """Return whether the value in a match is given to its name, in lower case, of which
    ``name_here`` stands in the match."""
    value = match["given"]
    is_cut = match.end() == len(match.string)
    if _says_nothing(name, value):
        return False
    before = match.string[max(match.start() - 96, 0) : match.start()]
    after = match.string[match.start() + len(name_here) : match.end()][:1]
    is_mixed = MIXED.fullmatch(value) is not None and TECHNICAL.fullmatch(value) is None
    is_any = EXACT.fullmatch(name) is not None
    if TYPED.search(match[0]) is not None:
        return is_any or is_mixed
    if after == "(":
        if SETTER.search(before) is not None:
            return is_any or is_mixed
        is_called = METHOD.search(before) is not None or before.endswith("= ")
        return is_called and is_any and is_mixed
    if after == ",":
        return TUPLE.search(before) is not None and (is_any or is_mixed)
    if CALLEE.search(before) is not None:
        return is_any or is_mixed
    if OPTION.search(before) is not None and not value.startswith("-"):
        return not _is_in_call(before) and (is_any or is_mixed)
    return (
        not is_cut and is_any and is_mixed and PAIR.search(before) is not None and _is_last(match)
    )


def is_told(before: str, name: str, value: str) -> bool:
    """Return whether what stands before a name, in lower case, tells that its value follows it."""
    if EXACT.fullmatch(name) is None and SPOKEN.fullmatch(name) is None:
        return False
    if name.endswith("secret") and SECRET_OF_STORE.fullmatch(value):
        return False
    return SETTING_NAME.match(name) is not None or TELLS.search(before) is not None


def _says_nothing(name: str, value: str) -> bool:
    """Return whether a value stands in the place of one, or is a word about it or another name."""
    return (
        is_plain_name(name, value)
        or is_placeholder(value)
        or WORD.fullmatch(value) is not None
        or SECRET_NAME.fullmatch(value) is not None
        or is_sentence(value, name)
    )


def _is_in_call(before: str) -> bool:
    """Return whether a name stands among the arguments of a function, and not in a list."""
    return before.rfind("(") > before.rfind("[")


def _is_last(match: re.Match[str]) -> bool:
    """Return whether a bracket ends what the value is in, or may."""
    rest = match.string[match.end() : match.end() + 26].lstrip("\\\"'`> \r\n\t")
    return rest[:1] in ("", ")", "]", "}")
