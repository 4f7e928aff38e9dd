"""Which parts of a head's lines are secret: of start lines, and of field lines by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parsers.expressions import every
from parsers.records import RequestRecord, ResponseRecord

from .fields import found_in, secret_spans
from .names import SECRET_NAME
from .patterns import Patterns, Span
from .plain import is_plain_name
from .rules import Rules
from .secrets import Policy, find
from .shapes import hook_hosts

# field-line = field-name ":" OWS field-value OWS, and obs-fold (RFC 9112 sections 5 and 5.2).
FIELD_LINE = re.compile(
    r"^([^\r\n:]{1,256}):[ \t]*([^\r\n]*+" + every(r"(?:\r?\n[ \t]|\r(?!\n))[^\r\n]*+") + ")",
    re.MULTILINE,
)
AUTHORITY_LOGIN = re.compile(r"\A[^/@:]*:?([^/@]+)@")
"""What the target of CONNECT must not have (RFC 9112 section 3.2.3), and may all the same."""
LINE_REST = re.compile(r"[^\r\n]*")
RANDOM = re.compile(r"(?=[^\s\d]{0,64}\d)[\w.~+/=-]{12,}", re.ASCII)
"""What may be the value of a field whose name is lost."""
CHUNK_SIZE = re.compile(r"([0-9A-Fa-f]{1,8})\r\n")
BEFORE_HOLE = re.compile(
    r"([A-Za-z][\w.-]{1,63}+)(?:\\{0,7}[\"'\]]|%22|%5D)?[ ]{0,4}(?:[:=]|%3[AaDd])?[ ]{0,4}\Z",
    re.ASCII,
)
"""A word before a hole that is as long as a sign, and what of one may be left."""
BEHIND_HOLE = re.compile(r"[ :=\\\"']{0,6}([^\s\"'\\&,;<>(){}\[\]]{4,}+)(.?)", re.DOTALL)
LONGEST_SIGN = 8
"""Bytes of a hole that may be nothing but a sign, with quotes and spaces."""
LINE_TEXT = re.compile(r"[^\r\n \t][^\r\n]*")
"""What a line of a field's value says: without its white space it would not go on with the one
before."""


def field_line_spans(text: str, policy: Policy | Rules) -> Iterator[Span]:
    """Yield which parts of a text that holds field lines are secret, without their line ends."""
    for match in FIELD_LINE.finditer(text):
        base = match.start(2)
        for start, end in secret_spans(match[1], match[2].rstrip(" \t"), policy):
            for line in LINE_TEXT.finditer(text, base + start, base + end):
                yield line.span()


def rest_of_line(cut: str, text: str, policy: Policy | Rules) -> list[Span]:
    """Return what is secret of a field line that a hole cuts, in the text from the hole on.

    It is all of the line if its name is lost or that of a secret; else what may be one, for the
    hole may hold another name.
    """
    end = LINE_REST.match(text).end()  # type: ignore[union-attr]  # it may be empty
    if ":" not in cut:
        return [] if not end or _is_chunk(text) else [(0, end)]
    name, _, value = cut.partition(":")
    if secret_spans(name, value + text[:end], policy):
        return [(0, end)]
    return [match.span() for match in RANDOM.finditer(text, 0, end)]


def _is_chunk(text: str) -> bool:
    """Return whether a chunk begins, as long as its line says: then its head is lost."""
    line = CHUNK_SIZE.match(text)
    if line is None:
        return False
    end = line.end() + int(line[1], 16)
    return end >= len(text) or text.startswith("\r\n", end)


def behind_hole(before: str, behind: str, size: int) -> Span | None:
    """Return where in what follows a hole a value is, if all that it took may be the sign between
    that and the name of a secret."""
    word = BEFORE_HOLE.search(before[-96:])
    value = BEHIND_HOLE.match(behind)
    if size > LONGEST_SIGN or word is None or value is None:
        return None
    name = word[1].lower()
    if SECRET_NAME.fullmatch(name) is None or is_plain_name(name, value[1]):
        return None
    is_value = value[2] in ("", '"', "'", "&", "\\") or RANDOM.match(value[1])
    return value.span(1) if is_value else None


def host_of(record: RequestRecord | ResponseRecord) -> str:
    """Return where a request goes, by its fields."""
    names = ("host", ":authority")
    return next((value for name, value in record.headers if name.lower() in names), "")


def hook_spans(target: str, host: str, patterns: Patterns) -> list[Span]:
    """Return what of a target is secret at its host: the path of a webhook lets in who knows it."""
    if not target.startswith("/"):
        return []
    host = host.strip().lower().partition(":")[0]
    if not host.endswith(hook_hosts()):
        return []
    size = len(host)
    return [(max(a - size, 0), b - size) for a, b in find(host + target, patterns) if b > size]


def start_line_spans(
    line: str, record: RequestRecord | ResponseRecord, patterns: Patterns
) -> list[Span]:
    """Return the secrets of a target or a reason, as they stand in the start line."""
    is_request = isinstance(record, RequestRecord)
    first = line.find(" ") + 1
    if not is_request:  # status-line = HTTP-version SP status-code SP [ reason-phrase ]
        first = line.find(" ", first) + 1
    last = line.rfind(" ") if is_request else len(line.rstrip("\r\n"))
    if last < first:  # the line is cut in the target
        last = len(line)
    target = line[first:last]
    spans = [*found_in(target, patterns), *hook_spans(target, host_of(record), patterns)]
    if isinstance(record, RequestRecord) and record.method == "CONNECT":
        spans += [login.span(1) for login in AUTHORITY_LOGIN.finditer(target)]
    return [(first + start, first + end) for start, end in spans]
