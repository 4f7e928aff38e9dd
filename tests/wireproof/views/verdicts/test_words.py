"""How exchanges and verdicts are called."""

from __future__ import annotations

import pytest
from support.outcomes import BAD, GOOD, HELD, NOTED, SLOW, WHOLE, listed

from wireproof.analysis.outcomes import Tally
from wireproof.analysis.verdict import Verdict
from wireproof.views.verdicts import words


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
