"""What acknowledgements prove: which answer was lost, and what a missing direction sent."""

from __future__ import annotations

from support.talk import Talk

from parsers.records import ConnectionRecord, DiagnosticRecord, Record, ResponseRecord

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOST = 66


def answers(records: list[Record]) -> list[tuple[int, int]]:
    return [(one.exchange, one.status) for one in records if isinstance(one, ResponseRecord)]


def codes(records: list[Record]) -> set[str]:
    return {one.code for one in records if isinstance(one, DiagnosticRecord)}


def test_an_answer_that_was_received_before_the_next_request_is_lost() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.lose("server", LOST)
    talk.client(GET)
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    assert answers(records) == [(1, 200)]
    assert "http-response-lost" in codes(records)


def test_requests_that_waited_for_no_answer_cannot_be_told_apart() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.client(GET)
    talk.lose("server", LOST)
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    assert answers(records) == [(0, 200)]
    assert "http-response-unsure" in codes(records)


def test_without_a_hole_the_queue_tells() -> None:
    talk = Talk().open()
    for _ in range(2):
        talk.client(GET)
        talk.server(OK)
    records = talk.tape.records()
    assert answers(records) == [(0, 200), (1, 200)]
    assert not codes(records)


def test_a_request_after_the_servers_fin() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK)
    fin = talk.fin("server")
    talk.client(GET)
    talk.reset("server")
    records = talk.tape.records()
    assert "tcp-data-crossed-fin" in codes(records)
    (record,) = [one for one in records if isinstance(one, ConnectionRecord)]
    ends = [(end["sender"], end["packet"], end["kind"]) for end in record.ends]
    assert ends[0] == ("server", fin, "fin")
    assert ends[1][::2] == ("server", "reset")


def test_an_answer_after_the_clients_fin_is_right() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.fin("client")
    talk.server(OK)
    talk.fin("server")
    assert "tcp-data-crossed-fin" not in codes(talk.tape.records())
