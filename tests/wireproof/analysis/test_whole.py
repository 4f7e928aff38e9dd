"""What is said at one look of a short answer is what all judges say of it, asked one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.talk import Talk
from support.timed import TimedTape

from parsers import OrderedCapture, decode_capture
from wireproof.analysis import ending
from wireproof.analysis.judges import JUDGES, Explanations
from wireproof.analysis.trace import Trace
from wireproof.analysis.whole import judge_short, judge_whole

FIXTURES = Path(__file__).parents[3] / "fixtures"
MOST = 64 << 10
"""Bytes of a stored capture that is looked at."""
GET = b"GET /item HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /item HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Compared:
    """Judges exchanges in both ways, and counts those of which one look was enough."""

    def __init__(self) -> None:
        self.short = self.whole = self.all = 0

    def __call__(self, trace: Trace) -> None:
        self.all += 1
        short, whole = judge_short(trace), judge_whole(trace)
        said = [verdict for one in JUDGES if (verdict := one(trace)) is not None]
        if short is not None:
            self.short += 1
            assert short == said
        if whole is not None and not trace.about.is_websocket:
            self.whole += 1
            assert [whole] == [one for one in said if one.question == "ending"]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Compared:
    monkeypatch.setattr(ending, "judge_whole", lambda _: None)
    return Compared()


def small_captures() -> Iterator[Path]:
    for path in sorted(FIXTURES.rglob("*.pcap*")):
        if path.suffix in (".pcap", ".pcapng") and path.stat().st_size <= MOST:
            yield path


def test_one_look_says_of_stored_captures_what_all_judges_say(compared: Compared) -> None:
    for path in small_captures():
        explanations = Explanations([compared])
        with path.open("rb") as stream:
            try:
                for records in decode_capture(OrderedCapture(stream), shows_records=True):
                    list(explanations.add_all(records))
            except ValueError:
                continue  # some are damaged on purpose
        explanations.finish()
    assert 0 < compared.short < compared.whole < compared.all


def fields(text: bytes) -> bytes:
    return JSON.replace(b"Content-Type: application/json", text)


@pytest.mark.parametrize(
    ("request_bytes", "answers", "is_short"),
    [
        (GET, (JSON,), True),
        (POST, (JSON,), True),
        (GET, (JSON[:-1], JSON[-1:]), False),  # two pieces may have a pace
        (GET, (JSON.replace(b"200 OK", b"404 Not Found"),), True),
        (GET, (JSON.replace(b"200 OK", b"500 Internal Server Error"),), False),
        (GET, (fields(b"Content-Type: application/grpc"),), False),
        (GET, (fields(b"Content-Type: text/plain"),), False),  # its pieces are read
        (GET, (fields(b"X: y"),), False),
        (GET, (fields(b"Content-Type: text/event-stream"),), False),
        (GET, (JSON[:-1],), False),
        (GET, (JSON + b"surplus",), False),
        (GET, (b"HTTP/1.1 100 Continue\r\n\r\n", JSON), True),
        (GET, (b"HTTP/1.1 204 No Content\r\n\r\n",), False),
        (GET, (), False),
    ],
)
@pytest.mark.parametrize("end", ["server", "client", "half", "reset", "open"])
def test_one_look_says_what_all_judges_say(
    compared: Compared, request_bytes: bytes, answers: tuple[bytes, ...], is_short: bool, end: str
) -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(request_bytes)
    if end == "half":
        talk.fin("client")
    for answer in answers:
        tape.wait(0.01)
        talk.server(answer)
    if end == "reset":
        talk.reset("server")
    elif end == "client":
        talk.fin("client")
        talk.fin("server")
    elif end != "open":
        talk.close()
    explanations = Explanations([compared])
    list(explanations.add_all(tape.records()))
    explanations.finish()
    assert compared.all == 1
    assert (compared.short == 1) == (is_short and end not in ("reset", "half"))
