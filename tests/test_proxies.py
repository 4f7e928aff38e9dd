"""What real proxies did to streams, as recorded on both of their sides.

What happened is known from how each was set up, and from what the client and the application said.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from support.corpus import ROOT

from wireproof import decode
from wireproof.analysis.hops.report import hops
from wireproof.analysis.judges import explain

FOLDER = ROOT / "fixtures" / "proxies"


class Case(NamedTuple):
    """What is said of the exchanges in their order, and of the hops."""

    ends: list[tuple[str, str]]
    """How each ended, and the first cause that is named."""
    passed: list[tuple[str, str]]
    """What each hop did, and its first cause."""


APP = ("cut", "app-exception")
HIDDEN = ("cut", "proxy-hides-cut")
HIDES = ("rewrites", "proxy-hides-cut")
GIVES_UP = ("loses", "proxy-cut")
WHOLE = ("whole", "")
CASES = {
    "caddy-hides-cut": Case([HIDDEN, APP], [HIDES]),
    "h2o-hides-cut": Case([HIDDEN, APP], [HIDES]),
    "two-clients-cut": Case([APP, APP], []),
    "nghttpx-gives-up-http2": Case(
        [("cut", "proxy-idle-timeout"), ("aborted", "proxy-idle-timeout")], [GIVES_UP]
    ),
    "varnish-gives-up": Case(
        [("cut", "proxy-idle-timeout"), ("aborted", "proxy-idle-timeout")], [GIVES_UP]
    ),
    "varnish-gzip-holds": Case([WHOLE, WHOLE], [("holds", "compressor-not-flushed")]),
    "lighttpd-holds": Case([WHOLE, WHOLE], [("holds", "proxy-buffer")]),
    "lighttpd-holds-upload": Case([WHOLE, WHOLE], [("holds", "proxy-buffers-request")]),
    # Which of the answers behind Caddy was the third one's, nobody can tell: all are alike.
    "caddy-five-at-once": Case(
        [
            *(HIDDEN, APP, HIDDEN, APP, ("aborted", "client-closed"), WHOLE),
            *(("app-incomplete", "terminator-missing"), ("aborted", "client-closed"), APP, WHOLE),
        ],
        [HIDES, HIDES, HIDES, ("holds", "proxy-holds"), ("transparent", "")],
    ),
}


def test_every_recording_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.pcap")} == set(CASES)
    readme = (FOLDER.parent / "README.md").read_text()
    assert all(f"(proxies/{name}.pcap)" in readme for name in CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happened(name: str) -> None:
    path = FOLDER / f"{name}.pcap"
    found = sorted(explain(decode(path)), key=lambda one: one.exchange.number)
    verdicts = [one for each in found for one in each.verdicts if one.question == "ending"]
    ends = [(one.answer, next((cause.code for cause in one.causes), "")) for one in verdicts]
    assert ends == CASES[name].ends


@pytest.mark.parametrize("name", CASES)
def test_what_a_proxy_did_is_said_of_it(name: str) -> None:
    path = FOLDER / f"{name}.pcap"
    verdicts = [one.verdict for one in hops([(path.name, decode(path))]).hops]
    passed = [(one.answer, next((cause.code for cause in one.causes), "")) for one in verdicts]
    assert sorted(passed) == sorted(CASES[name].passed)
