"""Start lines and header sections of HTTP/1.1 messages (RFC 9112 sections 2 to 5).

Strategy: :mod:`.collectors` finds where a line and a field section end; plain functions here read
the whole line or section. A well-formed field line is one match of one regular expression; only a
line that is not goes through :class:`FieldSection`'s second look, which says what is wrong with it
and keeps what is certain. Trailer sections are read by the same class, with every fault an error:
RFC 9112 section 2.2 lets a recipient take a bare LF for the end of a line in a head, not in a
chunked body.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from ..diagnostics import FAULTS, Diagnostic, diagnose, excerpt
from ..expressions import when_used
from ..limits import (
    MAX_FIELDS,
    MAX_KNOWN_LINE,
    MAX_KNOWN_LINES,
    MAX_KNOWN_SECTION,
    MAX_LINE,
)
from .field_lines import KNOWN_LINES, KNOWN_SECTIONS, FieldLines, know_line, know_section

Fields = list[tuple[bytes, bytes]]
Fault = tuple[str, str]
"""A diagnostic's code and its detail; the place is the caller's."""

# --- Start lines ---

# RFC 9110 section 5.6.2: token = 1*tchar
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
IS_TOKEN = when_used(TOKEN)

# RFC 9112 section 3:  request-line = method SP request-target SP HTTP-version
# RFC 9112 section 2.3: HTTP-version = HTTP-name "/" DIGIT "." DIGIT; HTTP-name is case-sensitive.
# RTSP (RFC 7826) and Icecast have lines like HTTP's: these are read too, and flagged.
# The target is what holds no white space and no control character; TARGET judges its form.
VERSION = rb"(?:HTTP|RTSP|ICE)/[0-9]\.[0-9]"
REQUEST_LINE = when_used(
    rb"(" + TOKEN + rb") ([\x21-\x7e\x80-\xff]++) (" + VERSION + rb")(?:\r\n|\n)"
)

# RFC 9112 section 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]
# reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ); status-code = 3DIGIT
STATUS_LINE = when_used(rb"(" + VERSION + rb") ([0-9]{3}) ([\t\x20-\x7e\x80-\xff]*+)(?:\r\n|\n)")
CUT_STATUS_LINE = when_used(rb"HTTP/1\.[01] [1-5][0-9]{2}(?= |\r|\Z)")
IS_VERSION = when_used(VERSION)
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
"""Those whose grammar this is."""
VERSION_IN_CUT_LINE = rb"(?:\A|[ \t])(HTTP/[0-9]\.[0-9])(?:[ \t\r]|\Z)"
STATUS_CODE = when_used(rb"[0-9]{3}")

# Where decoding may go on after bytes that it could not read: stricter than the grammar, for it is
# looked for in arbitrary bytes. It is a line; or, after content that did not end with its line,
# the rest of one, and then a field line follows it. Together they are shorter than 16 KiB.
_REST_OF_TARGET = rb"(?:/|\*|https?://)[\x21-\x7e]{0,8000}+ HTTP/1\.[01]\r\n"
_FIELD_FOLLOWS = rb"(?=[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}+:[^\n]{0,7000}+\n)"
CERTAIN_REQUEST = (
    rb"(?<=\n)(?:[A-Z]{3,20} " + _REST_OF_TARGET + rb"|CONNECT [\x21-\x7e]{1,8000}+ "
    rb"HTTP/1\.[01]\r\n)|(?<![A-Z])(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) "
    + _REST_OF_TARGET
    + _FIELD_FOLLOWS
)
_CERTAIN_STATUS = rb"HTTP/1\.[01] [1-5][0-9]{2} "
# A reason phrase may hold what looks like another status line: where every byte may begin one, a
# long phrase would be read once for each of them.
CERTAIN_RESPONSE = (
    rb"(?<=\n)" + _CERTAIN_STATUS + rb"[\t\x20-\x7e\x80-\xff]{0,8000}+\r\n|"
    + _CERTAIN_STATUS + rb"[\t\x20-\x7e\x80-\xff]{0,200}+\r\n" + _FIELD_FOLLOWS
)  # fmt: skip

# The beginnings of start lines, for one that is cut off: white space is judged with the line.
REQUEST_LINE_BEGINS = when_used(rb"(?:" + TOKEN + rb"(?:[ \t][^\x00-\x08\x0a-\x1f\x7f]*)?)?\r?")
STATUS_LINE_BEGINS = when_used(
    rb"(?:H|HT|HTT|HTTP|HTTP/|HTTP/[0-9]|HTTP/[0-9]\.|"
    rb"HTTP/[0-9]\.[0-9](?:[ \t][^\x00-\x08\x0a-\x1f\x7f]*)?)?\r?"
)

# RFC 3986 section 3.3: pchar = unreserved / pct-encoded / sub-delims / ":" / "@"
_PCHAR = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
# RFC 3986 section 3.2.2: host = IP-literal / IPv4address / reg-name
_HOST = (
    rb"(?:\[[0-9A-Fa-fVv:.\-_~!$&'()*+,;=%]++\]"
    rb"|(?>(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*))"
)
# RFC 9112 section 3.2: request-target = origin-form / absolute-form / authority-form /
# asterisk-form. origin-form = 1*( "/" segment ) [ "?" query ]; absolute-form is a URI without
# fragment; authority-form = uri-host ":" port, with CONNECT only; asterisk-form = "*", with
# OPTIONS only (PRI * belongs to HTTP/2).
ORIGIN_OR_ABSOLUTE_FORM = when_used(
    rb"(?:/(?>(?:" + _PCHAR + rb"|/)*)|[A-Za-z][A-Za-z0-9+.\-]*+:(?>(?:" + _PCHAR + rb"|[/\[\]])*))"
    rb"(?:\?(?>(?:" + _PCHAR + rb"|[/?])*))?"
)
AUTHORITY_FORM = _HOST + rb":[0-9]++"
# RFC 9110 section 7.2: Host = uri-host [ ":" port ]; port = *DIGIT
HOST = when_used(_HOST + rb"(?::[0-9]*+)?")


class RequestLine(Struct, frozen=True, gc=False):
    """A request line's elements, and what is wrong with it."""

    method: bytes
    target: bytes
    version: bytes
    faults: list[Fault]


