"""Which parts of a head's lines are secret: of start lines, and of field lines by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parsers.expressions import every
from parsers.records import RequestRecord, ResponseRecord

from .encoded_text import find_encoded
from .fields import secret_spans
from .patterns import Patterns, Span
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
LINE_TEXT = re.compile(r"[^\r\n]+")


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
        return [(0, end)]
    name, _, value = cut.partition(":")
    if secret_spans(name, value + text[:end], policy):
        return [(0, end)]
    return [match.span() for match in RANDOM.finditer(text, 0, end)]


def hook_spans(
    target: str, record: RequestRecord | ResponseRecord, patterns: Patterns
) -> list[Span]:
    """Return what of a target is secret at its host: the path of a webhook lets in who knows it."""
    if not target.startswith("/"):
        return []
    names = ("host", ":authority")
    host = next((value for name, value in record.headers if name.lower() in names), "")
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
    target = line[first:last]
    spans = find_encoded(target, patterns) + hook_spans(target, record, patterns)
    if isinstance(record, RequestRecord) and record.method == "CONNECT":
        spans += [login.span(1) for login in AUTHORITY_LOGIN.finditer(target)]
    return [(first + start, first + end) for start, end in spans]
