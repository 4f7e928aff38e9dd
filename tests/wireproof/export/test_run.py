"""``wireproof export``: its options, its formats, and what it answers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.planted import in_headers, planted

from wireproof.cli import run

PLAIN = ROOT / "fixtures" / "sse" / "plain.pcapng"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.pcapng"
    path.write_bytes(planted()[0].file())
    return path


@pytest.mark.parametrize(
    "suffix, begins",
    [(".har", b'{"log"'), (".csv", b"record,"), (".parquet", b"PAR1"), (".json", b'{"log"')],
)
def test_the_suffix_says_the_format(suffix: str, begins: bytes, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    assert run(["export", str(PLAIN), "-o", str(output)]) == 0
    assert output.read_bytes().startswith(begins)


def test_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["export", str(PLAIN), "--format", "har"]) == 0
    shown = capfdbinary.readouterr()
    assert json.loads(shown.out)["log"]["version"] == "1.2" and shown.err == b""


@pytest.mark.parametrize("form", ["har", "csv", "parquet"])
def test_what_is_masked(
    form: str, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, secrets = planted()
    output = tmp_path / f"out.{form}"
    for option, left in (("--redact", 0), ("--redact-headers", 30), ("--no-redact", 40)):
        assert run(["export", str(secret), option, "-o", str(output)]) == 0
        found = secrets.found_in(_text(output))
        assert len(found) >= left and (left or found == [])
        assert bool(set(found) & set(in_headers(secrets))) == (option == "--no-redact")
        assert ("secrets masked" in capsys.readouterr().err) == (option != "--no-redact")


def _text(path: Path) -> str:
    if path.suffix != ".parquet":
        return path.read_text()
    import pyarrow.parquet as pq

    return json.dumps(pq.read_table(path).to_pylist(), default=str)


def test_by_default_known_fields_are_masked(secret: Path, tmp_path: Path) -> None:
    _, secrets = planted()
    output = tmp_path / "out.har"
    assert run(["export", str(secret), "-o", str(output)]) == 0
    assert not set(secrets.found_in(output.read_text())) & set(in_headers(secrets))


def test_csv_is_that_of_decode_where_nothing_is_a_formula(tmp_path: Path) -> None:
    exported, decoded = tmp_path / "a.csv", tmp_path / "b.csv"
    assert run(["export", str(PLAIN), "-o", str(exported)]) == 0
    assert run(["decode", str(PLAIN), "-o", str(decoded)]) == 0
    assert exported.read_bytes() == decoded.read_bytes()


def test_only_a_transport_or_a_connection(secret: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    assert run(["export", str(secret), "--transport", "websocket", "-o", str(output)]) == 0
    with output.open(newline="") as stream:
        kinds = {row["record"] for row in csv.DictReader(stream)}
    assert "websocket_frame" in kinds and "sse_event" not in kinds
    assert run(["export", str(secret), "--connection", "0", "-o", str(output)]) == 0
    with output.open(newline="") as stream:
        assert {row["connection"] for row in csv.DictReader(stream)} == {"0"}


def test_nothing_to_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.har"
    assert run(["export", str(PLAIN), "--connection", "7", "-o", str(output)]) == 0
    assert "nothing to export" in capsys.readouterr().err
    assert json.loads(output.read_text())["log"]["entries"] == []


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_bytes(b"no capture at all")
    output = tmp_path / "out.har"
    for source in (str(nothing), str(tmp_path / "missing")):
        for form in ("har", "csv"):
            assert run(["export", source, "--format", form, "-o", str(output)]) == 2
            assert len(capsys.readouterr().err.splitlines()) == 1
    assert not output.exists()
    assert run(["export", str(nothing), "-o", str(nothing)]) == 2


def test_parquet_is_not_for_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run(["export", str(PLAIN), "--format", "parquet"]) == 2
    assert "-o" in capsys.readouterr().err


def test_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out.har"
    with PLAIN.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        assert run(["export", "-", "-o", str(output)]) == 0
        assert len(json.loads(output.read_text())["log"]["entries"]) == 1


@pytest.mark.parametrize("name", ["x.xlsx", "x.har.gz", "x.txt"])
def test_a_suffix_of_no_format_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / name
    assert run(["export", str(PLAIN), "-o", str(output)]) == 2
    assert ".har, .json, .csv, .parquet" in capsys.readouterr().err
    assert not output.exists()
    assert run(["export", str(PLAIN), "--format", "har", "-o", str(output)]) == 0


@pytest.mark.parametrize("name", ["x.json", "x", "x.HAR"])
def test_without_a_suffix_of_another_it_is_har(name: str, tmp_path: Path) -> None:
    output = tmp_path / name
    assert run(["export", str(PLAIN), "-o", str(output)]) == 0
    assert json.loads(output.read_text())["log"]["version"] == "1.2"
