"""News: what changed, a few times a second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
from support.answers import GET, SSE, chunk
from support.browser import PATIENCE, serving
from support.talk import Talk

from wireproof.web import app
from wireproof.web.index import Index
from wireproof.web.page_files import TYPES, page_file


@contextmanager
def let_in(index: Index) -> Iterator[httpx.Client]:
    """A client that the inspector of an index has let in."""
    with serving(index) as server:
        base = server.url.partition("/?")[0]
        with httpx.Client(base_url=base, timeout=PATIENCE) as client:
            assert client.get(server.url).status_code == 303
            yield client


def events(response: httpx.Response) -> Any:
    """Yield the events of a stream: their names and data."""
    name = "message"
    for line in response.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)
            name = "message"


def test_news_tell_what_changed_until_the_recording_ends() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE)
    with (
        closing(Index("live", "live")) as index,
        let_in(index) as client,
        client.stream("GET", "/news?since=0") as response,
    ):
        told = events(response)
        index.receive(talk.tape.packets)
        name, first = next(told)
        assert name == "message"
        assert [row["key"] for row in first["rows"]] == ["0.0"]
        assert first["summary"]["state"] == "live"
        before = len(talk.tape.packets)
        talk.server(chunk(b"data: x\n\n"))
        index.receive(talk.tape.packets[before:])
        _, second = next(told)
        assert second["rows"][0]["counts"]["e"] == 1
        assert second["summary"]["version"] > first["summary"]["version"]
        index.finish([])
        *_, (last, _) = told
        assert last == "end"


def test_rows_that_did_not_change_are_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MAX_NEWS", 2)
    talk = Talk().open()
    for number in range(5):
        talk.client(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
    with closing(Index("five")) as index:
        index.receive(talk.tape.packets[:5])
        index.receive(talk.tape.packets[5:])
        _, upto, is_last = app._changes([index], [0])
        assert not is_last and upto[0] <= index.version
        found, upto, _ = app._changes([index], [index.version])
        assert (found, upto) == (None, [index.version])


def test_files_of_the_page_have_their_types() -> None:
    with closing(Index("none")) as index, let_in(index) as client:
        for name in TYPES:
            answer = client.get(f"/{name}")
            assert answer.content == page_file(name)
            assert answer.headers["content-type"] == TYPES[name]
            assert answer.headers["cache-control"] == "no-store"


def test_no_other_file_is_known() -> None:
    with pytest.raises(KeyError):
        page_file("../guard.py")
