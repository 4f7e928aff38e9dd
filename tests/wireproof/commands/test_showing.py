"""``--select`` and ``--raw``: what rows show instead of what elements say."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.corpus import ROOT

from wireproof.cli import run

LINES = str(ROOT / "fixtures" / "chunked" / "ndjson.pcapng")


@pytest.mark.parametrize("form", [[], ["--view", "table"], ["--view", "wireshark"]])
def test_rows_show_what_is_selected(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", LINES, "--select", "text", *form]) == 0
    out = capsys.readouterr().out
    assert '" a large"' in out
    assert '"text": " a large"' not in out


def test_the_devtools_view_shows_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    talk = str(ROOT / "fixtures" / "sse" / "plain.pcapng")
    assert run(["decode", talk, "--select", "@", "--view", "devtools"]) == 0
    assert "EventStream" in capsys.readouterr().out


def test_raw_rows_are_as_the_wire_has_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["decode", LINES, "--raw"]) == 0
    assert '{"index": 1, "text": " a large"}' in capsys.readouterr().out


@pytest.mark.parametrize("command", [["decode", LINES], ["watch", "--port", "1"]])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--select", "a["], "--select 'a[': Invalid jmespath expression"),
        (["--select", "nope(a)"], "there is no function nope()"),
        (["--select", "a", "--raw"], "--select and --raw"),
        (["--select", "a", "--format", "ndjson"], "ndjson has the data as it is"),
        (["--raw", "--format", "csv"], "csv has the data as it is"),
    ],
)
def test_bad_usage_is_one_line(
    command: list[str], options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, *options]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert said in written.err
    assert written.err.count("\n") == 1


def test_a_file_for_programs_has_no_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decode", LINES, "--select", "a", "-o", str(tmp_path / "out.csv")]) == 2
    assert "csv has the data as it is" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
