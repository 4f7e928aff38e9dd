"""How exchanges and verdicts are called."""

from __future__ import annotations

import pytest
from support.outcomes import BAD, GOOD, HELD, NOTED, SLOW, WHOLE, listed

from wireproof.analysis.keyless.facts import TlsFacts, TlsSide
from wireproof.analysis.outcomes import Tally
from wireproof.analysis.verdict import Cause, Verdict
from wireproof.views.verdicts import words
from wireproof.views.verdicts.words import tls_details


def test_the_title_says_which_exchange_it_is() -> None:
    assert words.title(listed()) == "GET /chat (exchange 3, packets 12-88)"
    one = listed(first_packet=12, last_packet=12, method=None, target=None)
    assert words.title(one) == "(request not captured) (exchange 3, packet 12)"


def test_a_long_target_is_cut() -> None:
    assert len(words.title(listed(target="/" + "x" * 5_000))) < 300


def test_the_headline_is_the_gravest_of_what_is_said() -> None:
    assert words.headline(BAD).endswith(": 16 events came together, 951.0 ms after the request")
    assert words.headline(NOTED).endswith(": streamed, whole; nothing came for 3.000 s")
    assert words.leading([]) is None


def test_of_many_packets_the_first_ones_are_named() -> None:
    assert words.packets(SLOW) == "packets 20, 21, 22, 23, 24, 25, 26, 27 and 3 more"
    assert words.packets(WHOLE) == "packet 88"
    assert words.packets(Verdict("gap", "rate", "ok", "x")) == ""


def test_each_of_several_causes_has_its_remedy_beside_it() -> None:
    assert words.details(HELD)[:2] == [
        ("either", "compressor-not-flushed: gzip, 2 chunks → flush it"),
        ("or", "proxy-buffer → turn buffering off"),
    ]


def test_a_single_cause_says_how_sure_it_is() -> None:
    assert words.details(SLOW)[0] == ("cause", "sender-silent: the beat is lost (likely)")


def test_what_is_fine_says_what_came() -> None:
    said = "streamed, whole: 16 events from 12.8 ms to 486.4 ms"
    assert words.fine(GOOD.listed) == said
    nothing = listed(count=0, first=None, last=None, verdict="", end="")
    assert words.fine(nothing) == "no content"
    at_once = listed(count=1, first=0.052, last=0.052, verdict="", end="whole")
    assert words.fine(at_once) == "whole: 1 event at 52.0 ms"


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ([], "0 exchanges: 0 ok"),
        (["ok"], "1 exchange: 1 ok"),
        (["error", "warning", "warning", "ok"], "4 exchanges: 1 ok, 2 warnings, 1 error"),
    ],
)
def test_exchanges_are_counted_by_severity(severities: list[str], text: str) -> None:
    tally = Tally()
    for severity in severities:
        tally.add(severity, has_failed=False)  # type: ignore[arg-type]
    assert words.counted(tally) == text


def test_what_packets_prove_holds_beside_causes_of_which_it_is_one() -> None:
    proven = [Cause("crlf-cut", remedy="write LF"), Cause("empty-data")]
    labels = [
        label
        for label, _ in words.details(Verdict("hazard", "found", "note", "", causes=(*proven,)))
    ]
    assert labels == ["cause", "cause"]
    either = (proven[0], Cause("loss", "likely"), Cause("rate", "possible"))
    lines = words.details(Verdict("gap", "mixed", "note", "", causes=either))
    assert lines[0] == ("cause", "crlf-cut → write LF")
    assert [label for label, _ in lines[1:]] == ["either", "or"]


def test_packets_that_the_sentence_names_are_cited() -> None:
    said = "one in packet 7, others in packets 9-12, and packets 3 and 4"
    assert words.is_cited(Verdict("gap", "loss", "note", said, (3, 4, 7, 9, 12)))
    assert not words.is_cited(Verdict("gap", "loss", "note", said, (7, 10)))


def test_a_cause_does_not_repeat_the_sentence() -> None:
    verdict = Verdict(
        "gap", "loss", "note", "gap 1 s: sent again", causes=(Cause("loss", summary="sent again"),)
    )
    assert words.details(verdict) == [("cause", "loss")]


@pytest.mark.parametrize(
    ("alpn", "offered", "is_told"),
    [("h2", [], True), (None, ["h2", "http/1.1"], True), (None, ["http/1.1"], False),
     ("http/1.1", ["h2", "http/1.1"], False)],
)  # fmt: skip
def test_streams_of_http2_are_not_told_apart_without_keys(
    alpn: str | None, offered: list[str], is_told: bool
) -> None:
    side = TlsSide(records=3, bytes=300, close_notify=None, ends_with_alert=None)
    facts = TlsFacts(
        version="TLSv1.3", cipher=None, sni=None, alpn=alpn, alpn_offered=offered, resumed=None,
        early_data=None, decrypted="no", reason="no keys", handshake=None, client=side, server=side,
        alert=None, closed_by=None, close="open", layer="tcp", requests=2,
    )  # fmt: skip
    said = "several streams of HTTP/2 at once would be judged as one"
    assert (said in tls_details(facts)) == is_told
