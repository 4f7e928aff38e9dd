"""How an exchange ended, told by the other leg of a proxy that is in the same capture."""

from __future__ import annotations

import pytest
from support.http2 import EVENTS as EVENT_FIELDS
from support.http2 import SETTINGS, SETTINGS_ACK, Speaker, data, framed
from support.judged import causes, verdicts
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, LAST_CHUNK, TimedTape, chunk, event

from parsers.http2.elements import PREFACE, RST_STREAM
from wireproof.analysis.hops.report import hops
from wireproof.analysis.relayed import HIDES_CUT
from wireproof.analysis.verdict import Verdict

HEAD = b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\n%s\r\n" % (EVENT_STREAM + CHUNKED)
COUNTED = b"HTTP/1.1 200 OK\r\n%sContent-Length: %%d\r\n\r\n" % EVENT_STREAM
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
BAD = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad"
EVENTS = [event(number) for number in (1, 2, 3)]


class Way:
    """A client that asks a proxy, which asks a server; events take both legs."""

    def __init__(self, *, far_port: int = 8_000) -> None:
        self.tape = TimedTape()
        self.near = Talk(self.tape, client_port=40_000, server_port=9_000).open()
        self.near.client(HEAD)
        self.far = Talk(self.tape, client_port=50_000, server_port=far_port).open()
        self.far.client(HEAD)

    def stream(self) -> Way:
        self.far.server(STREAM)
        self.near.server(STREAM)
        for one in EVENTS:
            self.tape.wait(0.1)
            self.far.server(chunk(one))
            self.near.server(chunk(one))
        return self

    def endings(self) -> list[Verdict]:
        return verdicts(self.tape, "ending")


def test_a_proxy_that_ends_a_cut_answer_in_good_order_hides_the_cut() -> None:
    way = Way().stream()
    way.far.fin("server")
    way.far.fin("client")
    way.near.server(LAST_CHUNK)
    way.near.close()
    near, far = way.endings()
    assert (near.answer, near.severity, causes(near)) == ("cut", "error", [HIDES_CUT])
    assert (near.numbers["whole"], near.numbers["transport_whole"]) == (False, True)
    assert "(connection 1, packet " in near.causes[0].summary
    assert far.answer == "cut"


def test_it_does_so_with_a_length_of_its_own_too() -> None:
    way = Way()
    way.far.server(STREAM, *map(chunk, EVENTS))
    way.far.reset("server")
    content = b"".join(EVENTS)
    way.near.server(COUNTED % len(content), content)
    way.near.close()
    near, _ = way.endings()
    assert (near.answer, causes(near)) == ("cut", [HIDES_CUT])


def test_the_proxy_may_have_given_up_itself() -> None:
    way = Way().stream()
    way.far.fin("client")
    way.far.fin("server")
    way.near.server(LAST_CHUNK)
    way.near.close()
    near, _ = way.endings()
    assert (near.answer, causes(near)) == ("cut", [HIDES_CUT])
    assert near.causes[0].summary.startswith("the proxy gave up on the server (connection 1, ")


def test_what_is_ended_for_a_client_that_left_hides_nothing() -> None:
    way = Way().stream()
    way.near.fin("client")
    way.far.fin("client")
    way.far.fin("server")
    way.near.server(LAST_CHUNK)
    way.near.reset("client")
    near, far = way.endings()
    assert HIDES_CUT not in causes(near)
    assert (far.answer, causes(far)) == ("aborted", ["client-closed"])


@pytest.mark.parametrize("far_port", [8_000, 9_000])
def test_what_it_answers_by_itself_hides_nothing(far_port: int) -> None:
    """Nor does another client's answer that was cut."""
    way = Way(far_port=far_port)
    way.far.server(STREAM, *map(chunk, EVENTS))
    way.far.fin("server")
    way.far.fin("client")
    if far_port == 9_000:
        way.near.server(STREAM, *map(chunk, EVENTS), LAST_CHUNK)
    else:
        way.near.server(OK)
    way.near.close()
    assert way.endings()[0].answer == "whole"


@pytest.mark.parametrize(
    ("idle", "code"), [(3.0, "proxy-idle-timeout"), (0.05, "proxy-total-timeout")]
)
def test_a_client_that_is_a_proxy_left_for_reasons_of_its_own(idle: float, code: str) -> None:
    way = Way().stream()
    way.tape.wait(idle)
    way.far.fin("client")
    way.far.fin("server")
    way.near.fin("server")
    way.near.fin("client")
    _, far = way.endings()
    assert (far.answer, causes(far), far.to_tell) == ("aborted", [code], "")
    assert far.causes[0].sure == "certain"
    assert "(connection 0, packet " in far.causes[0].summary


