"""A capture in a notebook: tables and pictures that need nothing else, and records as tables."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path

import pytest
from support.answers import SSE, chunk
from support.corpus import ROOT
from support.talk import Talk

import wireproof
from wireproof import notebook

SSE_CAPTURE = ROOT / "fixtures/sse/plain.pcapng"
TWO = ROOT / "fixtures/nginx/chat.pcapng"


def test_exchanges_are_a_table() -> None:
    capture = wireproof.open(TWO)
    assert len(capture) == 2
    shown = capture._repr_html_()
    assert shown.count("<tr>") == 3
    assert "GET /chat" in shown and "<td>held, whole</td>" in shown
    # Jupyter sets a class of its own on no table: ours brings its rules, for itself alone.
    style = re.search(r"<style>(.*?)</style>", shown, re.DOTALL)
    assert style is not None and '<table class="wireproof">' in shown
    rules = re.findall(r"^(.+)\{", style[1], re.MULTILINE)
    assert rules and all(part.startswith(".wireproof") for part in rules)
    assert repr(capture) == "<Capture 'chat.pcapng' of 2 exchanges>"


def test_records_of_one_kind_have_the_columns_that_these_have() -> None:
    capture = wireproof.open(TWO)
    whole, events = capture.to_arrow(), capture[1].to_arrow("sse_event")
    assert set(events["record"].to_pylist()) == {"sse_event"}
    assert len(events) == 15 and {"data", "event", "first_packet", "time"} <= {*events.column_names}
    assert len(events.column_names) < len(whole.column_names) / 4
    assert all(events[name].null_count < len(events) for name in events.column_names)
    assert len(capture.to_arrow("websocket_frame")) == 0
    assert list(capture[1].to_pandas("sse_event").columns) == events.column_names


def test_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "MAX_ROWS", 1)
    assert "<p>and 1 more</p>" in wireproof.open(TWO)._repr_html_()


def test_an_exchange_is_its_timeline() -> None:
    shown = wireproof.open(str(TWO))[1]._repr_html_()
    found = re.fullmatch(
        r'<img alt="GET /chat: [^"<>]+" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)">', shown
    )
    assert found is not None
    assert b"<svg" in b64decode(found[1])


def test_without_what_draws_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "lacks", lambda extra: ["matplotlib"])
    shown = wireproof.open(SSE_CAPTURE)[0]._repr_html_()
    assert "needs matplotlib: pip install &#x27;wireproof[notebook]&#x27;" in shown


def test_what_came_from_the_wire_is_text(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(b"GET /<script>alert(1)</script>\"' HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(SSE, chunk(b"data: x\n\n"), b"0\r\n\r\n")
    talk.close()
    path = tmp_path / "hostile.pcapng"
    path.write_bytes(talk.tape.file())
    capture = wireproof.open(path)
    assert "<script" not in capture._repr_html_()
    assert capture[0]._repr_html_().count('"') == 4


def test_records_are_tables_of_three_kinds() -> None:
    capture = wireproof.open(SSE_CAPTURE)
    own = list(wireproof.decode(SSE_CAPTURE))
    table = capture.to_arrow()
    assert table["record"].to_pylist() == [record.record for record in own]
    assert table["last_packet"].to_pylist() == [record.last_packet for record in own]
    frame = capture.to_pandas()
    assert list(frame["record"]) == [record.record for record in own]
    assert frame["time"].iloc[0].timestamp() == pytest.approx(own[0].last_time, abs=1e-6)
    assert capture.to_polars()["record"].to_list() == [record.record for record in own]


def test_an_exchange_has_its_own_records() -> None:
    exchange = wireproof.open(TWO)[1]
    kinds = exchange.to_polars()
    assert set(kinds["connection"].to_list()) == {1}
    assert kinds.height == len(list(exchange.records(keep_data=False)))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(notebook, "import_module", missing)
    with pytest.raises(ImportError, match=r"needs polars: pip install 'wireproof\[notebook\]'"):
        wireproof.open(SSE_CAPTURE).to_polars()


def test_what_is_no_capture_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no capture file at all, only text")
    with pytest.raises(ValueError, match="capture"):
        wireproof.open(path)
