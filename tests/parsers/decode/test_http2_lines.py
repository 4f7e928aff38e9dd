"""Lines of JSON over HTTP/2 whose head is missing, or some of whose bytes are."""

from __future__ import annotations

import pytest
from support.http2 import GET, OK, Http2Talk, data
from support.http2_events import faults, of_stream

from parsers.records import BodyRecord, JsonLineRecord, Record

LINES: list[tuple[str, str]] = [*OK, ("content-type", "application/x-ndjson")]


def spoken_lines(*contents: bytes, ends: bool = True) -> list[Record]:
    """Content whose head is missing, a DATA frame each."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.talk.lose("server", len(talk.server.head(1, LINES)))
    for place, content in enumerate(contents):
        talk.say("server", data(1, content, ends=ends and place == len(contents) - 1))
    return talk.records()


@pytest.mark.parametrize(
    "contents",
    [
        (b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n'),
        (b'{"a":1}\n{"a":2}\n', b'{"a":3}\n'),
        (b'{"a":1}\n', b"", b'{"a":2}\n{"a":', b"3}\n"),
    ],
)
def test_lines_of_json_tell_what_they_are_without_a_head(contents: tuple[bytes, ...]) -> None:
    records = spoken_lines(*contents)
    lines = [one.data for one in records if isinstance(one, JsonLineRecord)]
    if contents[1]:
        assert lines == ['{"a":1}', '{"a":2}', '{"a":3}']
        (said,) = faults(records, "json-lines-found")
        assert (said.stream_id, said.severity) == (1, "note")
        assert said.summary.endswith("2 of them came first")
    else:  # what is held ends amid a line: nothing is guessed
        assert lines == []
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.size, body.complete) == (sum(map(len, contents)), False)


@pytest.mark.parametrize(
    "contents",
    [
        (b'{"a":1}\n',),  # may be all of a document
        (b'{\n "a": 1\n}\n',),
        (b'{"a":1}\n', b"and then some text\n"),
        (b"1\n2\n", b"3\n"),
        (b"line\n", b'{"a":1}\n{"a":2}\n'),
    ],
)
def test_what_may_be_something_else_is_not_read_as_lines(contents: tuple[bytes, ...]) -> None:
    records = spoken_lines(*contents)
    assert not [one for one in records if isinstance(one, JsonLineRecord)]
    assert not faults(records, "json-lines-found")
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert body.size == sum(map(len, contents))


LINE = b'{"line":%d}\n'
Lost = tuple[int, int] | None
"""Of a DATA frame: nothing is lost, or all between two places of it."""


@pytest.mark.parametrize(
    "pieces",
    [
        [(LINE % 0, None), (LINE % 1, (12, 17)), (LINE % 2, None)],
        [(LINE % 0, None), (LINE % 1, (14, 20)), (LINE % 2, None)],
        [(LINE % 0, None), (b'{"a":', (0, 14)), (b"1}\n" + LINE % 2, None)],
        [(LINE % 0, None), (b'{"a":', (0, 14)), (b"1, ", None), (b'"c":2}\n', None)],
        [
            (LINE % 0, None),
            (b'{"a":', (0, 14)),
            (b"1, ", None),
            (b'"c"', (9, 11)),
            (b":2}\n", None),
        ],
        [(b'{"a":', None), (b"1, ", (0, 12)), (b'"c":2}\n', None), (LINE % 2, None)],
    ],
    ids=[
        "in a frame",
        "the end of one",
        "its beginning",
        "and nothing certain after it",
        "twice",
        "its middle",
    ],
)
def test_lines_of_json_go_on_after_a_hole(pieces: list[tuple[bytes, Lost]]) -> None:
    """What is read is what was sent: no line of two halves that do not belong together."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, LINES))
    sent = [*pieces, *[(LINE % number, None) for number in range(3, 6)]]
    for content, lost in sent:
        whole = data(1, content)
        start, end = lost or (len(whole), len(whole))
        if start:
            talk.say("server", whole[:start])
        talk.talk.lose("server", end - start)
        if whole[end:]:
            talk.say("server", whole[end:])
    talk.say("server", data(1, b"", ends=True))
    records = talk.records()
    said = b"".join(content for content, _ in sent).splitlines()
    found = [(one.data or "").encode().strip() for one in of_stream(JsonLineRecord, records, 1)]
    assert found[-3:] == [b'{"line":%d}' % number for number in range(3, 6)]
    whole_lines = [one for one in found if one.startswith(b"{") and one.endswith(b"}")]
    assert all(one in said for one in whole_lines)
    (body,) = of_stream(BodyRecord, records, 1)
    assert not body.complete
