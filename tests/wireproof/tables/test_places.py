"""Captures that are asked something: a data set for the time being, without what is unreadable."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof.tables import TableOptions
from wireproof.tables.dataset import DataSet
from wireproof.tables.places import NothingToRead, places

PLAIN = str(ROOT / "fixtures" / "sse" / "plain.pcapng")


def test_captures_are_there_as_long_as_they_are_asked(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"bad")
    said: list[str] = []
    with ExitStack() as stack:
        [place] = places([PLAIN, str(bad)], TableOptions(), said.append, stack)
        assert [made.capture for made in DataSet(place).captures()] == [PLAIN]
        assert places([place], TableOptions(), said.append, stack) == [place]
    assert not Path(place).exists()
    assert len(said) == 1 and said[0].startswith(f"{bad}: not a capture file")


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a.pcap", "b.pcap")]
    for name in names:
        Path(name).write_bytes(b"bad")
    with ExitStack() as stack:
        with pytest.raises(NothingToRead, match=r"a\.pcap: not a capture file"):
            places(names[:1], TableOptions(), print, stack)
        with pytest.raises(NothingToRead, match=r"a\.pcap, .*b\.pcap: no capture that can be read"):
            places(names, TableOptions(), lambda _: None, stack)


def test_temporary_files_that_cannot_be_written_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with ExitStack() as stack, pytest.raises(FileNotFoundError) as raised:
        places([PLAIN], TableOptions(), print, stack)
    assert raised.value.filename == "temporary files"
