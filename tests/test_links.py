"""What real links did to streams, as recorded at the client.

Between two network namespaces each packet took 20 ms, and what else the link did is known.
"""

from __future__ import annotations

import pytest
from support.corpus import ROOT

from parsers.records import ConnectionRecord
from wireproof import decode
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
}


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
    assert {cause.sure for cause in causes} <= {"certain"} or name == "path-gone"


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
