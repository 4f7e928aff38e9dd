"""Profiles: bounded, and the same after they were stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.diff import profile as module
from wireproof.diff.profile import FORMAT, Group, Profile, decoded, encoded, thinned
from wireproof.diff.reading import profile_of


def test_samples_keep_their_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 5)
    assert thinned([3.0, 1.0, 2.0]) == [1.0, 2.0, 3.0]
    assert thinned([float(number) for number in range(101)]) == [0, 25, 50, 75, 100]


def test_a_stored_profile_is_the_same() -> None:
    group = Group(2, {"streaming: held": 1}, {"whole": 2}, 0, [3.0, 3.0], {"first": [0.1, 0.2]})
    found = Profile(FORMAT, {"GET /": group}, 10, 1)
    assert decoded(encoded(found)) == found


@pytest.mark.parametrize(
    "data, said", [(b"{}", "no baseline"), (b"bad", "no baseline"), (b'{"format":9', "no baseline")]
)
def test_what_is_no_baseline(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decoded(data)
    with pytest.raises(ValueError, match="format 9"):
        decoded(encoded(Profile(9, {}, 0, 0)))


def test_what_cannot_be_read_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.pcap: the file is empty"):
        profile_of([str(tmp_path)])


def test_what_cannot_be_read_is_left_out_if_it_may_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = str(ROOT / "fixtures" / "sse" / "plain.pcapng")
    (tmp_path / "whole.pcapng").write_bytes(Path(whole).read_bytes())
    (tmp_path / "empty.pcap").write_bytes(b"")
    with pytest.raises(ValueError, match="the file is empty"):
        profile_of([str(tmp_path)])
    said: list[str] = []
    assert profile_of([str(tmp_path)], said.append) == profile_of([whole])
    assert len(said) == 1
    assert run(["diff", whole, str(tmp_path)]) == 1
    assert "empty.pcap: the file is empty" in capsys.readouterr().err
    assert run(["diff", whole, whole]) == 0
