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
from .secrets import Policy

# field-line = field-name ":" OWS field-value OWS, and obs-fold (RFC 9112 sections 5 and 5.2).
FIELD_LINE = re.compile(
    r"^([^\r\n:]{1,256}):[ \t]*([^\r\n]*+" + every(r"(?:\r?\n[ \t]|\r(?!\n))[^\r\n]*+") + ")",
    re.MULTILINE,
)
AUTHORITY_LOGIN = re.compile(r"\A[^/@:]*:?([^/@]+)@")
"""What the target of CONNECT must not have (RFC 9112 section 3.2.3), and may all the same."""
LINE_TEXT = re.compile(r"[^\r\n]+")


def field_line_spans(text: str, policy: Policy | Rules) -> Iterator[Span]:
    """Yield which parts of a text that holds field lines are secret, without their line ends."""
    for match in FIELD_LINE.finditer(text):
        base = match.start(2)
        for start, end in secret_spans(match[1], match[2].rstrip(" \t"), policy):
            for line in LINE_TEXT.finditer(text, base + start, base + end):
                yield line.span()


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
    spans = find_encoded(target, patterns)
    if isinstance(record, RequestRecord) and record.method == "CONNECT":
        spans += [login.span(1) for login in AUTHORITY_LOGIN.finditer(target)]
    return [(first + start, first + end) for start, end in spans]
