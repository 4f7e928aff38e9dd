"""Messages of a WebSocket without what they say."""

from __future__ import annotations

import pytest

from wireproof.redact.structure.messages import MessageText

CASES = [
    (b'{"type":"ping"}', b'{"type":"ping"}'),
    (b"hello", b"*****"),
    (b"hello, world", b"************"),
    (b"2", b"2"),
    (b"3probe", b"3probe"),
    (b'42["chat","hi"]', b'42["****","**"]'),
    (b'0{"sid":"abc"}', b'0{"sid":"***"}'),
    (b'{"type":6}\x1e', b'{"type":6}\x1e'),
    (b"99", b"**"),
    (b"", b""),
]


@pytest.mark.parametrize("text, masked", CASES)
@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_message(text: bytes, masked: bytes, size: int) -> None:
    message = MessageText()
    done = b"".join(message.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert done + message.end() == masked
    assert message.waiting == b""
