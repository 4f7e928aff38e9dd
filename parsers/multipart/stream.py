"""Parts of a multipart body: ``multipart/x-mixed-replace``, ``multipart/mixed`` (RFC 2046 5.1).

Strategy: only an LF can begin what leads to a boundary, so one search finds the next one, however
large the part; between two pieces the decoder keeps the part's beginning (``MAX_KEPT_PART``) and
the few bytes that may begin a delimiter. A part is complete when the delimiter after it is; it
ends before that delimiter, so that its last packet is the one that carried its own last byte. A
boundary line is certain wherever it stands: there decoding goes on after missing bytes.

Lines that end with LF alone are read too: cameras send them, and browsers take them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..diagnostics import diagnose, excerpt
from ..http1.collectors import LineCollector, SectionCollector
from ..http1.head import Fields, FieldSection
from ..kept import KeptBytes
from ..limits import MAX_BOUNDARY, MAX_BOUNDARY_LINE, MAX_KEPT_PART, MAX_PART_HEAD
from ..provenance import Element, Ending, Event

# boundary := 0*69<bchars> bcharsnospace (section 5.1.1). Others are in use, and cause no harm as
# long as they can stand in a line.
_BOUNDARY = re.compile(rb"[^\r\n]{1,%d}" % MAX_BOUNDARY)
_OWN_TYPE = re.compile(rb"^content-type[ \t]*:[^\r\n]*\r?\n", re.IGNORECASE | re.MULTILINE)
# transport-padding := *LWSP-char (section 5.1.1), and the line's end
_PADDING = re.compile(rb"[ \t]*+\r?\n")


class Part(Element, frozen=True):
    """One part, from the ``--`` of the delimiter before it to the end of its content."""

    start: int
    end: int
    index: int
    """From 0 in its body."""
    headers: Fields
    size: int
    """Bytes of its content."""
    data: bytes
    """Its content; at most MAX_KEPT_PART bytes of it."""


class MultipartDecoder:
    """Decode the parts between the delimiters of ``boundary``, the media type's parameter.

    The current state is a bound method.
    """

    __slots__ = (
        "_receive", "_offset", "_rest", "_boundary", "_delimiter", "_start", "_first_line",
        "_section", "_fields", "_own_type", "_content", "_content_start", "_skip", "_count",
        "_noted",
    )  # fmt: skip

    def __init__(self, boundary: bytes, offset: int = 0) -> None:
        self._receive: Callable[[bytes, int, list[Event]], int] = self._read_first_line
        if _BOUNDARY.fullmatch(boundary) is None:
            self._receive = self._refuse
        self._offset = offset  # of the first byte of the piece at hand, or of the rest
        self._rest = b""  # what may be the beginning of a delimiter
        self._boundary = boundary
        self._delimiter = b"\n--" + boundary
        self._start: int | None = None  # of the open part; None before the first, and when lost
        self._first_line = LineCollector(MAX_BOUNDARY_LINE)
        self._section = SectionCollector(MAX_PART_HEAD)
        self._fields: Fields = []
        self._own_type = b""  # the line that names the open part's media type
        self._content = KeptBytes(MAX_KEPT_PART)
        self._content_start = offset  # or where the header, the preamble or what is lost begins
        self._skip = 0  # 1 while content begins with the LF before it, which may be a delimiter's
        self._count = 0
        self._noted: set[str] = set()  # what is wrong with headers, each once

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes of the body and return the parts that they completed."""
        events: list[Event] = []
        if self._rest:
            data = self._rest + data
            self._rest = b""
        pos = 0
        while pos < len(data):
            pos = self._receive(data, pos, events)
        self._offset += len(data) - len(self._rest)
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Give up the open part, and what follows up to the next delimiter."""
        self._offset += len(self._rest) + length
        self._rest = b""
        if not self._is_over:
            self._close_part()
            self._content_start = self._offset
            self._receive = self._read_lost
        return []

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Return the open part as far as it came, and say that the close delimiter is missing."""
        events: list[Event] = []
        rest = self._rest or (
            self._first_line.pending if self._receive == self._read_first_line else b""
        )
        end = self._offset + len(self._rest)
        if self._receive == self._read_content and self._start is not None:
            self._content.add(rest[self._skip :])
            self._end_part(end, events, is_cut=True)
        is_closed = self._is_over or rest.strip() == self._delimiter[1:] + b"--"
        if ending == "close" and not is_closed:
            events.append(self._missing(end))
        self._close_part()
        self._rest = b""
        self._receive = self._ignore
        return events

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open part and its content begin, its last byte, and what may be a delimiter."""
        if self._is_over:
            return ()
        start = () if self._start is None else (self._start,)
        return (*start, self._content_start, *self._rest_offsets)

    @property
    def _rest_offsets(self) -> tuple[int, ...]:
        """What a delimiter, if it is one, makes of the rest: where the part before it ends, and
        where the next one begins, with its hyphens."""
        if not self._rest:
            return ()
        before, hyphens = self._offset - 1, self._rest.find(b"-")
        return (max(before, self._content_start), self._offset + max(hyphens, 0))

    @property
    def _is_over(self) -> bool:
        return self._receive in (self._ignore, self._refuse)

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_first_line(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take the first line that is not empty: the first delimiter, or one of another boundary.

        Section 5.1.1: a preamble may come first.
        """
        pos, line = self._first_line.take(data, pos)
        if line is None:
            return pos
        end = self._offset + pos
        name = line.rstrip(b" \t\r\n")
        if name.startswith(self._delimiter[1:] + b"--"):
            self._receive = self._ignore
        elif name.startswith(b"--") and len(name) > 2:
            start = end - len(line)
            if name != self._delimiter[1:]:
                detail = f"{excerpt(name)}, the parameter is {excerpt(self._boundary)}"
                events.append(diagnose("multipart-boundary-other", start, end, detail))
                self._delimiter = b"\n" + name
            self._begin_part(start, end)
        elif name or not line:
            self._receive = self._read_content
            self._skip = 1 if line else 0
            return pos - self._skip
        else:
            self._content_start = end
        return pos

    def _read_content(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take content, or the preamble, up to the next delimiter."""
        found, line_end = self._find_delimiter(data, pos)
        self._take_content(data, pos, found)
        if line_end < 0:
            self._rest = data[found:]
            return len(data)
        if self._start is not None:
            self._end_part(self._offset + found, events)
        return self._after_delimiter(data, found, line_end)

    def _read_lost(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take what follows missing bytes, up to the next delimiter."""
        found, line_end = self._find_delimiter(data, pos)
        if line_end < 0:
            self._rest = data[found:]
            return len(data)
        place = self._content_start, self._offset + found
        events.append(diagnose("multipart-resynchronised", *place))
        return self._after_delimiter(data, found, line_end)

    def _read_head(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take a part's header section (section 5.1: it may be empty)."""
        pos, section = self._section.take(data, pos)
        if section is None:
            return pos
        end = self._offset + pos
        if section:
            self._take_head(section, end, events)
        else:
            detail = f"more than {MAX_PART_HEAD:,} bytes"
            events.append(diagnose("multipart-header-limit", self._content_start, end, detail))
        self._content_start = end
        self._receive = self._read_content
        self._skip = 1 if section else 0
        return pos - self._skip

    def _ignore(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Take the epilogue (section 5.1.1: to be ignored)."""
        return len(data)

    def _refuse(self, data: bytes, pos: int, events: list[Event]) -> int:
        """Say once that nothing can be found."""
        start = self._offset + pos
        detail = excerpt(self._boundary) if self._boundary else ""
        events.append(diagnose("multipart-boundary-invalid", start, start, detail))
        self._receive = self._ignore
        return len(data)

    # --- delimiters ---

    def _find_delimiter(self, data: bytes, pos: int) -> tuple[int, int]:
        """Return where the next delimiter begins, and where its line ends.

        The second is -1 if none has ended: then what the first says, and what follows, may be one.
        """
        delimiter = self._delimiter
        begin = pos
        while (found := data.find(delimiter, begin)) >= 0:
            after = found + len(delimiter)
            line_end = self._line_end(data, after)
            if line_end is not None:
                return self._before_line_end(data, pos, found), line_end
            begin = after
        found = data.rfind(b"\n", max(begin, len(data) - len(delimiter) + 1))
        if found >= 0 and delimiter.startswith(data[found:]):
            return self._before_line_end(data, pos, found), -1
        return len(data) - data.endswith(b"\r", pos + self._skip), -1

    def _line_end(self, data: bytes, after: int) -> int | None:
        """Return where the line ends that ``after`` follows the delimiter of.

        A close delimiter ends at its second hyphen. -1: it has not ended. None: it is no delimiter,
        for something else follows (section 5.1.1: it must not appear in a line's beginning).
        """
        if data.startswith(b"--", after):
            return after + 2
        padding = _PADDING.match(data, after, after + MAX_BOUNDARY_LINE)
        if padding is not None:
            return padding.end()
        rest = data[after : after + MAX_BOUNDARY_LINE]
        may_go_on = rest == b"-" or not rest.rstrip(b"\r").strip(b" \t")
        return -1 if may_go_on and len(rest) < MAX_BOUNDARY_LINE else None

    def _before_line_end(self, data: bytes, pos: int, found: int) -> int:
        """Return where the line end begins whose LF is at ``found``."""
        return found - (found > pos + self._skip and data[found - 1] == 0x0D)

    def _after_delimiter(self, data: bytes, found: int, line_end: int) -> int:
        if data[line_end - 1] != 0x0A:
            self._close_part()
            self._receive = self._ignore
            return len(data)
        dashes = data.index(b"-", found)
        self._begin_part(self._offset + dashes, self._offset + line_end)
        return line_end

    # --- parts ---

    def _begin_part(self, start: int, head_start: int) -> None:
        self._close_part()
        self._start = start
        self._content_start = head_start
        self._receive = self._read_head

    def _take_head(self, section: bytes, end: int, events: list[Event]) -> None:
        read = FieldSection(section, end - len(section))
        self._fields = read.fields
        own_type = _OWN_TYPE.search(section)
        self._own_type = own_type[0] if own_type is not None else b""
        for fault in read.faults:
            if fault.code in self._noted or fault.code == "http-obs-fold":
                continue  # MIME's header fields may be folded (RFC 5322 section 2.2.3)
            self._noted.add(fault.code)
            place = self._content_start, end
            events.append(diagnose("multipart-header-invalid", *place, fault.summary))

    def _take_content(self, data: bytes, pos: int, upto: int) -> None:
        if upto > pos:
            if self._start is not None:
                self._content.add(data[pos + self._skip : upto])
            self._skip = 0

    def _end_part(self, end: int, events: list[Event], is_cut: bool = False) -> None:
        """Add the open part, whose content ends at ``end``."""
        assert self._start is not None
        size, is_whole = self._content.size, self._content.is_whole
        data = self._content.take()
        end = max(end, self._content_start)
        events += self._faults(data, size, is_whole, end)
        if not is_cut and (fault := self._wrong_length(size, end)) is not None:
            events.append(fault)
        events.append(Part(self._start, end, self._count, self._fields, size, data))
        self._count += 1

    def _faults(self, data: bytes, size: int, is_whole: bool, end: int) -> list[Event]:
        """Return what is wrong with the open part's content."""
        start = self._content_start
        found: list[Event] = []
        if not is_whole:
            detail = f"{len(data):,} of {size:,} bytes"
            found.append(diagnose("multipart-part-limit", start, end, detail))
        if self._own_type and (place := data.find(self._own_type)) >= 0:
            detail = f"{excerpt(self._own_type)} in part {self._count:,}"
            detail += f", at byte {place:,} of its content"
            assert self._start is not None
            found.append(diagnose("multipart-boundary-missing", self._start, end, detail))
        return found

    def _wrong_length(self, size: int, end: int) -> Event | None:
        """Return what is wrong with a length that the header gives, as cameras do."""
        length = next(
            (value for name, value in self._fields if name.lower() == b"content-length"), b""
        )
        if not length.isdigit() or length.lstrip(b"0") == str(size).encode().lstrip(b"0"):
            return None
        detail = f"{excerpt(length)[1:-1]} for {size:,} bytes"
        return diagnose("multipart-length-wrong", self._content_start, end, detail)

    def _missing(self, end: int) -> Event:
        """Return what is missing at the end of the content."""
        if self._count or self._start is not None or self._receive == self._read_lost:
            return diagnose("multipart-close-missing", end, end)
        detail = f"--{excerpt(self._boundary)[1:-1]} is not in it"
        return diagnose("multipart-part-missing", self._content_start, end, detail)

    def _close_part(self) -> None:
        """Let go of the open part."""
        self._start = None
        self._content.take()
        self._fields = []
        self._own_type = b""
        self._skip = 0
        self._section = SectionCollector(MAX_PART_HEAD)
        self._first_line.clear()
