"""What Redis keeps under keys that name a secret: in commands that store it, and in replies.

Strategy: each side is read as RESP (2 and 3), item by item, as far as it has come. Replies come in
the order of commands, and of each the command says what is secret in it. What is not RESP ends it:
the connection is of another protocol, or its beginning is lost.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from parsers.expressions import when_used

from .names import SECRET_NAME

T = TypeVar("T")
Span = tuple[int, int]
# An array of bulk strings, the first of which is a command that keeps values under keys.
STORES = when_used(
    rb"\*(\d{1,4})\r\n\$\d{1,2}\r\n(?i:(?:SET|GETSET|SETNX|APPEND|SADD|LPUSH|RPUSH|PUBLISH|JSON\.SET"
    rb"|SETEX|PSETEX)|(HSET|HSETNX|HMSET|XADD|MSET|MSETNX))\r\n"
)
BULK_STRING = re.compile(rb"\$(\d{1,9})\r\n")
WORD_OF_KEY = re.compile(r"[\w-]+", re.ASCII)
SHORTEST_VALUE = 8
"""Bytes of a value that may be secret by its key: what counts or measures is shorter."""
# RESP: a type, and what a line says of it; an inline command is a line of words.
LINE = when_used(rb"([*$+:\-_#,(!=%~>|])([^\r\n]{0,65536})\r\n")
INLINE = when_used(rb"[A-Za-z][^\r\n]{0,1024}\r?\n")
RESP = tuple(bytes((one,)) for one in b"*$+:-_#,(!=%~>|")
"""How items begin."""
STRINGS, COLLECTIONS = b"$!=", b"*%~>|"
MAX_ITEMS, MAX_DEPTH = 65_536, 8
"""Items of one reply or command, and how deep in each other they are looked at."""
MAX_WAITING = 1 << 20
"""Bytes of a command or a reply that has not come whole."""
MAX_PENDING = 65_536
"""Commands whose replies are waited for, or replies whose commands are."""
MAX_PENDING_BYTES = 16 << 20
"""What these take: a pipeline of so many short commands, or some long replies."""
MAX_WORD = 256
"""Bytes of a word of a command that are kept: it says what is asked for, or names a key."""
ITEM = 64
"""Bytes that an item takes besides its data."""
OF_KEY = frozenset(
    (
        *("GET", "GETDEL", "GETEX", "GETSET", "GETRANGE", "LRANGE", "LINDEX", "LPOP", "RPOP"),
        *("SMEMBERS", "SRANDMEMBER", "SPOP", "ZRANGE", "XRANGE", "JSON.GET", "DUMP", "SUBSTR"),
        *("HGETALL", "HGET", "HMGET", "HVALS", "HRANDFIELD"),
    )
)
"""Commands whose reply is secret if their key names a secret."""
EACH_KEY = frozenset(("MGET", "JSON.MGET"))
EACH_FIELD = frozenset(("HGET", "HMGET"))
"""Those that have a value for each key, or for each field after the key."""
TYPED = when_used(
    rb"(?i:%b)[ \t]+(?![^\r\n]{0,1024}[ ]HTTP/)[^\r\n]{1,1024}\r?\n"
    % b"|".join(re.escape(one.encode()) for one in sorted(OF_KEY | EACH_KEY))
)
"""A command that is typed inline, which begins as HTTP does."""


class Item(NamedTuple):
    """A value of RESP."""

    kind: bytes
    data: bytes
    """Of a string or a line."""
    start: int
    """Where in its stream those bytes begin."""
    items: tuple[Item, ...] = ()
    """Of a collection."""


def stored_spans(data: bytes, match: re.Match[bytes]) -> Iterator[Span]:
    """Yield where a command has values of keys, or of fields, that name a secret."""
    strings: list[Span] = []
    at = match.end()
    while len(strings) < int(match[1]) - 1 and (bulk := BULK_STRING.match(data, at)) is not None:
        strings.append((bulk.end(), min(bulk.end() + int(bulk[1]), len(data))))
        at = strings[-1][1] + 2
    has_pairs = match[2] is not None
    is_secret = bool(strings) and not match[2].upper().startswith(b"M") if has_pairs else True
    is_secret = is_secret and bool(strings) and names_secret(data[slice(*strings[0])])
    first = 0 if has_pairs and match[2].upper().startswith(b"MS") else 1
    for index, (start, end) in enumerate(strings[first:]):
        is_value = not has_pairs or index % 2 == 1
        own = has_pairs and is_value and names_secret(data[slice(*strings[first + index - 1])])
        if is_value and (is_secret or own) and end - start >= SHORTEST_VALUE:
            yield start, end


def names_secret(key: bytes) -> bool:
    """Return whether a key of Redis, or a field, has a word in it that names a secret."""
    words = WORD_OF_KEY.findall(key[:MAX_WORD].decode("latin-1"))
    return any(SECRET_NAME.fullmatch(word) for word in words)


class _Waiting(NamedTuple, Generic[T]):
    """A command or a reply whose other half has not come."""

    said: T
    start: int
    """Where in its stream it begins."""
    size: int
    """Bytes that it takes."""


class RedisDialogue:
    """Both sides of a connection, as far as they speak RESP."""

    __slots__ = (
        "_commands",
        "_is_over",
        "_pending",
        "_queued",
        "_replies",
        "_rests",
        "has_too_much",
    )

    def __init__(self) -> None:
        self.has_too_much = False
        """Whether it ended because too much waited, or memory was spent: not all was read."""
        self._commands: deque[_Waiting[list[bytes]]] = deque()
        self._replies: deque[_Waiting[Item]] = deque()
        self._queued: list[_Waiting[list[bytes]]] = []
        """Commands of a transaction, whose replies EXEC brings."""
        self._pending = 0
        """Bytes of all these."""
        self._rests = (b"", 0), (b"", 0)
        """What has not come whole of the commands and of the replies, and where that begins."""
        self._is_over = False

    @property
    def waiting(self) -> int:
        """Bytes that are kept."""
        return self._pending + sum(len(rest) for rest, _ in self._rests)

    def feed_commands(self, data: bytes, start: int) -> list[Span]:
        """Take the next bytes of a client, at ``start`` of its stream; return what is secret of
        the replies that have come, in the other stream."""
        commands, rest = self._read(self._rests[0], data, start, has_inline=True)
        self._rests = rest, self._rests[1]
        for item, begin in commands:
            words = [word[:MAX_WORD] for word in _words(item)]
            size = sum(map(len, words)) + ITEM * len(words)
            self._wait(self._commands, _Waiting(words, begin, size))
        return self._settle()

    def feed_replies(self, data: bytes, start: int) -> list[Span]:
        """Take the next bytes of a server, and return the same."""
        replies, rest = self._read(self._rests[1], data, start, has_inline=False)
        self._rests = self._rests[0], rest
        for item, begin in replies:
            if item.kind not in (b">", b"|"):  # pushed, or of another reply: they answer no command
                self._wait(self._replies, _Waiting(item, begin, _size(item)))
        return self._settle()

    def give_up(self) -> None:
        """Read no further, for want of memory."""
        self.has_too_much = self._is_over = True
        self._let_go()

    def first_open_reply(self, done: int) -> int:
        """Return where the first reply begins that may still be found secret, or ``done``."""
        if self._replies:
            return self._replies[0].start
        rest, begin = self._rests[1]
        return begin if rest else done

    def _wait(self, queue: deque[_Waiting[T]], waiting: _Waiting[T]) -> None:
        queue.append(waiting)
        self._pending += waiting.size

    def _let_go(self) -> None:
        """Keep nothing, now that nothing more is read."""
        for waiting in (self._commands, self._replies, self._queued):
            waiting.clear()
        self._pending, self._rests = 0, ((b"", 0), (b"", 0))

    def _read(
        self, before: tuple[bytes, int], data: bytes, start: int, *, has_inline: bool
    ) -> tuple[list[tuple[Item, int]], tuple[bytes, int]]:
        """Return the items that are whole by now, each with its place, and the rest with its."""
        rest, begin = before if before[0] else (b"", start)
        found: list[tuple[Item, int]] = []
        if self._is_over or begin + len(rest) != start:  # a hole is between them
            self._is_over = True
            return found, (b"", 0)
        reader = _Reader(rest + data, begin, has_inline=has_inline)
        at = begin
        while (item := reader.next()) is not None:
            found.append((item, at))
            at = begin + reader.at
        self._is_over = reader.is_no_resp
        return found, (reader.raw[reader.at :], begin + reader.at)

    def _settle(self) -> list[Span]:
        found: list[Span] = []
        while self._commands and self._replies:
            command, (reply, _, size) = self._commands.popleft(), self._replies.popleft()
            words = command.said
            self._pending -= size
            if reply.kind == b"+" and reply.data == b"QUEUED":
                self._queued.append(command)
                continue
            self._pending -= command.size
            if words[:1] == [b"EXEC"]:
                for one, own in zip(self._queued, reply.items, strict=False):
                    found += _of_reply(one.said, own)
                self._pending -= sum(one.size for one in self._queued)
                self._queued = []
            else:
                found += _of_reply(words, reply)
        count = max(len(self._commands), len(self._replies), len(self._queued))
        rest = max(len(rest) for rest, _ in self._rests)
        if self._is_over:
            self._let_go()
        elif count > MAX_PENDING or self._pending > MAX_PENDING_BYTES or rest > MAX_WAITING:
            self.give_up()
        return found


class _Reader:
    """Reads items of RESP, one after the other."""

    def __init__(self, raw: bytes, base: int, *, has_inline: bool) -> None:
        self.raw = raw
        self.at = 0
        """Up to here items are whole."""
        self.is_no_resp = False
        self._base = base
        self._has_inline = has_inline
        self._left = MAX_ITEMS

    def next(self) -> Item | None:
        """Return the next item; None if that is not whole, or none."""
        self._left = MAX_ITEMS
        if self._has_inline and (line := INLINE.match(self.raw, self.at)) is not None:
            self.at = line.end()
            return Item(b"", line[0], self._base + line.start())
        read = self._item(self.at, MAX_DEPTH)
        if read is None:
            return None
        item, self.at = read
        return item

    def _item(self, at: int, depth: int) -> tuple[Item, int] | None:
        line = LINE.match(self.raw, at)
        self._left -= 1
        if line is None or not depth or self._left < 0:
            begins = self.raw[at : at + 1]
            is_begun = not begins or begins in b"*$+:-_#,(!=%~>|" or self._has_inline
            self.is_no_resp = self.is_no_resp or not is_begun
            return None
        kind, said, end = line[1], line[2], line.end()
        if kind in STRINGS or kind in COLLECTIONS:
            if not said.lstrip(b"-").isdigit():
                self.is_no_resp = True
                return None
            size = int(said)
            if kind in COLLECTIONS:
                return self._collection(kind, size * (2 if kind in b"%|" else 1), end, depth)
            if size < 0:
                return Item(kind, b"", self._base + end), end
            if end + size + 2 > len(self.raw):
                return None
            data = self.raw[end : end + size]
            return Item(kind, data, self._base + end), end + size + 2
        return Item(kind, said, self._base + line.start(2)), end

    def _collection(self, kind: bytes, size: int, at: int, depth: int) -> tuple[Item, int] | None:
        items: list[Item] = []
        for _ in range(size):
            read = self._item(at, depth - 1)
            if read is None:
                return None
            item, at = read
            items.append(item)
        return Item(kind, b"", self._base + at, tuple(items)), at


def _size(item: Item) -> int:
    """Return how many bytes an item takes."""
    return ITEM + len(item.data) + sum(map(_size, item.items))


def _words(command: Item) -> list[bytes]:
    """Return a command's words, the first in upper case."""
    words = [one.data for one in command.items] if command.items else command.data.split()
    return [word.upper() if not index else word for index, word in enumerate(words)]


