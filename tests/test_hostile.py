"""The hostile captures are what scapy builds, and are decoded as a receiver takes them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fixtures.building import Built
from fixtures.hostile.build import FOLDER, HOSTILE
from parsers.records import BodyRecord, ChunkRecord, ConnectionRecord, DiagnosticRecord, Record
from wireproof import cli, decode

WELL = b"firstsecondthird"
NOT_WHOLE = {"fragments-missing", "reset-in-the-middle"}
OTHER_BYTES = {
    "bad-ip-checksum": b"FORGEsecondthird",  # as Wireshark has it, which verifies none either
    "overlap-waiting": b"firstSECondthird",  # as Linux has it: what arrives in order goes first
}
FAULTS = {
    "bad-ip-checksum": ["tcp-overlap-conflict"],
    "bad-tcp-checksum": ["tcp-checksum-wrong"],
    "fragments-missing": ["ip-fragment-missing"],
    "fragments-overlap": ["ip-fragment-overlap"],
    "overlap-delivered": ["tcp-overlap-conflict"],
    "overlap-waiting": ["tcp-overlap-conflict", "tcp-overlap-conflict"],
    "reset-in-the-middle": ["chunk-last-missing"],
    "reset-out-of-window": ["tcp-reset-ignored"],
    "strangers": ["packets-not-decoded"],
}
RECORDERS = ("record.py", "handshakes.py")
BUILDERS = (
    FOLDER.parent / "building.py",
    *(path for path in FOLDER.parent.glob("*/*.py") if path.name not in RECORDERS),
)
"""What makes captures by itself; what records them runs the servers that it records."""
AS_WIRESHARK = ("fragments-reversed", "ip-options", "ipv6-extensions", "qinq", "sequence-wrap")
every = pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: one.name)


def records(hostile: Built) -> list[Record]:
    return list(decode(hostile.path))


@every
def test_a_rebuild_gives_the_same_bytes(hostile: Built, tmp_path: Path) -> None:
    again = tmp_path / "again.pcapng"
    hostile.write(again)
    assert again.read_bytes() == hostile.path.read_bytes()


def test_all_that_is_stored_is_built() -> None:
    assert {path.stem for path in FOLDER.glob("*.pcapng")} == {one.name for one in HOSTILE}
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 200_000


def test_they_share_no_code_with_what_reads_them() -> None:
    sources = [path.read_text() for path in BUILDERS]
    lines = [line for source in sources for line in source.splitlines()]
    imported = {line.split()[1] for line in lines if line.startswith(("from ", "import "))}
    others = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert others <= {"fixtures", "scapy", ""}, "the last are relative"


@every
def test_what_a_receiver_would_have(hostile: Built) -> None:
    found = records(hostile)
    assert [one.protocol for one in found if isinstance(one, ConnectionRecord)] == ["http/1.1"]
    chunks = "".join(one.data or "" for one in found if isinstance(one, ChunkRecord)).encode()
    whole = [one.complete for one in found if isinstance(one, BodyRecord)]
    if hostile.name in NOT_WHOLE:
        assert whole in ([], [False])
    else:
        assert whole == [True]
        assert chunks == OTHER_BYTES.get(hostile.name, WELL)


@pytest.mark.tshark
@pytest.mark.parametrize("name", AS_WIRESHARK)
def test_as_wireshark_has_it(name: str) -> None:
    """It differs on purpose at a wrong checksum, at fragments that overlap, at data with SYN."""
    assert cli.run(["compare", str(FOLDER / f"{name}.pcapng")]) == 0


@every
def test_faults_are_told_and_no_others(hostile: Built) -> None:
    told = [one.code for one in records(hostile) if isinstance(one, DiagnosticRecord)]
    assert told == FAULTS.get(hostile.name, [])
