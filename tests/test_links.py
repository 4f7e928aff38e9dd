"""What real links did to streams, as recorded at the client or at the server.

Between two network namespaces each packet took its time, and what else the link did is known.
"""

from __future__ import annotations

import pytest
from support.corpus import ROOT

from parsers.records import ConnectionRecord
from wireproof import decode
from wireproof.analysis.hops.report import hops
from wireproof.analysis.judges import explain
from wireproof.analysis.verdict import Verdict

FOLDER = ROOT / "fixtures" / "links"
STREAMED, WHOLE = "streamed", "whole"
ANSWERS = {
    "lost": {"streaming": STREAMED, "ending": WHOLE, "gap": "retransmission"},
    "reordered": {"streaming": STREAMED, "ending": WHOLE, "gap": "reordering"},
    "slow": {"streaming": STREAMED, "ending": WHOLE},
    "large-lost": {"streaming": STREAMED, "ending": "aborted"},
    "path-gone": {"streaming": STREAMED, "ending": "aborted", "disconnect": "unseen"},
    "window-too-small": {"streaming": "client-slow", "ending": WHOLE, "gap": "zero-window"},
    "window-full": {"streaming": "client-slow", "ending": WHOLE},
    "window-narrow": {"streaming": "client-slow", "ending": WHOLE},
    "nagle-filled": {"streaming": "bursty", "ending": "open"},
    "slow-acknowledged": {"streaming": STREAMED, "ending": WHOLE, "gap": "congestion-window"},
    "slow-offloaded": {"streaming": STREAMED, "ending": WHOLE, "gap": "congestion-window"},
    "tail-unanswered": {"streaming": STREAMED, "ending": WHOLE, "gap": "retransmission"},
    "tail-unanswered-at-client": {
        "streaming": STREAMED, "ending": "aborted", "disconnect": "unseen",
    },
    "large-unanswered": {
        "streaming": "undecided", "ending": "aborted", "gap": "retransmission",
        "disconnect": "unseen",
    },
    "blocks": {"streaming": "bursty", "ending": "unknowable"},
    "gone-after-fin": {
        "streaming": STREAMED, "ending": "aborted", "gap": "retransmission", "disconnect": "stops",
    },
    "gone-after-fin-at-client": {
        "streaming": STREAMED, "ending": "aborted", "disconnect": "unseen",
    },
    "late": {"streaming": STREAMED, "ending": WHOLE, "gap": "spurious-retransmission"},
    "late-at-client": {"streaming": STREAMED, "ending": WHOLE, "gap": "reordering"},
}  # fmt: skip
UNSURE = {
    "path-gone": {"likely", "possible"},
    "slow-acknowledged": {"likely", "possible"},
    "slow-offloaded": {"likely", "possible"},
    "nagle-filled": {"likely", "possible"},
    "tail-unanswered": {"likely", "certain"},
    "tail-unanswered-at-client": {"possible"},
    "large-unanswered": {"certain", "possible"},
    "late-at-client": {"likely", "possible"},
    "blocks": {"likely", "certain"},
    "gone-after-fin-at-client": {"certain", "possible"},
}
"""What is said of some links is no fact: how sure it is of its causes."""


def verdicts(name: str) -> dict[str, Verdict]:
    (found,) = explain(decode(FOLDER / f"{name}.pcap"))
    return {one.question: one for one in found.verdicts}


def connection(name: str) -> ConnectionRecord:
    (found,) = (one for one in decode(FOLDER / f"{name}.pcap") if isinstance(one, ConnectionRecord))
    return found


