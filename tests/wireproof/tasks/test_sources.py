"""Records come from captures and from where they were stored, whatever the name of the file is."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.corpus import ROOT

from parsers.records import Record
from wireproof.cli import run
from wireproof.tasks.sources import UnreadableSource, reading

EVENTS = ROOT / "fixtures" / "sse" / "plain.pcapng"


def records(source: Path | str) -> list[Record]:
    with reading(str(source), "reading", lambda _: None) as batches:
        return [record for batch in batches for record in batch]


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Path]:
    for form in ("ndjson", "json"):
        assert run(["decode", str(EVENTS), "--format", form, "-o", str(tmp_path / form)]) == 0
    assert run(["export", str(EVENTS), "-o", str(tmp_path / "parquet"), "--format", "parquet"]) == 0
    (tmp_path / "gz").write_bytes(gzip.compress(EVENTS.read_bytes()))
    yield tmp_path


@pytest.mark.parametrize("form", ["ndjson", "json", "gz"])
def test_what_was_stored_is_what_was_decoded(stored: Path, form: str) -> None:
    assert records(stored / form) == records(EVENTS)


def test_parquet_is_read(stored: Path) -> None:
    assert len(records(stored / "parquet")) == len(records(EVENTS))


def test_standard_input_is_read(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (stored / "ndjson").open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        assert records("-") == records(EVENTS)


def test_parquet_cannot_be_read_from_a_pipe(stored: Path, tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def peek(self, _: int) -> bytes:
            return self.getvalue()[:1]

        def fileno(self) -> int:
            return 0

    from wireproof.tasks.sources import _stored

    with pytest.raises(ValueError, match="name the file"):
        list(_stored(b"P", Pipe(b"PAR1")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"record": "nothing"}\n', "not wireproof records"),
        (b'{"half', "not wireproof records"),
        (b"[1]", "not wireproof records"),
        (b"PAR0", ""),
        (b"hello", "not a capture file"),
        (b"", "is empty"),
    ],
)
def test_what_is_neither_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(UnreadableSource) as raised:
        records(path)
    assert raised.value.source == str(path)
    assert said in str(raised.value.error)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreadableSource, match="/nowhere"):
        records("/nowhere/x.pcapng")
