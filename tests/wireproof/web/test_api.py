"""Every path and its answer."""

from __future__ import annotations

import json

import pytest
from support.answers import GET, SSE, Asked, asked, chunk, paths, streamed
from support.stored import STORED, name, packets
from support.talk import Talk

from wireproof.web.api import LANE, MAX_ROW, ROWS, Answers
from wireproof.web.index import Index

EVENTS = (b"id: 1\ndata: one\n\n", b": ping\n\n", b"event: done\ndata: two\n\n")


def test_the_summary_says_what_the_capture_is() -> None:
    with asked(streamed(*EVENTS)) as ask:
        summary = ask("summary")
        assert summary["name"] == "by-hand.pcapng"
        assert (summary["packets"], summary["connections"], summary["exchanges"]) == (12, 1, 1)
        assert summary["state"] == "ended"
        assert summary["end"] - summary["start"] == pytest.approx(0.011, abs=1e-6)


def test_an_exchange_is_a_row() -> None:
    with asked(streamed(*EVENTS)) as ask:
        (row,) = ask("exchanges/0")
        assert (row["key"], row["method"], row["target"]) == ("0.0", "GET", "/events")
        assert (row["host"], row["status"], row["transport"]) == ("api.example", 200, "sse")
        assert row["counts"] == {"q": 1, "r": 1, "k": 4, "e": 3, "b": 1}
        assert (row["undispatched"], row["is_whole"]) == (1, True)
        assert row["ended"] == "complete (last chunk)"
        assert ask("exchanges/1") == []


def test_a_lane_has_a_column_for_each_fact() -> None:
    with asked(streamed(*EVENTS)) as ask:
        lane = ask("lane/0.0/e/0")
        assert lane["total"] == 3
        assert lane["packet"] == [6, 7, 8]
        assert lane["size"] == [len(event) for event in EVENTS]
        assert lane["mark"] == [0, 1, 0]
        assert lane["sender"] == [1, 1, 1]
        assert ask("lane/0.0/m/0")["total"] == 0


def test_verdicts_say_when_bytes_of_the_answer_are_missing() -> None:
    with asked(streamed(*EVENTS)) as ask:
        assert ask("verdicts/0.0")["holes"] == []
    talk = streamed(*EVENTS)
    del talk.tape.packets[6]
    with asked(talk) as ask:
        [hole] = ask("verdicts/0.0")["holes"]
        assert hole == ask("rows/0.0/g/0")["rows"][0]["record"]["last_time"]


def test_packets_are_a_lane_of_their_connection() -> None:
    with asked(streamed(*EVENTS)) as ask:
        lane = ask("packets/0/0")
        assert lane["packet"] == list(range(1, 13))
        assert lane["sender"] == [0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1]
        assert lane["size"][3] == len(GET)
        assert lane["flags"][0] == 2
        assert lane["connection"]["close"] == "fin"
        assert ask.answers.answer("packets/1/0") is None


def test_a_row_has_its_record_and_who_carried_it() -> None:
    with asked(streamed(*EVENTS)) as ask:
        first, comment, last = ask("rows/0.0/e/0")["rows"]
        assert first["record"]["data"] == "one"
        assert first["filter"] == "tcp.stream == 0 && frame.number == 6"
        assert first["carried"] == [[6, 54 + 4, 54 + 4 + len(EVENTS[0])]]
        assert comment["record"]["dispatched"] is False
        assert (last["key"], last["kind"], last["row"]) == ("0.0", "e", 2)


def test_pages_have_a_fixed_size() -> None:
    many = [b"data: %d\n\n" % number for number in range(ROWS + 5)]
    with asked(streamed(*many)) as ask:
        assert len(ask("rows/0.0/e/0")["rows"]) == ROWS
        second = ask("rows/0.0/e/1")
        assert [row["row"] for row in second["rows"]] == list(range(ROWS, ROWS + 5))
        assert second["total"] == ROWS + 5
        assert ask("rows/0.0/e/2")["rows"] == []
    assert LANE >= ROWS


def test_a_long_record_is_cut_in_its_page_and_whole_by_itself() -> None:
    text = b"x" * (MAX_ROW + 1)
    with asked(streamed(b"data: " + text + b"\n\n")) as ask:
        (row,) = ask("rows/0.0/e/0")["rows"]
        assert row["cut"] is True
        assert len(row["record"]["data"]) == 2_000
        whole = ask("element/0.0/e/0")
        assert whole["cut"] is False
        assert whole["record"]["data"] == text.decode()
        assert "element/0.0/e/0" in paths(ask.index)


