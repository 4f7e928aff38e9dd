"""Streams in other segments than they were captured in: the copy proves itself all the same.

What a stream says does not depend on its segments, and neither does what of it is structure. But a
proof that looks at packets sees words, sizes and keys that end in the middle.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.corpus import ROOT
from support.planted import Secrets, planted
from support.recut import (
    Cut,
    at_every_byte,
    file_of,
    overlapping,
    pieces_of,
    recut,
    reordered,
    sent_again,
    with_holes,
)
from support.stored import packets

from parsers.files.packets import Packet
from wireproof import decode
from wireproof.redact.capture import redact_capture
from wireproof.redact.rules import Rules

pytestmark = pytest.mark.slow
STORED = sorted(ROOT.glob("fixtures/*/*.pcap*"))
LARGE = 8_192
"""Bytes of a capture that is cut in one way, and not into single bytes."""
WAYS: dict[str, Cut] = {
    **{f"{size} bytes": pieces_of(size) for size in (1, 2, 3, 7, 13)},
    "again": sent_again(5),
    "overlapping": overlapping(5),
    "bytes that overlap": overlapping(1),
    "reordered": reordered(7),
    "a hole in five": with_holes(7),
    "a hole in nine": with_holes(13, 9),
}
OF_LARGE = ["13 bytes", "reordered", "a hole in nine"]


def copied(found: list[Packet], folder: Path) -> Path:
    """Return the copy of packets, which has proven itself."""
    source, output = folder / "in.pcapng", folder / "out.pcapng"
    source.write_bytes(file_of(found))
    done = redact_capture(str(source), str(output), Rules("structure"), lambda _: None)
    assert done.left == []
    return output


def left(secrets: Secrets, output: Path) -> list[str]:
    shown = "\n".join(map(repr, decode(output)))
    return secrets.found_in(output.read_bytes()) + secrets.found_in(shown)


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stored_captures(path: Path, tmp_path: Path) -> None:
    """Each in three of the ways: which, its place among them says."""
    found = packets(path)
    first = STORED.index(path)
    is_large = path.stat().st_size > LARGE
    ways = OF_LARGE if is_large else list(WAYS)
    for step in (0,) if is_large else (0, 3, 6):
        copied(recut(found, WAYS[ways[(first + step) % len(ways)]]), tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_secret_is_left(way: str, tmp_path: Path) -> None:
    tape, secrets = planted()
    assert left(secrets, copied(recut(tape.packets, WAYS[way]), tmp_path)) == []


@pytest.mark.parametrize("name", ["websocket/reset", "chunked/trailers", "sse/reset", "sse/resume"])
def test_segments_that_end_at_every_byte(name: str, tmp_path: Path) -> None:
    path = ROOT / "fixtures" / f"{name}.pcapng"
    copied(at_every_byte(packets(path)), tmp_path)