class StatusLine(Struct, frozen=True, gc=False):
    """A status line's elements, and what is wrong with it."""

    version: bytes
    status: int
    reason: bytes
    faults: list[Fault]


def parse_request_line(line: bytes) -> RequestLine | None:
    """Return what a line with its LF says, or None if it is no request line; it may be known."""
    if len(line) <= MAX_KNOWN_LINE:
        return _known_request_line(line)
    return read_request_line(line)


def parse_status_line(line: bytes) -> StatusLine | None:
    """Return what a line with its LF says, or None if it is no status line; it may be known."""
    if len(line) <= MAX_KNOWN_LINE:
        return _known_status_line(line)
    return read_status_line(line)


def read_request_line(line: bytes) -> RequestLine | None:
    """Return what a line with its LF says, or None if it is no request line.

    White space that is not one SP is a fault, and read over as RFC 9112 section 3 allows: "on
    whitespace-delimited word boundaries"; a target that holds white space is kept as it is.
    """
    faults = _line_faults(line)
    match = REQUEST_LINE.fullmatch(line)
    if match is not None:
        method, target, version = match.groups()
    else:
        words = line.split(None, 1)
        words = words[:1] + words[1].rsplit(None, 1) if len(words) == 2 else []
        if len(words) != 3 or not IS_TOKEN.fullmatch(words[0]):
            return None
        method, target, version = words
        if not IS_VERSION.fullmatch(version):
            return None
        faults.append(("http-start-line-invalid", excerpt(line)))
    if not _is_target(method, target):
        faults.append(("http-target-invalid", excerpt(target)))
    return RequestLine(method, target, version, faults + _version_faults(version))


def read_status_line(line: bytes) -> StatusLine | None:
    """Return what a line with its LF says, or None if it is no status line.

    White space that is not one SP, and no SP after the status code, are faults, read over as
    RFC 9112 section 4 allows.
    """
    faults = _line_faults(line)
    match = STATUS_LINE.fullmatch(line)
    if match is not None:
        version, status, reason = match.groups()
    else:
        words = line.rstrip(b"\r\n").split(None, 2)
        if len(words) < 2 or not IS_VERSION.fullmatch(words[0]):
            return None
        if not STATUS_CODE.fullmatch(words[1]):
            return None
        version, status = words[:2]
        reason = words[2] if len(words) == 3 else b""
        faults.append(("http-start-line-invalid", excerpt(line)))
    if not 100 <= int(status) < 600:
        faults.append(("http-status-invalid", status.decode("ascii")))
    return StatusLine(version, int(status), reason, faults + _version_faults(version))


_known_request_line = lru_cache(MAX_KNOWN_LINES)(read_request_line)
_known_status_line = lru_cache(MAX_KNOWN_LINES)(read_status_line)


