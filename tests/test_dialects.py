"""The captures of known streams are what scapy builds, and every view shows what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.building import Built
from fixtures.dialects.build import FOLDER, KNOWN
from fixtures.record import expected_text
from parsers import decode_batches
from wireproof import cli
from wireproof.analysis.judges import explain
from wireproof.dialects.table import DIALECTS

every = pytest.mark.parametrize("known", KNOWN, ids=lambda one: one.name)
SPOKEN = {"chat-completion": "openai-chat", "message-error": "anthropic", "graphql": "graphql"}
SAID = {
    "chat-completion": ['text "Let me"', 'tool get_weather {"city":', "42 in, 17 out", "small-1"],
    "message-error": ['reasoning "Short,"', "error overloaded_error: Overloaded", "msg_1"],
    "graphql": ['next #1 {"room":{"text":"Hello"}}', "complete #1", "GraphQL over WebSocket"],
}


@every
def test_a_rebuild_gives_the_same_bytes(known: Built, tmp_path: Path) -> None:
    again = tmp_path / "again.pcapng"
    known.write(again)
    assert again.read_bytes() == known.path.read_bytes()


@every
def test_the_transcript(known: Built) -> None:
    assert expected_text(known.path) == known.path.with_suffix(".txt").read_text()


def test_all_that_is_stored_is_built() -> None:
    assert {path.stem for path in FOLDER.glob("*.pcapng")} == set(SPOKEN)


@every
def test_its_dialect_is_known(known: Built) -> None:
    with known.path.open("rb") as stream:
        records = [record for batch in decode_batches(stream) for record in batch]
    [explained] = explain(records)
    assert explained.trace.reader.name == SPOKEN[known.name]


@pytest.mark.parametrize("view", ["table", "devtools", "wireshark"])
@every
def test_every_view_for_people_shows_what_it_says(
    known: Built, view: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert cli.run(["decode", "--view", view, str(known.path)]) == 0
    out = capsys.readouterr().out
    assert [words for words in SAID[known.name] if words not in out] == []


@pytest.mark.parametrize("view", ["json", "ndjson", "csv"])
@every
def test_views_for_programs_have_data_as_it_is(
    known: Built, view: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["decode", "--format", view, str(known.path)]) == 0
    out = capsys.readouterr().out
    assert "#1 {" not in out
    assert 'text "' not in out
    assert "small-1" in out or "room" in out


def test_the_page_names_every_dialect() -> None:
    page = (Path(__file__).parents[1] / "docs" / "dialects.md").read_text()
    assert [one.name for one in DIALECTS if f"`{one.name}`" not in page] == []


@pytest.mark.tshark
@every
def test_as_wireshark_has_it(known: Built) -> None:
    assert cli.run(["compare", str(known.path)]) == 0
