"""Which element each byte belongs to."""

from __future__ import annotations

import pytest
from support.answers import GET, SSE, asked, chunk, read, streamed
from support.corpus import ROOT

from parsers.records import Sender
from wireproof.web.parts import Part, parts_of

TLS = ROOT / "fixtures" / "tls"
EVENT = chunk(b"data: x\n\n")
AT = len(SSE)
LINE = EVENT.index(b"\n") + 1
CASES: dict[str, tuple[Sender, int, int, list[tuple[str, str, int]]]] = {
    "a request": ("client", 0, len(GET), [("head", "q", 0)]),
    "a response's head": ("server", 0, AT, [("head", "r", 0)]),
    "a chunk's line": ("server", AT, AT + LINE, [("framing", "k", 0)]),
    "an event in its chunk": (
        "server", AT + LINE, AT + LINE + 9, [("payload", "k", 0), ("content", "e", 0)],
    ),
    "two chunks": (
        "server", AT + len(EVENT) - 2, AT + len(EVENT) + LINE,
        [("framing", "k", 0), ("framing", "k", 1)],
    ),
    "nothing": ("server", 10_000, 10_001, []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bytes_of_http1(name: str) -> None:
    sender, start, end, wanted = CASES[name]
    with asked(streamed(b"data: x\n\n", b"data: y\n\n")) as ask:
        found = parts_of(ask.index, 0, sender, "tcp", start, end)
    assert [(part.layer, part.kind, part.row) for part in found if part.kind != "b"] == wanted
    assert all(start <= part.start < part.end <= end for part in found)


def test_bytes_of_tcp_are_those_of_records_where_there_is_tls() -> None:
    with read(TLS / "sse.pcapng") as ask:
        found = parts_of(ask.index, 0, "client", "tcp", 0, 200)
    assert {part.kind for part in found} == {"y"}
    assert found[0].start == 0


def test_an_exchange_that_goes_on_after_another_began_has_its_bytes() -> None:
    with read(ROOT / "fixtures/field/syn-inside.pcap", has_keys=False) as ask:
        kinds = [{part[3] for part in ask(f"packet/{packet}")["parts"]} for packet in (8, 12, 20)]
    assert kinds == [{"k", "e"}] * 3


@pytest.mark.parametrize("name", ["sse", "cancel", "stall"])
def test_every_decrypted_byte_is_of_one_frame(name: str) -> None:
    with read(TLS / f"{name}.pcapng") as ask:
        size = len(ask.index.plaintext.read(0, "server", 0, 1 << 20))
        found = parts_of(ask.index, 0, "server", "tls", 0, size)
        frames = sorted((part.start, part.end) for part in found if part.kind == "a")
        others = [part for part in found if part.kind != "a"]
        ends = [0, *(end for _, end in frames)]
        assert [start for start, _ in frames] == ends[:-1]
        assert ends[-1] == size
        assert others and all(_is_within(part, frames) for part in others)


def _is_within(part: Part, frames: list[tuple[int, int]]) -> bool:
    return any(start <= part.start and part.end <= end for start, end in frames)
