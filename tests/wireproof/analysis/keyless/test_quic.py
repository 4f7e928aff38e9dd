"""QUIC without keys: what the sizes and times of datagrams tell, beside what they held."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from support.aioquic_peers import Ends
from support.corpus import ROOT, tls_captures_at_hand
from support.quic import OK, Known, Talk, close, data, h3_frame, stream

from parsers import KeyLog, PacketDecoder, decode_stream
from parsers.files.packets import Packet
from parsers.records import Http3DataRecord, Record
from wireproof.analysis.keyless.facts import tls_facts_of
from wireproof.analysis.keyless.sealed import SealedConnection, SealedConnections
from wireproof.analysis.verdict import Verdict

CAPTURES = [path for path in tls_captures_at_hand() if path.stem.startswith("h3_")]
CAPTURES += sorted((ROOT / "fixtures" / "quic").glob("*.pcap"))
WAIT = 0.0008
"""Seconds: what follows at once is one write."""
EVENT = b"data: %s\n\n" % (b"x" * 30)


def sealed(records: list[Record]) -> SealedConnection:
    taken = SealedConnections()
    (found,) = [one for record in records if (one := taken.add(record)) is not None]
    return found


def without_keys(packets: list[Packet]) -> SealedConnection:
    decoder = PacketDecoder(shows_records=True)
    return sealed(decoder.receive(packets) + decoder.finish())


def of(question: str, found: SealedConnection) -> list[Verdict]:
    return [one for one in found.verdicts if one.question == question]


def streamed(*waits: int, events: int = 1) -> Talk:
    """An answer whose events come so many milliseconds after one another."""
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    head = OK + h3_frame(0x21, bytes(64))  # a reserved one, so that offsets are equally long
    talk.say("server", stream(0, 0, head))
    at = len(head)
    for wait in waits:
        for _ in range(wait):
            talk.say("client", b"\x01")
        for _ in range(events):
            talk.say("server", stream(0, at, data(EVENT)))
            at += len(data(EVENT))
    talk.say("client", close(0x100))
    return talk


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_the_usual_gap_is_that_of_what_was_encrypted(path: Path) -> None:
    """Within a tenth: each answer's that streamed, beside the DATA that came while it did."""
    with path.open("rb") as capture:
        found = sealed(list(decode_stream(capture, shows_records=True)))
    with path.open("rb") as capture:
        opened = list(decode_stream(capture, keylog=KeyLog.open(path.with_suffix(".keys"))))
    times = [
        one.last_time
        for one in opened
        if isinstance(one, Http3DataRecord) and one.sender == "server" and one.size
    ]
    assert found.answers
    for answer in found.answers:
        start, end = answer.elements[0].time, answer.elements[-1].time
        within = [time for time in times if start - 1e-6 <= time <= end + 1e-6]
        waits = [after - before for before, after in pairwise(within) if after - before >= WAIT]
        if len(answer.elements) >= 3 and waits:
            assert answer.gap_median == pytest.approx(median(waits), rel=0.1)


@pytest.mark.parametrize(
    ("waits", "events", "answer"),
    [
        ((50,) * 6, 1, "streamed"),
        ((50, 120, 40, 60), 1, "streamed"),
        ((900,), 12, "held"),
        ((50,), 1, "undecided"),
    ],
)
def test_answers(waits: tuple[int, ...], events: int, answer: str) -> None:
    found = without_keys(streamed(*waits, events=events).packets)
    (said,) = of("streaming", found)
    assert (said.answer, said.basis) == (answer, "quic datagram sizes and times")
    assert said.summary.startswith("from datagram sizes and times alone, ")
    (ending,) = of("ending", found)
    assert (ending.answer, ending.severity) == ("unknowable", "ok")
    facts = tls_facts_of(found)
    assert (facts.layer, facts.requests, facts.decrypted) == ("quic", 1, "no")
    assert facts.client.records == sum(waits) + 3  # settings, the request, the close
    assert facts.server.bytes > 0


def test_every_size_of_an_event_is_told() -> None:
    (said,) = of("sizes", without_keys(streamed(*(50,) * 6).packets))
    assert said.answer == "even"


def test_of_joined_datagrams_each_counts() -> None:
    talk = streamed(50, 50)
    packets = (talk.packet("server", "1-rtt", stream(0, 0, bytes(1180))) for _ in range(3))
    talk.send("server", *packets)
    (answer,) = without_keys(talk.packets).answers
    assert [one.size for one in answer.elements[-3:]] == [1180 + 5 + 1 + 8 + 2 + 16] * 3


def test_a_real_peer_that_asks_twice() -> None:
    ends = Ends(lambda _: [b"data: %s\n\n" % (b"x" * 900)] * 5)
    for _ in range(2):
        ends.ask()
        ends.run(0.5)
    found = without_keys(ends.packets)
    assert [one.of for one in found.answers] == [2, 2]


def test_a_handshake_that_fails_says_who_closed() -> None:
    talk = Talk()
    talk.send("client", talk.packet("client", "initial", close(0x128, is_application=False)))
    (ending,) = of("ending", without_keys(talk.packets))
    assert ending.summary == "the client closed the connection (CONNECTION_CLOSE)"


def test_what_was_decrypted_is_not_judged_by_sizes() -> None:
    talk = streamed(50, 50, 50)
    decoder = PacketDecoder(shows_records=True, keys=Known(talk.key_log))
    taken = SealedConnections()
    records = decoder.receive(talk.packets) + decoder.finish()
    assert [one for record in records if (one := taken.add(record)) is not None] == []