def _line_faults(line: bytes) -> list[Fault]:
    """Return what is wrong with how a start line ends."""
    faults = []
    if not line.endswith(b"\r\n"):
        faults.append(("http-bare-lf", excerpt(line)))
    if b"\r" in line.rstrip(b"\n").removesuffix(b"\r"):
        faults.append(("http-bare-cr", excerpt(line)))
    return faults


def cut_line_faults(line: bytes) -> list[Fault]:
    """Return what is wrong with the beginning of a start line, whatever its end may have been."""
    version = re.search(VERSION_IN_CUT_LINE, line)
    return [] if version is None else _version_faults(version[1])


def _version_faults(version: bytes) -> list[Fault]:
    """RFC 9112 section 2.3: this grammar is that of major version 1, minor versions 0 and 1."""
    if version in VERSIONS:
        return []
    return [("http-version-unsupported", version.decode("ascii"))]


def _is_target(method: bytes, target: bytes) -> bool:
    if method == b"CONNECT":
        return re.fullmatch(AUTHORITY_FORM, target) is not None
    if target == b"*":
        return method in (b"OPTIONS", b"PRI")
    return ORIGIN_OR_ABSOLUTE_FORM.fullmatch(target) is not None


# --- Field sections ---

# RFC 9112 section 5:  field-line = field-name ":" OWS field-value OWS
# RFC 9110 section 5.5: field-value = *( VCHAR / obs-text, SP and HTAB between )
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*+([\t\x20-\x7e\x80-\xff]*+)\r\n")
FIELD_VALUE = when_used(rb"[\t\x20-\x7e\x80-\xff]*+")
# Of a section that is cut: few are, so ``re`` compiles these when one is.
FIELD_LINE_BEGINS = rb"(?:" + TOKEN + rb"(?::[\t\x20-\x7e\x80-\xff]*+)?)?\r?"
FOLD_BEGINS = rb"[ \t][\t\x20-\x7e\x80-\xff]*+\r?"

FRAMING_FIELDS = {
    b"content-length": "http-content-length-invalid",
    b"transfer-encoding": "http-transfer-encoding-invalid",
}


def read_section(section: bytes, offset: int) -> tuple[Fields, list[Diagnostic]]:
    """Read a whole field section that begins at ``offset``: its lines, and what is wrong with it.

    Most have come before. One of which all lines are as they should be is known again.
    """
    known = KNOWN_SECTIONS.get(section)
    if known is not None:
        return known, []
    lines = _usual_lines(section)
    if lines is not None:
        return know_section(section, lines), []
    read = FieldSection(section, offset)
    return read.fields, read.faults


def _usual_lines(section: bytes) -> Fields | None:
    """Return the field lines of a section in which nothing is wrong; None of any other."""
    texts = section.split(b"\r\n")
    if texts[-2:] != [b"", b""]:
        return None
    lines: Fields = []
    find = KNOWN_LINES.get
    for text in texts[:-2]:
        line = find(text)
        if line is None:
            match = FIELD_LINE.fullmatch(text + b"\r\n")
            if match is None:
                return None
            line = match[1], match[2].rstrip(b" \t")
            know_line(text, line)
        lines.append(line)
    return lines


class WholeHead(Struct, frozen=True, gc=False):
    """A head that lies whole in a piece, and in whose fields nothing is wrong."""

    end: int
    """Where in the piece it ends."""
    line: bytes
    """The start line, with its end; it may be anything."""
    fields: FieldLines


def whole_head(data: bytes, pos: int) -> WholeHead | None:
    """Return the head at ``pos`` of a piece; None if it is not whole, is long, or has a fault."""
    end = data.find(b"\r\n\r\n", pos, pos + MAX_KNOWN_LINE + MAX_KNOWN_SECTION) + 4
    if end < 4:
        return None
    start = data.find(b"\n", pos, end) + 1
    section = data[start:end]
    fields = KNOWN_SECTIONS.get(section)
    if fields is None:
        if (lines := _usual_lines(section)) is None:
            return None
        fields = know_section(section, lines)
    return WholeHead(end, data[pos:start], fields)


