"""Finding an exchange among others, and asking a capture that is still being made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.demo import get, serving
from support.timed import Handmade, Stream, TimedTape

from capture import Recorder
from wireproof.testing import WireFailure
from wireproof.testing.captures import LiveCapture, StoredCapture


def three() -> Handmade:
    tape = TimedTape()
    for port, target in enumerate(("/chat?q=1", "/events", "/chat?q=2")):
        Stream(target, tape=tape, client_port=40_000 + port).events(port + 1, every=0.01).end()
    return Handmade(tape)


@pytest.mark.parametrize(
    ("path", "options", "events"),
    [
        ("/events", {}, 2),
        ("/chat?q=2", {}, 3),
        ("/chat", {"nth": 0}, 1),
        ("/chat", {"nth": -1}, 3),
        (None, {"nth": 1}, 2),
        ("/events", {"method": "get"}, 2),
    ],
)
def test_an_exchange_is_found(path: str | None, options: dict[str, int], events: int) -> None:
    assert len(three().exchange(path, **options).events) == events  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("/chats", {}, "no exchange for /chats; there were:\n  GET /chat?q=1 200 sse: 1 event,"),
        ("/events", {"method": "POST"}, "no exchange for POST /events; there were:"),
        ("/chat", {}, "2 exchanges for /chat: say which with nth=0 to 1, or nth=-1; there were:"),
        ("/chat", {"nth": 2}, "no exchange nth=2 for /chat, there are 2; there were:"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(
    path: str, options: dict[str, int], said: str
) -> None:
    with pytest.raises(WireFailure, match=re.escape(said)):
        three().exchange(path, **options)  # type: ignore[arg-type]


def test_nothing_at_all() -> None:
    with pytest.raises(WireFailure, match="no exchange for any exchange; nothing was recorded"):
        Handmade(TimedTape()).exchange()


def test_a_long_list_is_cut() -> None:
    tape = TimedTape()
    for port in range(25):
        Stream(tape=tape, client_port=40_000 + port).end()
    with pytest.raises(WireFailure, match="and 5 more$"):
        Handmade(tape).exchange("/x")


def test_exchanges_are_chosen_by_path_and_method() -> None:
    capture = three()
    assert [len(found.events) for found in capture.exchanges()] == [1, 2, 3]
    assert [len(found.events) for found in capture.exchanges("/chat")] == [1, 3]
    assert capture.exchanges("/chat", method="POST") == []


def test_a_target_that_a_proxy_got_is_found_by_its_path() -> None:
    capture = Stream("http://example.com:80/chat?x=1").end().capture
    assert capture.exchange("/chat").target == "http://example.com:80/chat?x=1"


def test_a_capture_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(Stream().events(2, every=0.01).end().tape.file())
    capture = StoredCapture(path, lambda _: "here", lambda name, exchanges, replace: None)
    assert len(capture.exchange("/chat").events) == 2
    assert capture.exchange() is capture.exchange()  # decoded once


@pytest.mark.packets
def test_a_capture_that_is_being_made_has_all_that_was_sent_before_the_question() -> None:
    with serving() as address:
        live = LiveCapture(
            lambda path: Recorder(path, port=address.port),
            lambda _: "here",
            lambda name, exchanges, replace: None,
        )
        live.start()
        try:
            for number in range(1, 4):
                get(address.host, address.port, f"/stream?n={number}")
                assert len(live.exchanges()) == number
                assert live.exchange(nth=-1).is_complete
        finally:
            live.stop()
    live.stop()  # a second time does nothing
    assert len(live.exchanges("/stream")) == 3
    live.close()


@pytest.mark.packets
def test_a_capture_leaves_no_file_but_where_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with serving() as address:
        live = LiveCapture(
            lambda path: Recorder(path, port=address.port),
            lambda _: "here",
            lambda name, exchanges, replace: None,
        )
        assert live.is_empty
        live.start()
        get(address.host, address.port, "/stream")
        live.stop()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not live.is_empty
    live.copy_to(tmp_path / "kept.pcapng")
    live.close()
    kept = StoredCapture(
        tmp_path / "kept.pcapng", lambda _: "", lambda name, exchanges, replace: None
    )
    assert kept.exchange("/stream").is_complete
    assert (tmp_path / "kept.pcapng").stat().st_mode & 0o077 == 0  # what was sent is its owner's
