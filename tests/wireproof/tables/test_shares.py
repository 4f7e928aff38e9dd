"""A capture by shares of its connections: the files of one process, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from support.corpus import ROOT

from benchmarks.packets import Packet, write
from benchmarks.scale.making import make_ring
from parsers import CaptureReader
from wireproof.arrow import rows
from wireproof.tables import cluster
from wireproof.tables.dataset import DataSet, Plan
from wireproof.tables.exporting import ExportJob, run
from wireproof.tables.files import Capture, capture_of, found
from wireproof.tables.kinds import KINDS
from wireproof.tables.parts import PART_SIZE, Done
from wireproof.tables.reading import TableOptions
from wireproof.tables.shares import SHARES, Told, finish, groups, join, shares_of

USUAL, ALL = TableOptions(), TableOptions(kinds=KINDS, keep_data=True)


def contents(place: Path) -> dict[str, bytes]:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def by_shares(of: int, place: Path, capture: Capture, options: TableOptions) -> Done:
    shares = shares_of(str(place), capture, options, of)
    told = [share.decode() for share in shares]
    assert isinstance(told[0], Told) and not any(isinstance(one, Done) for one in told)
    joined = []
    for kinds in reversed(groups(options.kinds)):
        joined.append(join(shares, told[0], kinds))
    return finish(shares, told[0], joined)


def alone(place: Path, capture: Capture, options: TableOptions) -> Done:
    return DataSet(str(place)).make(capture, options)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Event streams, chats, WebSockets, JSON and bulk; connections span the files."""
    return make_ring(tmp_path_factory.mktemp("ring"), 1_200_000, files=3)


@pytest.mark.parametrize("options", (USUAL, ALL), ids=("usual", "everything"))
@pytest.mark.parametrize("of", (1, 2, 3))
def test_a_ring_by_shares(ring: Path, tmp_path: Path, options: TableOptions, of: int) -> None:
    [capture] = found([str(ring)])
    whole = alone(tmp_path / "alone", capture, options)
    joined = by_shares(of, tmp_path / "shares", capture, options)
    assert joined == whole and joined.made is not None
    assert joined.made.rows["elements"] > 1_000
    assert contents(tmp_path / "shares") == contents(tmp_path / "alone")


def test_tables_that_are_full_before_others_begin(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large ring elements are written first: the manifest names files in the usual order."""
    monkeypatch.setattr(rows, "GROUP_ROWS", 200)
    [capture] = found([str(ring)])
    alone(tmp_path / "alone", capture, USUAL)
    by_shares(2, tmp_path / "shares", capture, USUAL)
    assert contents(tmp_path / "shares") == contents(tmp_path / "alone")


def test_whole_and_split_files_say_the_same(ring: Path, tmp_path: Path) -> None:
    """But for what the capture is called, and the digest of its files."""
    import pyarrow.parquet as pq

    files = sorted(ring.iterdir())
    whole = tmp_path / "gateway.pcapng"
    write(whole, (packet for path in files for packet in packets(path)))
    tables = {}
    for name, sources in {"split": [str(ring)], "whole": [str(whole)]}.items():
        [capture] = found(sources)
        by_shares(2, tmp_path / name, capture, TableOptions(host="gateway"))
        left_out = ["capture", "capture_sha256"]
        tables[name] = {
            path.parent.name: pq.read_table(path, partitioning=None).drop_columns(left_out)
            for path in (tmp_path / name).rglob("*.parquet")
        }
    assert tables["split"].keys() == tables["whole"].keys() and len(tables["whole"]) >= 4
    for kind, table in tables["whole"].items():
        assert table.equals(tables["split"][kind]), kind


def packets(path: Path) -> list[Packet]:
    with path.open("rb") as stream:
        return [Packet(time or 0, bytes(data)) for _, time, _, _, data in CaptureReader(stream)]


@pytest.mark.parametrize(
    "name",
    (
        "tls/grpc.pcapng",
        "quic/h3_keyupdate.pcap",
        "verdicts/en15-client-abort-nginx-ignores.pcap",
        "verdicts/en06-nginx-504-read-timeout-before-head-b.pcap",
    ),
)
def test_stored_captures_by_shares(tmp_path: Path, name: str) -> None:
    capture = capture_of([str(ROOT / "fixtures" / name)])
    alone(tmp_path / "alone", capture, ALL)
    by_shares(2, tmp_path / "shares", capture, ALL)
    assert contents(tmp_path / "shares") == contents(tmp_path / "alone")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none.pcapng"
    path.write_bytes(b"no capture at all")
    capture = capture_of([str(path)])
    told = shares_of(str(tmp_path / "set"), capture, USUAL, 2)[0].decode()
    assert isinstance(told, Done) and told == alone(tmp_path / "set", capture, USUAL)
    path.unlink()
    gone = shares_of(str(tmp_path / "set"), capture, USUAL, 2)[1].decode()
    assert isinstance(gone, Done) and gone.error == "No such file or directory"


def test_shares_that_were_left_are_removed(ring: Path, tmp_path: Path) -> None:
    [capture] = found([str(ring)])
    share = shares_of(str(tmp_path), capture, USUAL, 3)[0]
    share.decode()
    other = tmp_path / SHARES / "another.0-of-3"
    other.touch()
    run(ExportJob([str(ring)], str(tmp_path), USUAL), lambda _: None)
    assert list((tmp_path / SHARES).iterdir()) == [other]


def test_what_is_spread() -> None:
    """What one worker would be at when the others are done."""
    sizes = [3 * PART_SIZE, PART_SIZE // 2, PART_SIZE]
    parts = [[capture_of([name])] for name in "abc"]
    plan = Plan([], parts, sizes)
    assert cluster.large(plan, 2) == parts[:1]
    assert cluster.large(plan, 1) == []
    assert cluster.large(Plan([], parts, [PART_SIZE] * 3), 8) == []
    several = Plan([], [[*parts[0], *parts[1]]], [2 * PART_SIZE])
    assert cluster.large(several, 4) == [], "a part of several captures is one worker's"


def test_a_share_tells_nothing_without_its_key(tmp_path: Path) -> None:
    """It holds what is masked in the tables, and may be left where others can read it."""
    capture = capture_of([str(ROOT / "fixtures" / "sse" / "plain.pcapng")])
    share, again = (shares_of(str(tmp_path), capture, USUAL, 1)[0] for _ in range(2))
    assert isinstance(share.decode(), Told)
    assert sum(len(batch.records) for batch in share.batches()) > 20
    with pytest.raises(InvalidTag):
        list(again.batches())
    assert (tmp_path / share.path).stat().st_mode & 0o777 == 0o600
