"""Content that is coded though no coding says so, told by how it begins, or in base64 by its type.

Strategy: what the decoder takes for a sign in text is one here in content of any kind, and so is
the other way in which zlib begins, which may be text too: content that is taken for coded and is
not is masked whole, and that costs less than a secret.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import lru_cache

from parsers import CODING_MAGIC
from parsers.records import Fields

NOT_UNDONE = "not-undone"
"""The coding of content that nothing here can read: as one that is not known."""
_WIDE_TEXT = {
    mark + bracket.encode(coding): NOT_UNDONE
    for mark, coding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
    for bracket in "{[<"
}
"""A byte order mark, and how JSON or XML begins after it: nothing else here reads it."""
MAGIC = CODING_MAGIC | {b"\x78\xda": "deflate"} | _WIDE_TEXT
LONGEST = max(map(len, MAGIC))
AS_TEXT = {
    magic.decode(errors="replace"): coding
    for magic, coding in MAGIC.items()
    if magic not in _WIDE_TEXT
}
"""How the same begins that was read as UTF-8."""

BASE64_PIECE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
GRPC_TEXT = re.compile(r"\s*application/grpc-web-text\b", re.IGNORECASE)
OTHER_CHARSET = re.compile(
    r";\s*charset\s*=\s*[\"']?(?:utf-?(?:16|32|7)|ucs-?[24]|ebcdic|ibm-?\d|cp-?037)", re.IGNORECASE
)
"""Of text in which ASCII does not stand as it is."""


class Beginning:
    """Looks at the first bytes of one body's content."""

    __slots__ = ("coding", "is_over", "_head")

    def __init__(self) -> None:
        self.coding: str | None = None
        """What it is coded with; None if it is not, or as long as that is not known."""
        self.is_over = False
        """Whether it is known."""
        self._head = b""

    def look(self, data: bytes) -> None:
        """Take the next bytes."""
        if self.is_over:
            return
        self._head += data[: LONGEST - len(self._head)]
        self.coding = begins_as(self._head)
        may_be = any(magic.startswith(self._head) for magic in MAGIC)
        self.is_over = self.coding is not None or not may_be


def begins_as(content: bytes) -> str | None:
    """Return the coding as which content begins."""
    return next((coding for magic, coding in MAGIC.items() if content.startswith(magic)), None)


def text_begins_as(content: str) -> str | None:
    """Return the coding as which content begins of which what is no UTF-8 was replaced."""
    return next((coding for magic, coding in AS_TEXT.items() if content.startswith(magic)), None)


class Base64Text:
    """Undoes base64 that comes in pieces, each of which may end with padding (RFC 4648 section 4).

    Every piece is a multiple of four characters, so the borders of quanta are where they would be.
    """

    def __init__(self) -> None:
        self.is_wrong = False
        """Whether something came that is no base64."""
        self._rest = b""

    def receive(self, data: bytes) -> bytes:
        """Take the next characters, and return what they stand for."""
        data = self._rest + data
        whole = len(data) - len(data) % 4
        self._rest = data[whole:]
        pieces = BASE64_PIECE.findall(data, 0, whole)
        is_right = sum(map(len, pieces)) == whole and not any(len(one) % 4 for one in pieces)
        self.is_wrong = self.is_wrong or not is_right
        return b"" if self.is_wrong else b"".join(map(b64decode, pieces))


def has_other_charset(headers: Fields) -> bool:
    """Return whether content is text in a coding that shows nothing byte by byte."""
    return any(map(_names_other_charset, _types(headers)))


def is_base64(headers: Fields) -> bool:
    """Return whether content is in base64 by its type: gRPC-Web's text (PROTOCOL-WEB.md)."""
    return any(map(_is_grpc_text, _types(headers)))


def _types(headers: Fields) -> list[str]:
    return [value for name, value in headers if len(name) == 12 and name.lower() == "content-type"]


@lru_cache(256)  # the same few come again and again
def _names_other_charset(value: str) -> bool:
    return OTHER_CHARSET.search(value) is not None


@lru_cache(256)
def _is_grpc_text(value: str) -> bool:
    return GRPC_TEXT.match(value) is not None
