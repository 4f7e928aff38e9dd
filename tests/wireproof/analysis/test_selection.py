"""Records of one transport, in the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, zip_longest

import pytest
from support.handmade import Wire, chunked
from support.http2 import EVENTS, GET, OK, Http2Talk, data

from parsers.records import ConnectionRecord, Record, SseEventRecord, Transport
from wireproof import open_exchanges
from wireproof.analysis import selection
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.selection import Chosen, LiveSelection, Selection, clue, select
from wireproof.open_exchanges import Key

CHUNKED = ("Transfer-Encoding", "chunked")


def events(connection: int = 0) -> list[Record]:
    wire = Wire(connection)
    return [
        wire.request("/sse", ("Accept", "text/event-stream")),
        wire.events(),
        wire.chunk("data: x\n\n"),
        wire.event(("data", "x")),
        wire.body(),
        wire.end(),
    ]


def websocket(connection: int = 0) -> list[Record]:
    wire = Wire(connection)
    return [*wire.upgrade(), wire.frame(), wire.message(), wire.end(protocol="websocket")]


EXCHANGES: dict[Transport, list[Record]] = {
    "chunked": chunked(0),
    "sse": events(1),
    "websocket": websocket(2),
}


def interleaved() -> Iterator[Record]:
    for records in zip_longest(*EXCHANGES.values()):
        yield from (record for record in records if record is not None)


@pytest.mark.parametrize("transport", EXCHANGES)
def test_records_of_a_transport_come_whole_and_in_order(transport: Transport) -> None:
    assert list(select(interleaved(), ExchangeFilter(transport=transport))) == EXCHANGES[transport]


@pytest.mark.parametrize("transport", EXCHANGES)
def test_records_are_let_go_with_the_response_that_decides(transport: Transport) -> None:
    chosen: Selection[Record] = Selection(ExchangeFilter(transport=transport))
    request, response = EXCHANGES[transport][:2]
    assert list(chosen.add(request, clue(request))) == []
    assert list(chosen.add(response, clue(response))) == [request, response]


def test_the_order_of_records_stays_what_it_was() -> None:
    first, second = chunked(0), chunked(1)
    # The first one's response comes last: all wait for it.
    records = [first[0], *second, *first[1:]]
    assert list(select(records, ExchangeFilter(transport="chunked"))) == records


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_refused_upgrade_is_a_websocket(framing: str) -> None:
    wire = Wire()
    records = [
        wire.request("/ws", ("Upgrade", "websocket")),
        wire.response(status=403, framing=framing),
        wire.body(),
        wire.end(),
    ]
    assert list(select(records, ExchangeFilter(transport="websocket"))) == records
    assert list(select(records, ExchangeFilter(transport="chunked"))) == []


def test_an_interim_response_decides_nothing() -> None:
    wire = Wire()
    records = [wire.request(), wire.response(status=103, framing="none"), wire.events(), wire.end()]
    assert list(select(records, ExchangeFilter(transport="sse"))) == records


@pytest.mark.parametrize(
    ("transport", "make"),
    [
        ("sse", lambda wire: [wire.chunk("data: x\n\n"), wire.event(("data", "x"))]),
        ("chunked", lambda wire: [wire.chunk("x"), wire.chunk()]),
        ("websocket", lambda wire: [wire.frame(), wire.message()]),
    ],
)
def test_without_heads_the_elements_say_what_it_is(transport: Transport, make: object) -> None:
    wire = Wire()
    records = [*make(wire), wire.end(midstream=True)]  # type: ignore[operator]
    for other in EXCHANGES:
        assert list(select(records, ExchangeFilter(transport=other))) == (
            records if other == transport else []
        )


def test_a_request_without_response_is_what_it_asked_for() -> None:
    wire = Wire()
    records = [wire.request("/ws", ("Upgrade", "websocket"))]
    assert list(select(records, ExchangeFilter(transport="websocket"))) == records
    assert list(select(records, ExchangeFilter(transport="chunked"))) == []


def test_records_of_the_connection_go_with_its_exchanges() -> None:
    wire = Wire()
    early, late = wire.fault(exchange=None), wire.fault(exchange=None)
    records = [early, *events()[:-1], late, wire.end()]
    assert list(select(records, ExchangeFilter(transport="sse"))) == records
    assert list(select(records, ExchangeFilter(transport="chunked"))) == []


def test_a_connection_that_never_says_what_it_is_belongs_to_no_transport() -> None:
    wire = Wire()
    faults = [wire.fault(exchange=None), wire.fault(exchange=None)]
    assert list(select(faults, ExchangeFilter(transport="chunked"))) == []
    assert list(select([*faults, wire.end()], ExchangeFilter(transport="chunked"))) == []


def test_records_of_the_file_are_for_everyone() -> None:
    fault = Wire().fault(connection=None, exchange=None)
    assert list(select([fault], ExchangeFilter(transport="sse"))) == [fault]


def test_one_exchange_of_several_on_a_connection() -> None:
    plain, stream = Wire(exchange=0), Wire(exchange=1)
    records = [
        plain.request(),
        plain.response(framing="content-length"),
        plain.body(ended_by="content-length"),
        stream.request(),
        stream.events(),
        stream.body(),
        stream.end(),
    ]
    assert list(select(records, ExchangeFilter(transport="sse"))) == records[3:]


@pytest.mark.parametrize(("limit", "value"), [("MAX_HELD_RECORDS", 3), ("MAX_HELD_DATA", 20)])
def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(selection, limit, value)
    asked, silent, other = Wire(0), Wire(1), Wire(2)
    upload = asked.request("/upload", CHUNKED)
    records = [silent.request(), upload]
    chosen: Selection[Record] = Selection(ExchangeFilter(transport="chunked"))
    given = [list(chosen.add(record, clue(record))) for record in records]
    assert given == [[], []]
    flow = [other.request(), other.response(CHUNKED)]
    flow += [other.chunk("0123456789") for _ in range(4)]
    # Judged by their requests: an upload in chunks is kept, what asked for nothing is not.
    assert list(chain.from_iterable(map(chosen.add, flow, map(clue, flow)))) == [upload, *flow]
    assert list(chosen.finish()) == []


def test_exchanges_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_exchanges, "MAX_PIPELINED", 2)
    wire = Wire()
    requests = []
    for wire.exchange in range(4):
        requests.append(wire.request("/", CHUNKED))
    wire.exchange = 3
    records = [*requests, wire.response(CHUNKED)]
    assert list(select(records, ExchangeFilter(transport="chunked"))) == records
    assert list(select(records, ExchangeFilter(transport="sse"))) == []


# --- streams that go on beside each other ---


def streams() -> list[Record]:
    """Three streams of HTTP/2, of which the last is answered first, and ends first."""
    talk = Http2Talk().begin()
    for stream in (1, 3, 5):
        path = (":path", f"/{stream}")
        talk.say("client", talk.client.head(stream, [*GET[:3], path], ends=True))
    for stream in (5, 3, 1):
        talk.say("server", talk.server.head(stream, EVENTS if stream != 3 else OK))
    for stream in (5, 3, 1, 1, 3):
        talk.say("server", data(stream, b"data: a\n\n"))
    for stream in (5, 1, 3):
        talk.say("server", data(stream, b"data: b\n\n", ends=True))
    return talk.records()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_stream_of_several(number: int) -> None:
    records = streams()
    chosen = list(select(records, Chosen([Key(0, number)])))
    wanted = [one for one in records if getattr(one, "exchange", None) == number]
    assert [one for one in chosen if getattr(one, "exchange", None) is not None] == wanted
    assert isinstance(chosen[-1], ConnectionRecord)


@pytest.mark.parametrize("limit", [1, 2, 64])
def test_streams_of_one_transport(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """One that had to make room before its response came asked for nothing in particular."""
    monkeypatch.setattr(open_exchanges, "MAX_PIPELINED", limit)
    chosen = select(streams(), ExchangeFilter(transport="sse"))
    found = Counter(one.exchange for one in chosen if isinstance(one, SseEventRecord))
    assert found == ({0: 3, 2: 2} if limit > 2 else {2: 2})


# --- at once ---


@pytest.mark.parametrize("transport", EXCHANGES)
def test_live_too_records_of_a_transport_come_whole_and_in_order(transport: Transport) -> None:
    assert (
        LiveSelection(ExchangeFilter(transport=transport)).choose(interleaved())
        == EXCHANGES[transport]
    )


def test_live_a_connection_waits_for_itself_alone() -> None:
    chosen = LiveSelection(ExchangeFilter(transport="chunked"))
    slow, quick = chunked(0), chunked(1)
    assert chosen.choose([slow[0]]) == []
    assert chosen.choose(quick) == quick
    assert chosen.choose(slow[1:2]) == slow[:2]


def test_live_faults_of_no_connection_are_shown() -> None:
    fault = Wire().fault(connection=None, exchange=None)
    assert LiveSelection(ExchangeFilter(transport="sse")).choose([fault]) == [fault]


def test_live_nothing_is_remembered_of_what_is_over() -> None:
    chosen = LiveSelection(ExchangeFilter(transport="sse"))
    for number in range(5):
        chosen.choose(chunked(number))
    assert chosen._connections == {}


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_HELD_RECORDS_LIVE", 3), ("MAX_HELD_DATA_LIVE", 20)]
)
def test_live_what_waits_is_bounded(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """An upload whose answer does not come is judged by its request."""
    monkeypatch.setattr(selection, limit, value)
    chosen = LiveSelection(ExchangeFilter(transport="chunked"))
    wire = Wire()
    records: list[Record] = [wire.request("/upload", CHUNKED)]
    records += [wire.chunk("0123456789", sender="client") for _ in range(4)]
    assert chosen.choose(records) == records
