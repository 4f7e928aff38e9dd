"""Values that are none by what stands around them: a directory in a variable of a shell, what a
store calls a secret, what a terminal shows below a question, a description below a function's line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

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
    return _is_of_command(value, said) or _is_in_dialogue(value, said)


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
    """Return whether a value is what a terminal shows in the line below a question for one."""
    text, start, end, _, _ = value
    if DRIVE.match(text, start):
        return True
    if ON_NEXT_LINE.search(text, max(start - 24, 0), start) is None:
        return False
    line = text[start : end + 2].rstrip(" ")
    if PROMPT.match(text, start) is not None:
        return True
    has_more = line[len(said) :][:1] in (" ", ":") and line[len(said) :].strip() != ""
    return (
        has_more and (said[:1].isupper() or line.endswith("(")) and not RANDOM_LINE.fullmatch(said)
    )
