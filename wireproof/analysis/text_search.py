"""In which exchanges a text was: in their heads, or in what they carried.

Strategy: records are looked through as they pass, and no data is kept. Text that a border of chunks
or packets cuts is found too: of each body that is under way its last bytes are kept, one less than
the text has.
"""

from __future__ import annotations

from base64 import b64decode

from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Fields,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
)

from ..open_exchanges import Key


class TextSearch:
    """Looks for a text in what passes, and remembers in which open exchanges it was."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = text.encode(errors="surrogatepass")
        self._found: set[tuple[int, int]] = set()
        self._tails: dict[tuple[int, int, Sender], bytes] = {}
        """The end of the last piece of a body, in which the text may have begun."""

    def add(self, record: Record) -> Key | None:
        """Look through the next record; return its exchange if the text is in that for the first
        time."""
        if isinstance(record, ConnectionRecord):
            return None
        connection, exchange = record.connection, record.exchange
        if connection is None or exchange is None or (connection, exchange) in self._found:
            return None
        key = Key(connection, exchange)
        if not self._is_in(record, key):
            return None
        self.note(key)
        return key

    def note(self, key: Key) -> None:
        """Take note that the text was in an exchange."""
        self._found.add(key)

    def take(self, key: Key) -> bool:
        """Return whether the text was in an exchange, and forget it."""
        for sender in ("client", "server"):
            self._tails.pop((*key, sender), None)
        was_in = key in self._found
        self._found.discard(key)
        return was_in

    def _is_in(self, record: Record, key: tuple[int, int]) -> bool:
        match record:
            case RequestRecord():
                line = f"{record.method} {record.target}"
                return self._text in line or self._is_in_fields(record.headers)
            case ResponseRecord():
                return self._is_in_fields(record.headers)
            case ChunkRecord() | DataRecord():
                return self._is_in_piece(record, (*key, record.sender))
        data: str | None = getattr(record, "data", None)
        if data is None:
            return False
        if getattr(record, "encoding", "utf-8") == "base64":
            return self._bytes in b64decode(data)
        return self._text in data

    def _is_in_fields(self, fields: Fields) -> bool:
        return any(self._text in f"{name}: {value}" for name, value in fields)

    def _is_in_piece(self, record: ChunkRecord | DataRecord, key: tuple[int, int, Sender]) -> bool:
        data = record.data or ""
        piece = b64decode(data) if record.encoding == "base64" else data.encode()
        piece = self._tails.get(key, b"") + piece
        self._tails[key] = piece[-len(self._bytes) + 1 :] if len(self._bytes) > 1 else b""
        return self._bytes in piece
