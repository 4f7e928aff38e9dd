"""The secrets that were masked, and whether any of them still stands somewhere, in what form.

Strategy: each secret has forms (raw, base64 in its three phases, percent, hex, UTF-16), and each
form a few windows of WINDOW bytes at its beginning. Of a text every STEP-th window is looked up, so
one of them is met wherever the form stands; then the form itself is compared. The time is that of
the text, however many secrets there are.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

LEAST = 10
"""Bytes of a secret that is looked for again: a shorter one stands anywhere by chance."""
MOST = 64
"""Bytes of it that are looked for: whoever has these has it."""
MAX_VALUES = 2_048
"""Secrets that are looked for again: the first ones."""
WINDOW = 6
STEP = LEAST - WINDOW + 1
FROM_URL = bytes.maketrans(b"+/", b"-_")
QUOTED = 4
"""Characters of base64 that are shared with what stands before or after, at most."""


class Left(NamedTuple):
    """A secret that still stands somewhere."""

    start: int
    end: int
    form: str


class FoundSecrets:
    """The values of secrets, to be looked for elsewhere."""

    def __init__(self) -> None:
        self.values: set[bytes] = set()
        self.is_full = False
        """Whether there were more than are looked for."""
        self._forms: dict[bytes, list[tuple[int, bytes, str]]] = {}

    def add(self, value: bytes) -> None:
        """Take note of a secret, as it stood on the wire or was decoded."""
        value = value[:MOST]
        if len(value) < LEAST or len(set(value)) < WINDOW or value in self.values:
            return
        if len(self.values) >= MAX_VALUES:
            self.is_full = True
            return
        self.values.add(value)
        for form, data in _forms(value):
            for at in range(STEP):
                window = data[at : at + WINDOW]
                self._forms.setdefault(window, []).append((at, data, form))

    def left_in(self, data: bytes) -> Iterator[Left]:
        """Yield where one of them stands in ``data``."""
        if not self._forms:
            return
        windows = {data[at : at + WINDOW] for at in range(0, len(data), STEP)}
        if windows.isdisjoint(self._forms):
            return
        for at in range(0, len(data), STEP):
            for before, form, name in self._forms.get(data[at : at + WINDOW], ()):
                start = at - before
                if start >= 0 and data.startswith(form, start):
                    yield Left(start, start + len(form), name)


def _forms(value: bytes) -> Iterator[tuple[str, bytes]]:
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
            yield form, data


def _base64(value: bytes) -> Iterator[bytes]:
    """Yield what is the same of a value in base64, wherever in a text it stands."""
    for phase in range(3):
        coded = b64encode(bytes(phase) + value + bytes(2))
        whole = (phase + len(value)) // 3 * 4
        data = coded[(0, 2, 3)[phase] : whole]
        yield data
        yield data.translate(FROM_URL)