def test_what_belongs_to_no_exchange_has_a_row_of_its_own() -> None:
    talk = Talk().open()
    talk.client(b"\x00\x01 not a protocol that is known\r\n")
    talk.close()
    with asked(talk) as ask:
        (row,) = ask("exchanges/0")
        assert (row["key"], row["transport"], row["protocol"]) == ("0.n", "connection", "unknown")
        assert row["last_packet"] == len(talk.tape.packets)


def test_exchanges_of_one_connection_are_told_apart() -> None:
    talk = Talk().open()
    for number in range(3):
        talk.client(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)
    talk.close()
    with asked(talk) as ask:
        assert [row["target"] for row in ask("exchanges/0")] == ["/0", "/1", "/2"]
        for number in range(3):
            frame = ask(f"packet/{5 + 2 * number}")
            assert {part[4] for part in frame["parts"]} == {f"0.{number}"}
            assert ask(f"body/0.{number}/server")["pieces"][0][2] == str(number)


NO_PATHS = (
    "",
    "summary/",
    "Summary",
    "exchanges",
    "exchanges/x",
    "exchanges/-1",
    "exchanges/01",
    "packets/0",
    "lane/0.0/z/0",
    "lane/0/e/0",
    "lane/0.0/e/",
    "rows/0.7/e/0",
    "rows/5.0/e/0",
    "element/0.0/e/3",
    "element/0.0/g/0",
    "body/0.0/nobody",
    "body/0.1/server",
    "packet/0",
    "packet/13",
    "packet/1\n",
)


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_path_has_no_answer(path: str) -> None:
    with asked(streamed(*EVENTS)) as ask:
        assert ask.answers.answer(path) is None


@pytest.mark.parametrize("path", STORED, ids=name)
def test_every_path_that_is_named_has_an_answer(path: object) -> None:
    index = Index("capture")
    index.receive(packets(path))  # type: ignore[arg-type]
    index.finish([])
    answers = Answers(index)
    named = paths(index)
    assert len(named) == len(set(named)) > 20
    for one in named:
        answer = answers.answer(one)
        assert answer is not None, one
        json.loads(answer)
    index.close()


def test_answers_do_not_depend_on_how_packets_came() -> None:
    talk = streamed(*EVENTS)
    with asked(talk, batch=1) as one, asked(talk, batch=1_000) as other:
        for path in paths(one.index):
            if path != "summary":
                assert one(path) == other(path), path


def test_a_recording_that_goes_on_has_answers_too() -> None:
    index = Index("live", "live")
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE + chunk(EVENTS[0]))
    index.receive(talk.tape.packets)
    ask = Asked(index)
    (row,) = ask("exchanges/0")
    assert (row["ended"], row["counts"]["e"], row["protocol"]) == (None, 1, None)
    assert ask("body/0.0/server")["pieces"][0][2] == EVENTS[0].decode()
    assert ask("packets/0/0")["connection"] is None
    before = len(talk.tape.packets)
    talk.server(chunk(EVENTS[2]))
    index.receive(talk.tape.packets[before:])
    assert ask("lane/0.0/e/0")["total"] == 2
    index.close()


CHAT = (
    b'data: {"id":"c1","object":"chat.completion.chunk","model":"small-1",'
    b'"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
)


def test_a_row_says_what_its_element_does() -> None:
    with asked(streamed(CHAT, b": ping\n\n", b"data: [DONE]\n\n")) as ask:
        (row,) = ask("exchanges/0")
        assert (row["dialect"], row["shared"]) == (
            "OpenAI chat completions",
            "id c1, model small-1",
        )
        rows = ask("rows/0.0/e/0")["rows"]
        assert [one["said"] for one in rows] == [
            ["text", "text", '"Hello"', ""],
            ["ping", "ping", "", ""],
            ["done", "done", "[DONE]", ""],
        ]
        assert "said" not in rows[0]["record"]
        assert json.loads(rows[0]["record"]["data"])["id"] == "c1"


def test_a_stream_without_dialect_says_nothing() -> None:
    with asked(streamed(*EVENTS)) as ask:
        (row,) = ask("exchanges/0")
        assert "dialect" not in row
        assert [one["said"] for one in ask("rows/0.0/e/0")["rows"]] == [None, None, None]