def test_or_because_its_own_client_had_left() -> None:
    way = Way().stream()
    way.tape.wait(3.0)
    way.near.fin("client")
    way.near.fin("server")
    way.far.fin("client")
    way.far.fin("server")
    _, far = way.endings()
    assert (far.answer, causes(far)) == ("aborted", ["client-closed"])
    assert "whose own client had left (connection 0, packet " in far.causes[0].summary


def test_a_proxy_that_has_what_it_wants_leaves_as_any_client_does() -> None:
    way = Way()
    way.far.server(STREAM, *map(chunk, EVENTS))
    way.near.server(OK)
    way.far.fin("client")
    way.far.fin("server")
    way.near.close()
    _, far = way.endings()
    assert (far.answer, causes(far)) == ("aborted", ["client-closed"])
    assert "proxy" not in far.causes[0].summary


def test_two_clients_of_one_server_are_no_proxy() -> None:
    way = Way(far_port=9_000).stream()
    for talk in (way.near, way.far):
        talk.fin("server")
        talk.fin("client")
    for found in way.endings():
        assert found.answer == "cut"
        assert "server-ended" not in causes(found)


@pytest.mark.parametrize(
    ("there", "here", "answer", "code"),
    [
        (BUSY, BUSY, "app-error", "server-error"),
        (OK, BAD, "app-error", "upstream-failed"),
        (OK, STREAM, "cut", "proxy-cut"),
    ],
)
def test_what_came_whole_to_the_proxy_was_spoilt_by_it(
    there: bytes, here: bytes, answer: str, code: str
) -> None:
    way = Way()
    way.far.server(there)
    way.far.fin("server")
    way.far.fin("client")
    way.near.server(here)
    way.near.fin("server")
    way.near.fin("client")
    near, far = way.endings()
    assert (near.answer, causes(near)) == (answer, [code])
    assert near.causes[0].sure == "certain"
    assert far.answer in ("whole", "app-error")


ASKED = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/chat")]
CANCEL, INTERNAL_ERROR = b"\0\0\0\x08", b"\0\0\0\x02"


class WayOfStreams(Way):
    """The client speaks HTTP/2 to the proxy, and its connection goes on after the stream."""

    def __init__(self) -> None:
        self.tape = TimedTape()
        client, self.server = Speaker(), Speaker()
        self.near = Talk(self.tape, client_port=40_000, server_port=9_000).open()
        self.near.client(PREFACE + SETTINGS)
        self.near.server(SETTINGS + SETTINGS_ACK)
        self.near.client(SETTINGS_ACK + client.head(1, ASKED, ends=True))
        self.far = Talk(self.tape, client_port=50_000, server_port=8_000).open()
        self.far.client(HEAD)

    def stream(self) -> Way:
        self.far.server(STREAM)
        self.near.server(self.server.head(1, EVENT_FIELDS))
        for one in EVENTS:
            self.tape.wait(0.1)
            self.far.server(chunk(one))
            self.near.server(data(1, one))
        return self


def hop_of(way: Way) -> tuple[str, list[str]]:
    """Return what is said of the only hop, and its causes."""
    [judged] = hops([("both", way.tape.records())]).hops
    return judged.verdict.answer, causes(judged.verdict)


def test_a_proxy_may_give_up_one_stream_and_keep_its_connection() -> None:
    way = WayOfStreams().stream()
    way.tape.wait(3.0)
    way.far.fin("client")
    way.far.fin("server")
    way.near.server(framed(RST_STREAM, 0, 1, INTERNAL_ERROR))
    way.near.close()  # by the client, when it has seen that
    near, far = way.endings()
    assert (near.answer, causes(near)[0]) == ("cut", "proxy-idle-timeout")
    assert (far.answer, causes(far)) == ("aborted", ["proxy-idle-timeout"])
    assert hop_of(way) == ("loses", ["proxy-cut"])


def test_a_client_may_give_up_one_stream_and_keep_its_connection() -> None:
    way = WayOfStreams().stream()
    way.tape.wait(3.0)
    way.near.client(framed(RST_STREAM, 0, 1, CANCEL))
    way.far.fin("client")
    way.far.fin("server")
    way.tape.wait(3.0)
    way.near.close()
    near, far = way.endings()
    assert near.answer == "aborted"
    assert (far.answer, causes(far)) == ("aborted", ["client-closed"])
    assert "whose own client had left" in far.causes[0].summary
    assert hop_of(way) == ("transparent", [])