def _of_reply(words: Sequence[bytes], reply: Item) -> Iterator[Span]:
    """Yield where the reply of a command has secrets."""
    name, key, *others = (*words[:2], *([b""] * (2 - len(words))), *words[2:])
    command = name.decode("latin-1")
    if command in EACH_KEY:
        yield from _of_each(words[1:], reply)
    elif command in OF_KEY and names_secret(key):
        yield from _all_of(reply)
    elif command == "JSON.GET":  # by its paths
        if any(map(names_secret, others)):
            yield from _all_of(reply)
    elif command in EACH_FIELD:
        yield from _of_each(others, reply)
    else:
        yield from _of_pairs(reply)


def _of_each(names: Sequence[bytes], reply: Item) -> Iterator[Span]:
    """Yield the values of a reply whose names are those of secrets."""
    for name, item in zip(names, reply.items or (reply,), strict=False):
        if names_secret(name):
            yield from _all_of(item)


def _of_pairs(reply: Item) -> Iterator[Span]:
    """Yield the same of a reply that has names and values by turns: HGETALL, CONFIG GET, XRANGE."""
    for name, item in zip(reply.items, reply.items[1:], strict=False):
        if not name.items and not item.items and names_secret(name.data):
            yield from _all_of(item)
    for item in reply.items:
        yield from _of_pairs(item)


def _all_of(item: Item) -> Iterator[Span]:
    if item.items:
        for one in item.items:
            yield from _all_of(one)
    elif item.kind in STRINGS and len(item.data) >= SHORTEST_VALUE:
        yield item.start, item.start + len(item.data)
