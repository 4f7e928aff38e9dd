"""Which Pong answers which Pings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.handmade import Wire

from parsers.records import WebSocketFrameRecord
from wireproof.pings import MAX_PINGS, Answer, Pings


def ping(payload: str, sender: str = "server") -> WebSocketFrameRecord:
    return Wire().frame("ping", payload, sender=sender)


def pong(payload: str, sender: str = "client") -> WebSocketFrameRecord:
    return Wire().frame("pong", payload, sender=sender)


def sent(*payloads: str) -> tuple[Pings, list[WebSocketFrameRecord]]:
    pings, frames = Pings(), [ping(payload) for payload in payloads]
    for frame in frames:
        pings.sent(frame)
    return pings, frames


def test_one_pong_answers_its_ping_and_those_before() -> None:
    """RFC 6455 section 5.5.3: it may be sent for the most recent one only."""
    pings, frames = sent("1", "2", "3")
    assert pings.answer(pong("2")) == (frames[1], frames[:2])
    assert pings.answer(pong("3")) == (frames[2], frames[2:])
    assert pings.answer(pong("3")) == Answer()


def test_a_ping_that_a_later_one_s_pong_answered_may_get_its_own() -> None:
    pings, frames = sent("1", "2")
    assert pings.answer(pong("2")).answered == frames
    assert pings.answer(pong("1")) == (frames[0], [])


def test_of_pings_with_the_same_payload_the_latest_is_answered_with_those_before() -> None:
    pings, frames = sent("", "")
    assert pings.answer(pong("")) == (frames[1], frames)
    assert pings.answer(pong("")) == (frames[0], [])


def test_a_pong_answers_the_other_side_alone() -> None:
    pings = Pings()
    pings.sent(ping("1", sender="client"))
    assert pings.answer(pong("1", sender="client")) == Answer()
    assert pings.answer(pong("1", sender="server")).ping is not None


def test_the_first_of_many_pings_is_forgotten() -> None:
    pings, frames = sent(*map(str, range(MAX_PINGS + 1)))
    assert pings.answer(pong("0")) == Answer()
    assert pings.answer(pong(str(MAX_PINGS))) == (frames[-1], frames[1:])


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=40))
def test_a_ping_is_answered_by_the_first_pong_of_it_or_of_a_later_one(
    frames: list[tuple[bool, str]],
) -> None:
    pings, unanswered, unrepeated = Pings(), [], []
    for is_ping, payload in frames:
        if is_ping:
            frame = ping(payload)
            pings.sent(frame)
            unanswered.append(frame)
            unrepeated.append(frame)
            continue
        repeated = [number for number, one in enumerate(unrepeated) if one.data == payload][-1:]
        answer = pings.answer(pong(payload))
        if not repeated:
            assert answer == Answer()
            continue
        question = unrepeated.pop(repeated[0])
        assert answer.ping is question
        upto = max((n for n, one in enumerate(unanswered) if one is question), default=-1) + 1
        assert answer.answered == unanswered[:upto]
        unanswered = unanswered[upto:]
