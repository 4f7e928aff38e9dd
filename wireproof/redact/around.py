"""Values that are none by what stands around them: a directory in a variable of a shell, what a
store calls a secret, what a terminal shows below a question, a description below a function's line,
a member or an argument of code that is called as its name is, a column that a key is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .blocks import STATEMENT

DIRECTORY = re.compile(
    r"(?:/(?:home|users|root|usr|var|srv|opt|tmp|app|apps|workspaces?|work|data|mnt|etc|builds?|code"
    r"|src|projects?|repo|private|github|runner)(?:/[\w.@+~-]*)*|[A-Z]:[\\/].*)",
    re.IGNORECASE,
)
"""Where one is, which shells have in a variable that is called as passwords are."""
RETURN_TYPE = re.compile(r"\)[ ]?->[ ]?[\w.\[]{0,48}\Z")
"""How a function's line ends before its type, behind which is its description."""
ON_NEXT_LINE = re.compile(r"[:=][ \t]*\r?\n\s*\Z")
PROMPT = re.compile(
    r"[a-z][\w.-]{0,31}@[\w.-]{1,64}:[~/][\w./~-]{0,64}[$#%]|[$#%>]{1,3}|[A-Za-z]{2,12}>"
)
"""What a shell says before a command."""
DRIVE = re.compile(r"[A-Z]:\\{1,4}[A-Z][a-z]")
RANDOM_LINE = re.compile(r"(?=[^\d]{0,64}\d)(?=[^A-Za-z]{0,64}[A-Za-z]).{8,}")
SECRET_OPTION = re.compile(r"-{0,2}(?:[a-z]+-)?secret(?:-(?:id|name))?")
SECRET_OF_STORE = re.compile(r"(?:[a-z]{1,16}[-_/.]){1,6}[a-z]{1,16}-?v?\d{0,2}|arn:\S{8,}")
"""What a store of secrets calls one: ``--secret-id prod/db2``."""
OF_SECRET = re.compile(r"pass|secret|token|key|cred")
KEY_OF_DATABASE = re.compile(r"(?:primary|foreign|unique|composite)[ ]\Z", re.IGNORECASE)
COLUMN = re.compile(r"[A-Za-z_]\w{0,48}(?:\.[A-Za-z_]\w{0,48}){1,2}[.,;)]?", re.ASCII)
"""Which column, of which table: ``Primary key -> users.id2``."""
HASHED = re.compile(
    r"(?:sha-?\d{1,3}|md5|argon2\w{0,2}|pbkdf2|[bs]crypt)-(?:hash(?:e[sd])?|digests?)",
    re.IGNORECASE,
)
"""What is in a column: ``Password -> SHA256-hash``."""
COLLATION = re.compile(r"(?:utf|ucs|latin|cp)\d{1,4}(?:mb\d)?(?:_[a-z\d]{1,12}){0,3}_(?:ci|cs|bin)")
"""How a column of text is sorted, which a table says of one that is named after a secret."""
IN_CODE = re.compile(
    r"([A-Za-z_]\w{0,31})(?:(?:\.[A-Za-z_]\w{0,31}){1,4}[;)]{0,2}|[,)][^;]*)", re.ASCII
)
"""A member of a variable (``token -> token.text1``), or one that is passed on as an argument."""
REFERENCE = re.compile(r"!(?:Ref|GetAtt|ImportValue)[ ]{1,4}[\"']?\Z")
"""How CloudFormation refers to what has a name."""
REFERRED = re.compile(r"[A-Za-z][\w.:-]{0,96}", re.ASCII)


class Value(NamedTuple):
    """What stands after a name."""

    text: str
    """In which it stands."""
    start: int
    end: int
    name: str
    """All of it, in lower case."""
    begins: int
    """Where in the text that is, or a part of it."""


def is_plain_around(value: Value, said: str) -> bool:
    """Return whether a value is none by what stands around it."""
    text, _, _, _, begins = value
    if RETURN_TYPE.search(text, max(begins - 64, 0), begins) is not None:
        return True
    if HASHED.fullmatch(said) or COLLATION.fullmatch(said) or _is_of_code(value, said):
        return True
    return _is_of_command(value, said) or _is_in_dialogue(value, said)


def _is_of_code(value: Value, said: str) -> bool:
    """Return whether a value is a member of what is called as it is, or such an argument, a column
    that a key is, or refers to what has a value."""
    text, start, _, name, begins = value
    itself = IN_CODE.fullmatch(said)
    if itself is not None and itself[1].lower() == name:
        return said[len(name)] == "." or text[start - 1 : start] == "="
    if KEY_OF_DATABASE.search(text, max(begins - 10, 0), begins) and COLUMN.fullmatch(said):
        return True
    is_reference = REFERENCE.search(text, max(start - 20, 0), start) is not None
    return is_reference and REFERRED.fullmatch(said) is not None


def _is_of_command(value: Value, said: str) -> bool:
    """Return whether a value is a directory, or what a store calls a secret."""
    text, _, _, name, begins = value
    if name.endswith("pwd"):  # of a shell
        return DIRECTORY.fullmatch(said) is not None
    is_option = name.startswith("--") or text[max(begins - 2, 0) : begins] == "--"
    if not is_option or SECRET_OPTION.fullmatch(name) is None:
        return False
    is_id = name.endswith(("-id", "-name"))
    is_name = SECRET_OF_STORE.fullmatch(said) is not None
    return is_name and (is_id or OF_SECRET.search(said) is not None)


def _is_in_dialogue(value: Value, said: str) -> bool:
    """Return whether a value is what a terminal shows in the line below a question for one, or the
    block of a statement."""
    text, start, end, _, begins = value
    if DRIVE.match(text, start):
        return True
    if ON_NEXT_LINE.search(text, max(start - 24, 0), start) is None:
        return False
    if STATEMENT.search(text, max(begins - 128, 0), begins) is not None:
        return True
    line = text[start : end + 2].rstrip(" ")
    if PROMPT.match(text, start) is not None:
        return True
    has_more = line[len(said) :][:1] in (" ", ":") and line[len(said) :].strip() != ""
    return (
        has_more and (said[:1].isupper() or line.endswith("(")) and not RANDOM_LINE.fullmatch(said)
    )
