"""The secrets that were masked, and whether any of them still stands somewhere, in what form.

Strategy: each secret has forms (raw, base64 in its three phases, percent, hex, UTF-16), and each
form a window at every alignment. A text is read as numbers of one window each, which costs a few
nanoseconds a number: one of them is met wherever the form stands, and then the form itself is
compared. If all forms are long, every third window of the text is enough for that. The time is that
of the text, however many secrets there are.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from sys import byteorder
from typing import Literal, NamedTuple

LEAST = 10
"""Bytes of a secret that is looked for again: a shorter one stands anywhere by chance."""
MOST = 64
"""Bytes of it that are looked for: whoever has these has it."""
MAX_VALUES = 2_048
"""Secrets that are looked for again: the first ones."""
LEAST_KINDS = 6
"""Different bytes in one: fewer tell nothing."""
MAX_STEP = 3
"""Windows of a text of which one is read, at most: a form is kept at so many more places, and of
texts the half of a nanosecond a byte is no longer gained."""
LONG = 23
"""Bytes of a form of which one of two windows of eight bytes is whole, wherever it stands."""
SYNTAX = re.compile(
    rb"HTTP/\d(?:\.\d)?(?: \d{1,3}.*)?|(?:text|application|multipart)/[\w.+-]{1,64}"
    rb"|(?:transfer|content|accept|user|sec|cache|keep|set|www|proxy)(?:-[a-z]{2,16}){1,3}",
    re.IGNORECASE | re.DOTALL,
)
"""What messages are made of (RFC 9110): a value that is the same says nothing elsewhere."""
FROM_URL = bytes.maketrans(b"+/", b"-_")
QUOTED = 4
"""Characters of base64 that are shared with what stands before or after, at most."""


class Left(NamedTuple):
    """A secret that still stands somewhere."""

    start: int
    end: int
    form: str


class _Form(NamedTuple):
    """How a secret may be written."""

    data: bytes
    name: str

    def window(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at : at + size], byteorder)

    def places(self, window: bytes, begins: int) -> Iterator[int]:
        """Yield where a window stands among the first ``begins`` of the form."""
        end = begins + len(window) - 1
        at = self.data.find(window, 0, end)
        while at >= 0:
            yield at
            at = self.data.find(window, at + 1, end)


class _Windows:
    """Forms by windows of as many bytes as ``code``, a format of ``struct``, has."""

    def __init__(self, code: Literal["Q", "I"], size: int) -> None:
        self._code = code
        self._size = size
        self._step = MAX_STEP
        """Of so many windows of a text one is read: of the shortest form one always is."""
        self._forms: dict[int, _Form] = {}
        """A form that has a window: where, is looked up when it is met, which is seldom."""
        self._others: dict[int, list[_Form]] = {}
        """Forms that share a window with one of those."""

    def add(self, form: _Form) -> None:
        self._step = min(self._step, (len(form.data) + 1) // self._size - 1)
        for window in {form.window(at, self._size) for at in range(self._begins)}:
            if self._forms.setdefault(window, form) is not form:
                self._others.setdefault(window, []).append(form)

    def left_in(self, data: bytes) -> Iterator[Left]:
        """Yield where a form stands in ``data``."""
        forms, size = self._forms, self._size
        if not forms:
            return
        whole = len(data) // size * size
        windows = memoryview(data)[:whole].cast(self._code)[:: self._step]
        if forms.keys().isdisjoint(windows):
            return
        for index in [index for index, window in enumerate(windows) if window in forms]:
            window, place = windows[index], index * self._step * size
            for form in (forms[window], *self._others.get(window, ())):
                for before in form.places(data[place : place + size], self._begins):
                    start = place - before
                    if start >= 0 and data.startswith(form.data, start):
                        yield Left(start, start + len(form.data), form.name)

    @property
    def _begins(self) -> int:
        """At how many places of a form a window begins, one of which is met wherever it stands."""
        return self._size * self._step


class FoundSecrets:
    """The values of secrets, to be looked for elsewhere; none that is the syntax of messages."""

    def __init__(self) -> None:
        self.values: set[bytes] = set()
        self.is_full = False
        """Whether there were more than are looked for."""
        self._windows = _Windows("Q", 8), _Windows("I", 4)

    def add(self, value: bytes) -> None:
        """Take note of a secret, as it stood on the wire or was decoded."""
        value = value[:MOST]
        if len(value) < LEAST or len(set(value)) < LEAST_KINDS or value in self.values:
            return
        if SYNTAX.fullmatch(value) is not None:
            return
        if len(self.values) >= MAX_VALUES:
            self.is_full = True
            return
        self.values.add(value)
        long, short = self._windows
        for form in _forms(value):
            (long if len(form.data) >= LONG else short).add(form)

    def left_in(self, data: bytes) -> Iterator[Left]:
        """Yield where one of them stands in ``data``."""
        for windows in self._windows:
            yield from windows.left_in(data)


def _forms(value: bytes) -> Iterator[_Form]:
    """Yield how a secret may be written; each form once."""
    seen: set[bytes] = set()
    for form, data in (
        ("as it is", value),
        *(("in base64", data) for data in _base64(value)),
        ("in percent encoding", b"".join(b"%%%02X" % byte for byte in value)),
        ("in hexadecimal", value.hex().encode()),
        ("in hexadecimal", value.hex().upper().encode()),
        ("in UTF-16", value.decode("latin-1").encode("utf-16-le")),
        ("in UTF-16", value.decode("latin-1").encode("utf-16-be")),
    ):
        if len(data) >= LEAST and data not in seen:
            seen.add(data)
            yield _Form(data, form)


def _base64(value: bytes) -> Iterator[bytes]:
    """Yield what is the same of a value in base64, wherever in a text it stands."""
    for phase in range(3):
        coded = b64encode(bytes(phase) + value + bytes(2))
        whole = (phase + len(value)) // 3 * 4
        data = coded[(0, 2, 3)[phase] : whole]
        yield data
        yield data.translate(FROM_URL)
