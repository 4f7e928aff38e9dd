"""Payloads whose coding hides what they hold: read, and masked whole if that is a secret.

Strategy: nothing inside a coding can be masked in place, so it is all or nothing. A body is decoded
as it comes, and the places of its pieces wait until it ends: if anything in it was secret, or could
not be read, all of them are masked, else none. Messages under permessage-deflate refer back to
those before them, so of one side of a WebSocket either all are masked or none: what takes the place
of each inflates to asterisks, so that none of them is damaged. What waits are places, MAX_WAITING
of them; past that everything is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from parsers import Memory
from parsers.content import ContentDecoder
from parsers.records import Fields, WebSocketMessageRecord

from .content import ContentFinder
from .found import FoundSecrets
from .patterns import USUAL, Patterns
from .records import plain_bytes
from .secrets import merged
from .undeclared import NOT_UNDONE, Base64Text, Beginning, begins_as

MAX_WAITING = 65_536
"""Pieces of a body, or frames of one side of a WebSocket, that wait for a verdict."""
MAX_FOUND = 512
"""Secrets in one body, or from one side of a WebSocket, that are told from each other: it is masked
whole by then."""
BLOCK = 16_384
"""Bytes of what was decoded that are compared with those before them. Even: what a quote or an
escape turns on, as many of them turn off; and so many quanta of base64."""
SHORT_RUN = 1_024
"""Bytes that stand for a run of such blocks: longer than whatever is looked for by its length."""
PART = 4_096
"""Bytes of coded content that are unfolded at once."""
HARMLESS_FAULTS = {"content-coding-deflate-raw"}


class Piece(NamedTuple):
    """A coded piece of a stream."""

    start: int
    length: int
    key: bytes = bytes(4)
    """Of a frame: what it is masked with."""
    is_last: bool = True
    """Of a frame: whether its message ends with it."""


class CodedContent:
    """Pieces that wait until it is known whether there is a secret in what they decode to."""

    def __init__(self, found: FoundSecrets | None) -> None:
        self.is_secret = False
        self.waiting: list[Piece] = []
        self.found = FoundSecrets() if found is None else found
        self._left = MAX_FOUND
        """Secrets of it that are looked for yet."""
        self._block = b""
        """The last one of what was looked at."""
        self._repeats = False
        """Whether it is one byte over and over."""

    def wait(self, piece: Piece) -> None:
        """Let a piece wait; too many of them are taken for secret."""
        self.waiting.append(piece)
        self.is_secret = self.is_secret or len(self.waiting) > MAX_WAITING

    def look_at(self, finder: ContentFinder, plain: bytes) -> None:
        """Look at what pieces decode to."""
        plain = self._thinned(plain)
        for at in range(0, len(plain), BLOCK):
            if self._left <= 0:  # all is masked, and there are more than are looked for again
                self.found.is_full = True
                return
            block = plain[at : at + BLOCK]
            for start, end in merged(finder.feed(block.decode("latin-1"))):
                self.is_secret = True
                self._left -= 1
                self.found.add(block[start:end])

    def _thinned(self, plain: bytes) -> bytes:
        """Return content in which each run of blocks that repeat one byte is a short one.

        Nothing is masked in its place here, and they tell nothing: what a bomb unfolds to.
        """
        if len(plain) < BLOCK:
            return plain
        kept: list[bytes] = []
        for at in range(0, len(plain), BLOCK):
            block = plain[at : at + BLOCK]
            is_same = block == self._block
            if not is_same:
                self._block = block
                self._repeats = len(block) == BLOCK and block.count(block[:1]) == BLOCK
            if not self._repeats:
                kept.append(block)
            elif not is_same:
                kept.append(block[:SHORT_RUN])
        return b"".join(kept)

    def take(self) -> list[Piece]:
        """Return the pieces that are to be masked by now."""
        if not self.is_secret:
            return []
        taken, self.waiting = self.waiting, []
        return taken


class CodedBody(CodedContent):
    """The content of one message with a content coding or transfer coding, or in base64.

    ``memory`` counts what all of them unfold to: of what is too much nobody looks at the rest.
    """

    def __init__(
        self,
        codings: Sequence[str],
        *,
        is_event_stream: bool = False,
        is_base64: bool = False,
        found: FoundSecrets | None = None,
        patterns: Patterns = USUAL,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(found)
        self.is_secret = NOT_UNDONE in codings  # nobody can tell
        self._patterns = patterns
        self._memory = memory
        self._decoder = ContentDecoder(codings, memory)
        self._base64 = Base64Text() if is_base64 else None
        self._gives_all = set(codings) <= {"gzip", "x-gzip", "deflate"}
        self._is_event_stream = is_event_stream
        self._finder = ContentFinder(is_event_stream=is_event_stream, patterns=patterns)
        self._beginning: Beginning | None = Beginning()
        self._held = b""
        """What the content decodes to, until it is known whether that is coded once more."""
        self._inner: CodedBody | None = None

    def receive(self, data: bytes, start: int, key: bytes = bytes(4)) -> list[Piece]:
        """Take the next piece of coded content; return what is to be masked by now.

        ``key`` is what a frame was masked with that has brought it.
        """
        self.wait(Piece(start, len(data), key))
        if not self.is_secret:
            # In parts, as each may unfold to a thousand times as much.
            for at in range(0, len(data), PART):
                self._unfold(data[at : at + PART])
            faults = {code for code, _ in self._decoder.take_faults()}
            self.is_secret = self.is_secret or bool(faults - HARMLESS_FAULTS)
        return self.take()

    def _unfold(self, data: bytes) -> None:
        for decoded in self._decoder.receive_data(data):
            self._look(decoded if self._base64 is None else self._plain(self._base64, decoded))

    def _plain(self, base64: Base64Text, text: bytes) -> bytes:
        plain = base64.receive(text)
        self.is_secret = self.is_secret or base64.is_wrong
        return plain

    def _look(self, plain: bytes) -> None:
        """Look at what the content decodes to, which may be coded itself."""
        if self._beginning is not None:
            self._beginning.look(plain)
            self._held += plain
            if not self._beginning.is_over:
                return
            if self._beginning.coding is not None:
                self._inner = CodedBody(
                    [self._beginning.coding],
                    is_event_stream=self._is_event_stream,
                    found=self.found,
                    patterns=self._patterns,
                    memory=self._memory,
                )
            plain, self._held, self._beginning = self._held, b"", None
        if self._inner is None:
            self.look_at(self._finder, plain)
        else:
            self._inner.receive(plain, 0)
            self._inner.waiting.clear()  # what waits are the pieces out here
            self.is_secret = self._inner.is_secret

    def end(self, *, is_complete: bool) -> list[Piece]:
        """Return what is to be masked of a body that has ended, which then is all or nothing.

        Of a body that is cut there may be more in its last piece than its decoder gives; zlib gives
        all that there is.
        """
        self.is_secret = self.is_secret or not (is_complete or self._gives_all)
        if self._inner is not None:
            self._inner.end(is_complete=is_complete)
            self.is_secret = self.is_secret or self._inner.is_secret
        return self.take()


def hides_secret(
    content: bytes,
    *,
    is_base64: bool,
    is_event_stream: bool,
    is_cut: bool,
    patterns: Patterns = USUAL,
    found: FoundSecrets | None = None,
    memory: Memory | None = None,
) -> bool:
    """Return whether there is a secret in content that hides what it holds, or may be one.

    False for content that hides nothing. ``found`` and ``memory`` are as those of a body.
    """
    coding = begins_as(content)
    if coding is None and not is_base64:
        return False
    codings = [] if coding is None else [coding]
    body = CodedBody(
        codings, is_event_stream=is_event_stream, is_base64=is_base64, patterns=patterns,
        found=found, memory=memory,
    )  # fmt: skip
    body.receive(content, 0)
    body.end(is_complete=not is_cut)
    return body.is_secret


class DeflatedMessages(CodedContent):
    """What one side of a WebSocket sends under permessage-deflate."""

    def __init__(self, found: FoundSecrets | None = None, patterns: Patterns = USUAL) -> None:
        super().__init__(found)
        self._finder = ContentFinder(is_event_stream=False, may_log_in=True, patterns=patterns)
        self._frames = 0
        """Frames since the last message that was read."""

    def receive_frame(self, frame: Piece) -> list[Piece]:
        """Take a compressed frame; return what is to be masked by now."""
        self._frames += 1
        self.wait(frame)
        return self.take()

    def receive_message(self, record: WebSocketMessageRecord) -> list[Piece]:
        """Take a compressed message, which its frames came before."""
        self._frames = 0
        if record.data is None or record.encoding is None:
            self.is_secret = True
        else:
            self.look_at(self._finder, plain_bytes(record.data, record.encoding))
        return self.take()

    def damaged(self) -> list[Piece]:
        """Take note that a message could not be read whole."""
        self.is_secret = True
        return self.take()

    def end(self) -> list[Piece]:
        """Return the frames of a message that has no end: what is in them nobody has read."""
        return self.waiting[len(self.waiting) - self._frames :] if self._frames else []


def names_coding(headers: Fields) -> bool:
    """Return whether a head names any coding of its content (RFC 9110 section 8.4, RFC 9112 6.1).

    Not what the content is: that is the decoder's to say. This is for what follows a head whose
    body the decoder cannot tell, or leaves as it is: it may hide anything.
    """
    return any(
        coding.strip().lower() not in ("", "identity", "chunked")
        for name, value in headers
        if name.lower() in ("content-encoding", "transfer-encoding")
        for coding in value.split(",")
    )
