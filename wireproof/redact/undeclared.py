"""Content that is coded though no coding says so, told by how it begins, or in base64 by its type.

Strategy: what the decoder takes for a sign in text is one here in content of any kind, and so is
the other way in which zlib begins, which may be text too: content that is taken for coded and is
not is masked whole, and that costs less than a secret.
"""

from __future__ import annotations

import re
from base64 import b64decode

from parsers import CODING_MAGIC
from parsers.records import Fields

MAGIC = CODING_MAGIC | {b"\x78\xda": "deflate"}
LONGEST = max(map(len, MAGIC))
AS_TEXT = {magic.decode(errors="replace"): coding for magic, coding in MAGIC.items()}
"""How the same begins that was read as UTF-8."""

BASE64_PIECE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
GRPC_TEXT = re.compile(r"\s*application/grpc-web-text\b", re.IGNORECASE)


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


def is_base64(headers: Fields) -> bool:
    """Return whether content is in base64 by its type: gRPC-Web's text (PROTOCOL-WEB.md)."""
    return any(
        name.lower() == "content-type" and GRPC_TEXT.match(value) is not None
        for name, value in headers
    )
