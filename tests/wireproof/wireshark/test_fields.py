"""The table of names: every one of them is known to the tshark that is asked."""

from __future__ import annotations

import subprocess

import pytest

from wireproof.wireshark import fields
from wireproof.wireshark.fields import SEGMENT, TABLE, Name, names, wireshark_name
from wireproof.wireshark.locate import find_tshark


@pytest.mark.tshark
def test_tshark_knows_every_field() -> None:
    tshark = find_tshark()
    command = [tshark.path, "-G", "fields"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    known = {line.split("\t")[2] for line in said.splitlines() if line.startswith("F\t")}
    assert {*names(tshark.version), *SEGMENT} <= known


def test_each_name_stands_for_one_field_of_ours_or_for_places_and_times() -> None:
    assert names((4, 0, 17))["http.chunk_size"] == "size"
    assert set(names((4, 0, 17)).values()) <= set(TABLE)


def test_the_newest_name_that_is_not_newer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = (Name("http.old"), Name("http.new", (4, 4, 0)))
    monkeypatch.setitem(fields.TABLE, "size", renamed)
    assert wireshark_name("size", (4, 2, 9)) == "http.old"
    assert wireshark_name("size", (4, 4, 0)) == "http.new"
    assert names((4, 6, 0))["http.new"] == "size"