class FieldSection:
    """Reads a whole field section: ``fields`` as on the wire, and ``faults`` with their places.

    Kept is every field line that has a name and a colon, OWS around its value left out. An
    obs-fold becomes one SP (RFC 9112 section 5.2). ``trailers`` makes every fault an error.
    """

    def __init__(self, section: bytes, offset: int, *, trailers: bool = False) -> None:
        self.fields: Fields = []
        self.faults: list[Diagnostic] = []
        self._trailers = trailers
        self._bare_lf = False
        self._foldable = False  # whether the line before can be gone on with
        self._folds: list[bytes] = []  # the last field's value in parts, while it is folded
        self._left_out = 0
        self._read(section, offset)
        self._end_fold()
        if self._left_out:
            self.faults.append(
                diagnose(
                    "http-field-limit",
                    offset,
                    offset + len(section),
                    f"{self._left_out:,} faults more than the {MAX_FIELDS:,} that are shown",
                )
            )

    def _read(self, section: bytes, offset: int) -> None:
        match = FIELD_LINE.match
        add = self.fields.append
        pos = 0
        while pos < len(section):
            line = match(section, pos)
            if line is not None:
                if self._folds:
                    self._end_fold()
                add((line[1], line[2].rstrip(b" \t")))
                self._foldable = True
                pos = line.end()
            else:
                end = section.find(b"\n", pos) + 1
                self._read_odd_line(section[pos:end], offset + pos)
                pos = end

    def _read_odd_line(self, line: bytes, start: int) -> None:
        """Read a line that is not ``field-line CRLF``: the empty line, or one with a fault."""
        if line == b"\r\n":
            return
        end = start + len(line)
        text = line.removesuffix(b"\n").removesuffix(b"\r")
        if not line.endswith(b"\r\n") and not self._bare_lf:
            self._bare_lf = True  # once for a section: they come in rows
            self._fault("http-bare-lf", start, end, excerpt(line))
        if b"\r" in text:
            self._fault("http-bare-cr", start, end, excerpt(line))
        if len(line) > MAX_LINE:
            self._fault("http-line-limit", start, end, f"{len(line):,} of {MAX_LINE:,} bytes")
            self._end_fold()
            self._foldable = False
        elif text[:1] in (b" ", b"\t"):
            self._read_fold(text, start, end)
        elif text:
            self._read_field(text, start, end)

    def _read_fold(self, text: bytes, start: int, end: int) -> None:
        # RFC 9112 section 5.2: obs-fold = OWS CRLF RWS, to be replaced by one or more SP.
        # Section 2.2: white space before the first field line makes that line invalid.
        if not self._foldable:
            self._fault("http-field-invalid", start, end, f"white space before {excerpt(text)}")
            return
        if not self._folds:
            name, value = self.fields[-1]
            self._folds.append(value)
            self._fault("http-obs-fold", start, end, excerpt(text))
            if (code := FRAMING_FIELDS.get(name.lower())) is not None:
                self._fault(code, start, end, "folded, which not every recipient reads")
        self._folds.append(text.strip(b" \t"))

    def _end_fold(self) -> None:
        """Put the parts of a folded value together, once: folds may come by the thousand."""
        if self._folds:
            self.fields[-1] = self.fields[-1][0], b" ".join(self._folds).strip(b" \t")
            self._folds.clear()

    def _read_field(self, text: bytes, start: int, end: int) -> None:
        self._end_fold()
        name, colon, value = text.partition(b":")
        bare_name = name.rstrip(b" \t")
        self._foldable = bool(colon and bare_name)
        if not self._foldable:
            reason = "no field name" if colon else "no colon"
            self._fault("http-field-invalid", start, end, f"{reason} in {excerpt(text)}")
            return
        if bare_name != name:
            self._fault("http-space-before-colon", start, end, excerpt(text))
        if not IS_TOKEN.fullmatch(bare_name):
            self._fault("http-field-invalid", start, end, f"the name is {excerpt(bare_name)}")
        if not FIELD_VALUE.fullmatch(value.replace(b"\r", b" ")):  # a bare CR has been named
            self._fault("http-field-invalid", start, end, f"the value is {excerpt(value)}")
        self.fields.append((bare_name, value.strip(b" \t")))

    def _fault(self, code: str, start: int, end: int, detail: str) -> None:
        if len(self.faults) == MAX_FIELDS:
            self._left_out += 1
            return
        if self._trailers:
            code, detail = "chunk-trailer-invalid", f"{FAULTS[code].summary}: {detail}"
        self.faults.append(diagnose(code, start, end, detail))


def cut_section(section: bytes, offset: int, *, trailers: bool = False) -> FieldSection:
    """Read the part of a field section that came before its stream ended."""
    cut = section.rfind(b"\n") + 1
    read = FieldSection(section[:cut], offset, trailers=trailers)
    may_be_fold = bool(read.fields) and not trailers
    if not re.fullmatch(FIELD_LINE_BEGINS, section[cut:]) and not (
        may_be_fold and re.fullmatch(FOLD_BEGINS, section[cut:])
    ):
        code = "chunk-trailer-invalid" if trailers else "http-field-invalid"
        detail = excerpt(section[cut:])
        read.faults.append(diagnose(code, offset + cut, offset + len(section), detail))
    return read
