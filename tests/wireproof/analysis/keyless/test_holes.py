"""What the capture lacks of a TLS connection is said, with keys and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sealed import connection
from support.talk import Side, Talk
from support.tls_live import Dialogue, dialogue

from parsers.records import Hole
from wireproof import decode
from wireproof.analysis.keyless.holes import judge_holes, missing_of
from wireproof.analysis.listing import Listed
from wireproof.analysis.outcomes import outcomes
from wireproof.analysis.verdict import Verdict
from wireproof.cli import run

ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = [b"b\r\ndata: %04d\n\r\n" % number for number in range(8)]


def hole(
    packet: int, length: int, *, filled_by: int | None = None, sender: Side = "server"
) -> Hole:
    return {
        "sender": sender, "offset": 9, "length": length, "packet": packet, "time": 1.0,
        "filled_by": filled_by, "seconds": None if filled_by is None else 0.1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def said() -> Dialogue:
    lines: list[tuple[Side, bytes]] = [("client", ASKED), ("server", HEAD)]
    return dialogue([*lines, *(("server", one) for one in EVENTS), ("server", b"0\r\n\r\n")])


@pytest.fixture
def capture(said: Dialogue, tmp_path: Path) -> tuple[Path, int]:
    """A capture without one event, and the packet after it."""
    talk, after = Talk().open(), 0
    for number, (sender, content) in enumerate(said.pieces):
        if number == len(said.pieces) - 6:
            talk.lose(sender, len(content))
        else:
            packet = talk.segment(sender, content)
            after = packet if number == len(said.pieces) - 5 else after
    talk.close()
    path = tmp_path / "lost.pcapng"
    path.write_bytes(talk.tape.file())
    path.with_suffix(".keys").write_bytes(said.keys)
    return path, after


def sealed(path: Path, keys: Path | None) -> tuple[Listed, list[Verdict]]:
    records = list(decode(path, keylog=keys))
    (found,) = [one for one in outcomes([records]) if one.listed.tls is not None]
    return found.listed, found.verdicts


@pytest.mark.parametrize("with_keys", [False, True])
def test_a_hole_is_told_with_its_packet(capture: tuple[Path, int], with_keys: bool) -> None:
    path, after = capture
    listed, verdicts = sealed(path, path.with_suffix(".keys") if with_keys else None)
    (found,) = [one for one in verdicts if one.question == "capture"]
    assert (found.answer, found.severity, found.packets) == ("lacks-packets", "note", (after,))
    assert f"before packet {after}" in found.summary
    assert listed.tls is not None
    assert listed.tls.missing_bytes == len(EVENTS[0]) + 22
    assert listed.severity == "note"


def test_the_list_names_it(capture: tuple[Path, int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ls", str(capture[0])]) == 0
    assert "lacks-packets" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("holes", "missing", "words"),
    [
        ([hole(5, 9)], 9, "9 bytes of the server's before packet 5"),
        ([hole(5, 9), hole(8, 1, filled_by=9)], 9, "9 bytes of the server's before packet 5"),
        (
            [hole(5, 9), hole(7, 2, sender="client")],
            11, "11 bytes of the client's and the server's in 2 places, first before packet 5",
        ),
    ],
)  # fmt: skip
def test_only_what_nothing_filled_is_missing(holes: list[Hole], missing: int, words: str) -> None:
    record = connection(holes=holes)
    assert missing_of(record) == missing
    found = judge_holes(record)
    assert found is not None
    assert words in found.summary


def test_nothing_is_said_of_what_is_whole() -> None:
    assert judge_holes(connection(holes=[])) is None
    assert judge_holes(connection(holes=[hole(5, 9, filled_by=6)])) is None
