"""Streams in other segments than they were captured in, and captures that lack a part: the copy
proves itself all the same, and shows the same records.

What a stream says does not depend on its segments, and neither does what of it is structure. But a
proof that looks at packets sees words, sizes and keys that end in the middle. Where a snaplen cuts
packets, or a capture begins in the middle, the decoder finds its way by what is left of structure:
so of that all must be kept.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.damage import renumbered
from support.planted import Secrets, planted
from support.recut import (
    LARGEST,
    Cut,
    at_every_byte,
    begun,
    file_of,
    overlapping,
    pieces_of,
    recut,
    reordered,
    sent_again,
    side_by_side,
    snapped,
    with_holes,
)
from support.stored import packets

from parsers.files.packets import Packet
from wireproof import decode
from wireproof.redact.capture import redact_capture
from wireproof.redact.rules import Rules

pytestmark = pytest.mark.slow
SMALL, LARGE, TOO_LARGE = 3_072, 8_192, 24_576
"""Bytes of a capture that may be cut into single bytes, of one that is cut in one way only, and of
one that is as others are, but longer."""
STORED = sorted(
    path for path in ROOT.glob("fixtures/*/*.pcap*") if path.stat().st_size <= TOO_LARGE
)
QUIC = "quic"
"""The folder of captures that a copy holds nothing of."""
WAYS: dict[str, Cut] = {
    **{f"{size} bytes": pieces_of(size) for size in (1, 13)},
    "again": sent_again(5),
    "overlapping": overlapping(5),
    "reordered": reordered(7),
    "a hole in five": with_holes(7),
    "a hole in nine": with_holes(13, 9),
}
OF_LARGE = ["13 bytes", "reordered", "a hole in nine"]
SIZES = (60, 66, 68, 80, 96, 100, 128, 150, 200, 256)
"""Snaplens: those that tools take, and some that end in the middle of something."""
OTHERS = frozenset(
    ("aws_event", "diagnostic", "grpc_message", "json_line", "part", "sse_event")
)  # fmt: skip
"""Records of what is in content, which a coding or another format may hide, and what is said of
it."""
LOST = {
    "socks4a-to-websocket": "SOCKS",
    "socks5-to-http": "SOCKS",
    "starttls": "STARTTLS",
}
"""Stored captures that hold what a copy does not, and what that is."""


PLACE = ("connection", "sender", "offset", "length", "first_packet", "last_packet", "code")
DIALOGUES = (
    "sse/plain", "sse/burst", "chunked/trailers", "websocket/reset", "dialects/chat-completion",
    "tls/h2c", "tls/sse",
)  # fmt: skip
"""Stored captures of which the copy shows the same, whatever of them is left."""
STEPS = {"dialects/chat-completion": 9, "sse/plain": 3, "tls/h2c": 5, "sse/burst": 2, "tls/sse": 19}
"""Every how many sizes are looked at, of captures that are large."""
LESS = ("sse/burst", "tls/h2c")
"""Those that show less of content if they begin in the middle: fields without a name are all the
same, and frames of HTTP/2 may be certain too late."""
LEAST_HEADERS = 54
"""Bytes of the headers of Ethernet, IPv4 and TCP."""


def stored(name: str) -> list[Packet]:
    return packets(ROOT / "fixtures" / f"{name}.pcapng")


def copied(found: list[Packet], folder: Path) -> tuple[Path, Path]:
    """Return a capture, and its copy, which has proven itself."""
    source, output = folder / "in.pcapng", folder / "out.pcapng"
    source.write_bytes(file_of(found))
    done = redact_capture(str(source), str(output), Rules("structure"), lambda _: None)
    assert done.left == []
    return source, output


def left(secrets: Secrets, output: Path) -> list[str]:
    shown = "\n".join(map(repr, decode(output)))
    return secrets.found_in(output.read_bytes()) + secrets.found_in(shown)


def places(path: Path) -> list[tuple[object, ...]]:
    """Return what each record is of, and where."""
    return [(one.record, *(getattr(one, name, None) for name in PLACE)) for one in decode(path)]


def outline(path: Path) -> list[tuple[object, ...]]:
    """Return the same of records that do not depend on what content says."""
    return [one for one in places(path) if one[0] not in OTHERS]


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stored_captures(path: Path, tmp_path: Path) -> None:
    """Each in one of the ways, and cut short by a snaplen or begun in the middle, or one of these:
    which, its place among them says."""
    found = packets(path)
    turn, size = STORED.index(path), path.stat().st_size
    ways = OF_LARGE if size > LARGE else list(WAYS)
    if size > SMALL:
        ways = [way for way in ways if way != "1 bytes"]
    if size <= SMALL or turn % 2:
        copied(recut(found, WAYS[ways[turn % len(ways)]]), tmp_path)
    if size > LARGE or (size > SMALL and turn % 2):
        return
    is_begun = turn % 4 > 1
    way = begun(len(found) * (turn % 7 + 1) // 9) if is_begun else snapped(SIZES[turn % len(SIZES)])
    source, output = copied(renumbered(way(found)), tmp_path)
    if path.stem not in LOST and path.parent.name != QUIC:
        assert outline(output) == outline(source)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "again"])
def test_nothing_of_a_secret_is_left(way: str, tmp_path: Path) -> None:
    tape, secrets = planted()
    assert left(secrets, copied(recut(tape.packets, WAYS[way]), tmp_path)[1]) == []


@pytest.mark.parametrize("size", [57, 80, 151])
def test_nothing_of_a_secret_is_left_that_a_snaplen_cuts(size: int, tmp_path: Path) -> None:
    tape, secrets = planted()
    assert left(secrets, copied(snapped(size)(tape.packets), tmp_path)[1]) == []


@pytest.mark.parametrize("part", range(4))
def test_nothing_of_a_secret_is_left_where_a_capture_begins(part: int, tmp_path: Path) -> None:
    tape, secrets = planted()
    found = recut(tape.packets, pieces_of(23))
    later = renumbered(begun(len(found) * part // 4 + 40)(found))
    assert left(secrets, copied(later, tmp_path)[1]) == []


def test_bytes_that_overlap(tmp_path: Path) -> None:
    copied(recut(stored("sse/reset"), overlapping(1)), tmp_path)


@pytest.mark.parametrize("name", ["websocket/reset", "chunked/trailers", "sse/reset"])
def test_segments_that_end_at_every_byte(name: str, tmp_path: Path) -> None:
    copied(at_every_byte(stored(name)), tmp_path)


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_snaplen_of_every_size(name: str, tmp_path: Path) -> None:
    found = stored(name)
    longest = max(len(packet[4]) for packet in found)
    ways = [snapped(size) for size in range(LEAST_HEADERS, longest, STEPS.get(name, 1))]
    source, output = copied(side_by_side(found, ways), tmp_path)
    assert places(output) == places(source)


@pytest.mark.parametrize(
    "name, size", [*product(DIALOGUES, (9, LARGEST)), ("websocket/truncated", LARGEST)]
)
def test_a_beginning_at_every_packet(name: str, size: int, tmp_path: Path) -> None:
    found = recut(stored(name), pieces_of(size))
    ways = [begun(first) for first in range(1, len(found), max(len(found) // 16, 1))]
    source, output = copied(side_by_side(found, ways), tmp_path)
    shown = outline if name in LESS else places
    assert shown(output) == shown(source)