def test_every_recording_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.pcap")} == set(ANSWERS)
    readme = (FOLDER.parent / "README.md").read_text()
    assert all(f"(links/{name}.pcap)" in readme for name in ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_said_is_what_the_link_did(name: str) -> None:
    found = verdicts(name)
    assert {question: one.answer for question, one in found.items()} == ANSWERS[name]
    causes = [cause for one in found.values() for cause in one.causes]
    assert {cause.sure for cause in causes} == UNSURE.get(name, {"certain"} if causes else set())


def test_what_was_overtaken_is_told_from_what_was_lost() -> None:
    for name, overtaken in (("lost", False), ("reordered", True)):
        found = connection(name)
        assert {hole["overtaken"] for hole in found.holes} == {overtaken}
        assert bool(found.out_of_order) is overtaken


def test_what_never_arrived_is_no_fault_of_the_capture() -> None:
    """curl printed 25 events, and nothing more until it gave up after four seconds."""
    found = verdicts("large-lost")["ending"]
    assert "2,896 bytes of the server's never arrived" in found.summary
    assert "no more than 25 events" in found.summary
    assert found.numbers["whole"] is False
    (hole,) = connection("large-lost").holes
    assert (hole["filled_by"], hole["acknowledged"]) == (None, False)


def test_a_fin_that_nobody_answers_is_sent_into_nothing() -> None:
    first, *others = verdicts("path-gone")["ending"].causes
    assert (first.code, first.sure) == ("path-vanished", "likely")
    assert "its FIN was sent 4 times" in first.summary
    assert [cause.code for cause in others] == ["client-timeout", "client-closed"]


def test_a_wait_for_room_in_the_window_is_the_clients() -> None:
    """The kernel took no whole segment any more, and the next part of one closed its window."""
    found = verdicts("window-too-small")["gap"]
    assert found.numbers["classes"] == ["zero-window"]
    assert found.numbers["waits"] == 2


def test_a_window_that_is_full_is_told_from_a_silent_sender() -> None:
    """Its 2,896 bytes went once in each round trip of 200 ms, and nobody buffered anything."""
    found = connection("window-full")
    waits = [one for one in found.ack_waits if one["sender"] == "server"]
    assert len(waits) == 10
    assert {one["window"] for one in waits} <= {2_135, 2_896, 2_920}
    for one in waits:
        assert one["window"] - 1_460 < one["in_flight"] <= one["window"]
        assert one["seconds"] == pytest.approx(0.2, abs=0.02)
    causes = verdicts("window-full")["streaming"].causes
    assert [cause.code for cause in causes] == ["receive-window"]


def test_a_window_below_a_segment_is_narrow() -> None:
    codes = [cause.code for cause in verdicts("window-narrow")["streaming"].causes]
    assert "narrow-window" in codes
    assert not connection("window-narrow").closed_windows


def test_the_last_bytes_were_sent_and_never_acknowledged() -> None:
    """curl printed 40 events, and waited for the last chunk until it gave up."""
    found, about = verdicts("tail-unanswered")["ending"], connection("tail-unanswered")
    assert found.severity == "warning"
    assert "sent whole after 40 events, but nothing acknowledged the last" in found.summary
    assert about.client_acknowledged is not None
    assert about.server_bytes > about.client_acknowledged


def test_what_is_larger_than_the_path_takes_was_never_acknowledged() -> None:
    found = verdicts("large-unanswered")["ending"]
    assert found.severity == "warning"
    assert "and the client left (FIN" in found.summary
    assert [(cause.code, cause.sure) for cause in found.causes] == [("loss", "certain")]


def test_what_came_400_ms_late_was_sent_again_for_nothing() -> None:
    """At both ends the client's D-SACK shows that it had both copies."""
    for name, said in (("late", [39, 77]), ("late-at-client", [39, None, 77, None])):
        assert [one["arrived_twice"] for one in connection(name).resent] == said


def test_blocks_of_a_buffer_are_no_full_segments() -> None:
    """nginx passes on 4,096 bytes, of which a window of the sender's leaves 1,200 for later."""
    causes = verdicts("blocks")["streaming"].causes
    assert [(cause.code, cause.sure) for cause in causes] == [("proxy-buffer", "likely")]


def test_what_is_sent_to_a_client_that_left_says_nothing_of_the_path() -> None:
    """Its host was gone as soon as it had sent its FIN."""
    found = verdicts("gone-after-fin")
    assert found["ending"].severity == "note"
    assert [cause.code for cause in found["ending"].causes] == ["client-closed"]
    assert "its host is gone too" in found["disconnect"].summary


@pytest.mark.parametrize(
    ("client", "server", "answer", "causes"),
    [
        ("tail-unanswered-at-client", "tail-unanswered", "loses", ["loss"]),
        ("late-at-client", "late", "transparent", ["reordering"]),
        ("gone-after-fin-at-client", "gone-after-fin", "transparent", []),
    ],
)
def test_what_both_ends_say_of_a_path(
    client: str, server: str, answer: str, causes: list[str]
) -> None:
    report = hops((name, decode(FOLDER / f"{name}.pcap")) for name in (client, server))
    (found,) = report.hops
    assert found.hop.is_path
    assert (found.verdict.answer, [one.code for one in found.verdict.causes]) == (answer, causes)


def test_small_writes_that_fill_segments_are_nagles_too() -> None:
    """Events are 5 ms apart, and the round trip takes 100 ms."""
    found = verdicts("nagle-filled")["streaming"]
    assert [cause.code for cause in found.causes] == ["nagle-delayed-ack"]
    assert found.numbers["period"] == pytest.approx(0.1, abs=0.005)
